"""What is exported is read back by its own library or rule, sample by sample equal."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siman_synth.errors import ConfigError, DatasetError, OutputError
from siman_synth.exports.formats import FORMATS, Paddleocr, Part
from siman_synth.exports.marks import Marks
from siman_synth.exports.ready import Ready
from siman_synth.exports.run import _Export, export
from siman_synth.exports.split import TRAIN, Members, SplitSettings
from siman_synth.storage.labeled_set import LabeledSet
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter
from tests.exports.conftest import LABELS
from tests.exports.readers import READERS, pixels

NO_SPACE = tuple(label for label in LABELS if " " not in label)


def plain(words: Iterable[tuple[bytes, str | None]]) -> dict[str | None, Any]:
    return {label: pixels(image) for image, label in words}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.mark.parametrize("kind", FORMATS)
def test_its_own_reader_finds_every_sample(kind: str, labeled: Path, tmp_path: Path) -> None:
    result = export(labeled, kind, tmp_path / "out", validation=5)
    source = plain((sample.image, sample.label) for sample in LabeledSet.open(labeled))
    expected = {label: source[label] for label in (NO_SPACE if kind == "doctr" else LABELS)}

    train, val = (READERS[kind](tmp_path / "out", split) for split in ("train", "val"))
    assert (len(train), len(val)) == (result.train, result.validation)
    assert len(val) == 5
    assert plain([*train, *val]) == expected
    assert not (tmp_path / "out.export").exists()


@pytest.mark.parametrize("kind", FORMATS)
def test_it_opens_as_a_labeled_set(kind: str, labeled: Path, tmp_path: Path) -> None:
    export(labeled, kind, tmp_path / "out", validation=5)
    own = [pair for split in ("train", "val") for pair in READERS[kind](tmp_path / "out", split)]
    words = LabeledSet.open(tmp_path / "out")
    assert words.kind == ("kraken" if kind == "tesstrain" else kind)
    assert len(words) == len(NO_SPACE if kind == "doctr" else LABELS)
    assert [(sample.image, sample.label) for sample in words] == own
    assert (words[3].width_px, words[3].height_px) == pixels(words.image(3))[0]


@pytest.mark.parametrize("kind", ["imagefolder", "parquet", "webdataset"])
def test_boxes_go_along(kind: str, labeled: Path, tmp_path: Path) -> None:
    export(labeled, kind, tmp_path / "out")
    source = {sample.label: sample.meta for sample in LabeledSet.open(labeled)}
    for sample in LabeledSet.open(tmp_path / "out"):
        wanted = source[sample.label]
        assert sample.meta is not None
        assert wanted is not None
        assert sample.meta["boxes"] == wanted["boxes"]
        assert (sample.meta["font"], sample.meta["style"]) == (wanted["font"], wanted["style"])


def test_bytes_are_kept_where_the_trainer_takes_them(labeled: Path, tmp_path: Path) -> None:
    source = {sample.label: sample.image for sample in LabeledSet.open(labeled)}
    export(labeled, "paddleocr", tmp_path / "out")
    assert {label: image for image, label in READERS["paddleocr"](tmp_path / "out", "train")} == source


@pytest.mark.parametrize("kind", ["paddleocr", "imagefolder", "doctr", "easyocr", "kraken", "mmocr"])
def test_listings_may_have_a_byte_order_mark_and_other_line_ends(
    labeled: Path, tmp_path: Path, kind: str
) -> None:
    export(labeled, kind, tmp_path / "out")
    before = [sample.label for sample in LabeledSet.open(tmp_path / "out")]
    for path in tmp_path.rglob("*"):
        if path.suffix in (".csv", ".json", ".jsonl", ".txt"):
            path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert [sample.label for sample in LabeledSet.open(tmp_path / "out")] == before


def test_words_are_on_one_side(labeled: Path, tmp_path: Path) -> None:
    for seed in range(6):
        out = tmp_path / str(seed)
        export(labeled, "paddleocr", out, validation=0.4, separate_words=True, seed=seed)
        sides = [
            {label.casefold() for _, label in READERS["paddleocr"](out, split)} for split in ("train", "val")
        ]
        assert sides[0].isdisjoint(sides[1])
        assert len(READERS["paddleocr"](out, "val")) == round(0.4 * len(LABELS))


def test_marks(labeled: Path, tmp_path: Path) -> None:
    (tmp_path / "keep").write_text("image-000000001\n2\nimage-000000003\tit's\n", encoding="utf-8")
    (tmp_path / "drop").write_text("image-000000002\n", encoding="utf-8")
    result = export(labeled, "doctr", tmp_path / "out", keep=tmp_path / "keep", drop=tmp_path / "drop")
    assert [label for _, label in READERS["doctr"](tmp_path / "out", "train")] == [LABELS[0], LABELS[2]]
    others = {"not among those to keep": len(LABELS) - 3, "marked to be dropped": 1}
    assert result.left_out.counts == others


def write_image_folder(folder: Path, rows: list[tuple[bytes | None, object]]) -> Path:
    folder.mkdir()
    lines = []
    for number, (image, label) in enumerate(rows):
        if image is not None:
            (folder / f"{number}.png").write_bytes(image)
        lines.append(json.dumps({"file_name": f"{number}.png", "text": label}))
    (folder / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_bad_samples_are_counted_and_named(labeled: Path, tmp_path: Path) -> None:
    good = LabeledSet.open(labeled).image(1)
    rows: list[tuple[bytes | None, object]] = [
        (good, "fine"), (good, "tab\there"), (good, "two\nlines"), (good, ""), (None, "missing"),
        (good[:60], "cut"), (b"text", "no image"), (good, 5), (good, None), (good, "also"),
    ]  # fmt: skip
    source = write_image_folder(tmp_path / "source", rows)
    result = export(source, "paddleocr", tmp_path / "out")
    assert [label for _, label in READERS["paddleocr"](tmp_path / "out", "train")] == ["fine", "also"]
    assert result.left_out.counts == {
        "label holds U+0009": 1,
        "label holds U+000A": 1,
        "label is empty": 1,
        "label that cannot be read": 1,
        "no label": 1,
        "image that cannot be read": 1,
        "image truncated": 1,
        "image not an image": 1,
    }
    assert result.left_out.examples["image truncated"] == ["5.png"]


class _Small(Paddleocr):
    part_size = 4


class _Stops(_Small):
    """Is stopped while it writes its fourth part."""

    def write(self, tree: Path, listing: Path, part: Part, samples: Iterable[Ready]) -> None:
        if part.number == 3:
            super().write(tree, listing, part, [next(iter(samples))])
            raise KeyboardInterrupt
        super().write(tree, listing, part, samples)


class _Wrong(_Small):
    def line(self, folder: str, sample: Ready) -> str:
        return super().line(folder, sample).replace("Café", "Cafe")


def tree_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def run(kind: Any, labeled: Path, out: Path, resume: bool = False) -> Any:
    return _Export(LabeledSet.open(labeled), kind, out, SplitSettings(6), Marks.read(None, None)).run(resume)


def test_resumed_and_uninterrupted_are_equal(labeled: Path, tmp_path: Path) -> None:
    run(_Small(), labeled, tmp_path / "whole")
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run(_Stops(), labeled, out)
    assert not out.exists()
    kept = out.with_name("out.export") / "tree" / "train" / "000001"
    before = {path: path.stat().st_mtime_ns for path in kept.iterdir()}
    with pytest.raises(OutputError, match="holds an export that was stopped"):
        run(_Small(), labeled, out)
    result = run(_Small(), labeled, out, resume=True)
    assert result.train == len(LABELS) - 6
    assert tree_of(out) == tree_of(tmp_path / "whole")
    assert {path.name for path in before} == {path.name for path in (out / "train" / "000001").iterdir()}
    assert all(
        (out / "train" / "000001" / path.name).stat().st_mtime_ns == time for path, time in before.items()
    )


def test_another_export_is_not_resumed(labeled: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(_Stops(), labeled, tmp_path / "out")
    with pytest.raises(OutputError, match="belongs to an export with other data or options"):
        export(labeled, "paddleocr", tmp_path / "out", validation=7, resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_of_the_user_beside_it_is_not_touched(labeled: Path, tmp_path: Path, resume: bool) -> None:
    (tmp_path / "out.export").mkdir()
    (tmp_path / "out.export" / "thesis.txt").write_text("mine")
    with pytest.raises(
        OutputError, match=r"out\.export holds other files \(thesis\.txt\), which are not removed"
    ):
        export(labeled, "imagefolder", tmp_path / "out", resume=resume)
    assert [path.name for path in tmp_path.rglob("*")] == ["out.export", "thesis.txt"]


@pytest.mark.parametrize("text", ["", "\0\0\0", '{"skipped": [], "left_out": {}}'])
def test_a_marker_that_was_damaged_is_not_believed(labeled: Path, tmp_path: Path, text: str) -> None:
    run(_Small(), labeled, tmp_path / "whole")
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run(_Stops(), labeled, out)
    (out.with_name("out.export") / "done" / "train-000001.json").write_text(text)
    run(_Small(), labeled, out, resume=True)
    assert tree_of(out) == tree_of(tmp_path / "whole")


def test_killed_when_all_was_done_but_the_tidying(
    labeled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = export(labeled, "imagefolder", tmp_path / "whole", validation=5)

    def killed(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("siman_synth.work_folder.WorkFolder.remove", killed)
        with pytest.raises(KeyboardInterrupt):
            export(labeled, "imagefolder", tmp_path / "out", validation=5)
    found = export(labeled, "imagefolder", tmp_path / "out", validation=5, resume=True)
    assert found.to_values() == whole.to_values()
    assert tree_of(tmp_path / "out") == tree_of(tmp_path / "whole")
    assert not (tmp_path / "out.export").exists()


def test_what_differs_from_its_source_gets_no_name(labeled: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"differs from its source at (train|val)/000000/000000004"):
        run(_Wrong(), labeled, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_refused(labeled: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    with pytest.raises(OutputError, match="exists already"):
        export(labeled, "doctr", tmp_path / "there")
    with pytest.raises(OutputError, match="would lie inside the data set"):
        export(labeled, "doctr", labeled / "out")
    with pytest.raises(ConfigError, match=r"must be a share below 1 or a whole number, found 1\.5"):
        export(labeled, "doctr", tmp_path / "out", validation=1.5)
    with pytest.raises(ConfigError, match="leave none of 26 to train on"):
        export(labeled, "lmdb", tmp_path / "out2", validation=26)
    numbers = write_image_folder(tmp_path / "numbers", [(LabeledSet.open(labeled).image(1), "12.50")])
    with pytest.raises(OutputError, match="All labels of train/000000 are numbers, and EasyOCR stops"):
        export(numbers, "easyocr", tmp_path / "out3")
    with pytest.raises(DatasetError, match="it holds no data"):
        export(tmp_path / "there", "doctr", tmp_path / "out4")


def test_dictionaries(labeled: Path, tmp_path: Path) -> None:
    """PaddleOCR is told of the space by `use_space_char`; MMOCR stops at one that is not listed."""
    for kind, unlisted in (("paddleocr", {" "}), ("mmocr", set[str]())):
        export(labeled, kind, tmp_path / kind)
        characters = (tmp_path / kind / "dict.txt").read_text(encoding="utf-8").splitlines()
        assert sorted(characters) == characters == sorted(set("".join(LABELS)) - unlisted)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_set(peak_memory: Any, tmp_path: Path) -> None:
    # From a tar: pages of a file that LMDB maps would count as memory.
    setup = """
from pathlib import Path
from siman_synth.exports.run import export
from tests.storage.conftest import encoded
from siman_synth.storage.lmdb_format import Sample
import io, tarfile
out, kind = Path(sys.argv[1]), sys.argv[3]
image = encoded(60)
with tarfile.open(out / f'{kind}{sys.argv[2]}.tar', 'w') as tar:
    for number in range(int(sys.argv[2])):
        for suffix, data in (('png', image), ('txt', b'word%d' % number)):
            member = tarfile.TarInfo(f'{number:06d}.{suffix}')
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    tar.members = []
"""
    work = "export(out / f'{kind}{sys.argv[2]}.tar', kind, out / f'{kind}{sys.argv[2]}')"
    for kind in ("webdataset", "imagefolder"):
        added = [peak_memory(setup, work, tmp_path, str(count), kind)[0] for count in (500, 5500)]
        assert added[1] - added[0] < 20, (kind, added)  # 5000 images of 6 KB are 30 MB


@pytest.mark.slow
def test_a_listing_takes_sixteen_bytes_a_line(peak_memory: Any, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.png\tword\n" * 1_000_000)
    setup = "from pathlib import Path\nfrom siman_synth.storage.formats.lines import Lines"
    added_mb, count = peak_memory(setup, "print(len(Lines(Path(sys.argv[1]))))", tmp_path / "list.txt")
    assert count == "1000000"
    assert added_mb < 40, added_mb  # as lists of numbers they were 94


@pytest.mark.parametrize("kind", ["paddleocr", "parquet", "kraken"])
def test_a_recognizer_learns_from_any_layout(kind: str, labeled: Path, tmp_path: Path) -> None:
    from siman_synth.recognition.charset import Charset
    from siman_synth.recognizer_training.labeled_words import LabeledWords, characters_of

    export(labeled, kind, tmp_path / "out", validation=5)
    words = LabeledWords(tmp_path / "out", Charset(characters_of([tmp_path / "out"])))
    assert sorted(words.label(number) for number in range(len(words))) == sorted(LABELS)
    assert words.image(0) is not None
    assert words.fingerprint() == LabeledWords(tmp_path / "out", Charset("a")).fingerprint()


def test_chosen_crops_become_styles(labeled: Path, tmp_path: Path) -> None:
    from siman_synth.storage.lmdb_writer import LmdbWriter
    from tests.storage.conftest import encoded, make_sample

    with LmdbWriter.create(tmp_path / "crops") as writer:
        for number in range(5):
            image = encoded(50, seed=number)
            writer.write(replace(make_sample(number), label=None, image=image, width_px=50))
    (tmp_path / "keep").write_text("image-000000002\nimage-000000004\n")
    export(tmp_path / "crops", "lmdb", tmp_path / "out", keep=tmp_path / "keep")
    kept = LabeledSet.open(tmp_path / "out" / "train")
    assert [(sample.image, sample.label) for sample in kept] == [(encoded(50, seed=n), None) for n in (1, 3)]
    with pytest.raises(DatasetError, match="5 no label"):
        export(tmp_path / "crops", "doctr", tmp_path / "out2")


@pytest.mark.parametrize("validation", [float("nan"), float("inf"), -1.0, 1.5])
def test_a_validation_set_is_a_share_or_a_count(labeled: Path, tmp_path: Path, validation: float) -> None:
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match=rf"a share below 1 or a whole number, found {validation:g}\."):
        export(labeled, "paddleocr", out, validation=validation)


def test_an_export_that_cannot_begin_leaves_nothing_in_the_way(labeled: Path, tmp_path: Path) -> None:
    out, none = tmp_path / "out", tmp_path / "none.txt"
    none.write_text("no sample of this set\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="leave none"):
        export(labeled, "paddleocr", out, validation=1_000_000)
    with pytest.raises(DatasetError, match="no sample that could be written"):
        export(labeled, "paddleocr", out, keep=none)
    assert not list(tmp_path.glob("out*"))
    assert export(labeled, "paddleocr", out, validation=1).validation == 1


def test_an_export_into_the_folder_at_hand_or_the_root(
    labeled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with pytest.raises(OutputError, match="a folder with a name is needed"):
        export(labeled, "paddleocr", "/")
    (here / "notes.txt").touch()
    with pytest.raises(OutputError, match="exists already"):
        export(labeled, "paddleocr", ".")
    assert [path.name for path in here.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("kind", list(FORMATS))
def test_a_part_of_which_nothing_can_be_written(
    kind: str, labeled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FORMATS[kind], "part_size", 2)
    with LmdbReader.open(labeled) as reader, LmdbWriter.create(tmp_path / "words") as writer:
        for number, sample in enumerate(reader):
            broken = replace(sample, image=sample.image[:60])
            writer.write(broken if number in (2, 3, 6) else replace(sample, label=f"word{number}"))
    result = export(tmp_path / "words", kind, tmp_path / "out")
    assert result.train == len(reader) - 3
    stored = LabeledSet.open(tmp_path / "out")
    assert [stored.label(index) for index in range(len(stored))] == [
        f"word{number}" for number in range(len(reader)) if number not in (2, 3, 6)
    ]


@given(st.lists(st.integers(0, 2), max_size=60), st.integers(1, 9), st.integers(1, 20))
def test_members_of_a_split_come_in_parts(where: list[int], size: int, look_at: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("siman_synth.exports.split._LOOK_AT", look_at)
        members = Members(np.array(where, np.uint8), TRAIN)
        expected = [index for index, split in enumerate(where) if split == TRAIN]
        assert len(members) == len(expected)
        assert [part.tolist() for part in members.parts(size)] == [
            expected[start : start + size] for start in range(0, len(expected), size)
        ]


@pytest.mark.parametrize("kind", ["webdataset", "tesstrain", "parquet"])
def test_what_is_read_back_is_opened_part_by_part(
    kind: str, labeled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the samples of all parts lie is not in memory at once."""
    monkeypatch.setattr(FORMATS[kind], "part_size", 5)
    longest = []
    opened = LabeledSet.open

    def watched(path: Path) -> LabeledSet:
        words = opened(path)
        longest.append(len(words))
        return words

    monkeypatch.setattr("siman_synth.exports.run.LabeledSet.open", watched)
    export(labeled, kind, tmp_path / "out")
    assert max(longest[1:]) == 5  # the first is the source
