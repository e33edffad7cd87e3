"""Words and lines of photos: found where they are, cut, turned, read, counted."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from siman_synth.errors import CropError, OutputError
from siman_synth.imaging.decode import decode_crop
from siman_synth.ocr.cut import between, cut, lies_down, size_of
from siman_synth.ocr.ppocr import PpOcr
from siman_synth.ocr.words import words_of
from siman_synth.photos.finder import CropFinder, CropSettings
from siman_synth.photos.pages import Page, pages_of
from siman_synth.photos.run import cut_crops
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.verify import verify_dataset
from siman_synth.tally import Tally
from tests.photos.conftest import SIZE_PX, drawn_photo, save, stopped


@pytest.fixture(scope="module")
def words(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("crops") / "words"
    return out, cut_crops([photos], out, CropSettings(read=True), workers=2).to_text()


def test_every_word_is_cut_once(words: tuple[Path, str]) -> None:
    out, text = words
    reader = LmdbReader.open(out)
    read = [(sample.machine, (sample.meta or {})["origin"]) for sample in reader]
    assert sorted(read) == [
        ("7.50", "a.png"), ("Harbour", "a.png"), ("Open", "a.png"), ("Street", "a.png"), ("Weekend", "c.png"),
        ("daily", "a.png"),
    ]  # fmt: skip
    assert [reader.label(index) for index in range(len(reader))] == [None] * 6
    assert "6 crops, from 3 photos" in text
    assert "1 truncated (d.jpg)" in text
    assert "1 not an image file (notes.md)" in text
    assert "5 repeated (b.png, …)" in text
    assert verify_dataset(reader).to_text().splitlines()[0].endswith("6 samples, 0 labeled: sound")


def test_a_crop_is_what_its_corners_say(words: tuple[Path, str], photos: Path) -> None:
    photo = drawn_photo()
    for sample in LmdbReader.open(words[0]):
        meta = sample.meta or {}
        image = decode_crop(sample.image, "crop")
        width, height = size_of(meta["quad"])
        assert image.shape[:2] == pytest.approx((height, width), abs=1.5)
        assert meta["score"] > 0.6
        if meta["origin"] == "a.png":
            again = cut(photo, meta["quad"])[: image.shape[0], : image.shape[1]]
            difference = again.astype(int) - image[: again.shape[0], : again.shape[1]]
            assert np.abs(difference).mean() < 6


def test_words_stand_apart(words: tuple[Path, str]) -> None:
    """Between two words of a line the cut goes through ground: the letters at its ends are whole."""
    quads = {s.machine: (s.meta or {})["quad"] for s in LmdbReader.open(words[0])}
    photo = drawn_photo()
    ink = np.flatnonzero(photo[170:215].min(axis=(0, 2)) < 120)
    open_end, daily_start = quads["Open"][1][0], quads["daily"][0][0]
    assert open_end == pytest.approx(daily_start, abs=1)
    gap = np.flatnonzero(np.diff(ink) > SIZE_PX * 0.2)
    assert ink[gap[0]] < open_end < ink[gap[0] + 1]


def test_lines_keep_their_spaces(photos: Path, tmp_path: Path) -> None:
    cut_crops([photos / "a.png"], tmp_path / "out", CropSettings(unit="line", read=True))
    assert "Open daily" in [sample.machine for sample in LmdbReader.open(tmp_path / "out")]


def test_without_reading_no_reader_is_asked(photos: Path, tmp_path: Path) -> None:
    cut_crops([photos / "a.png"], tmp_path / "out", CropSettings(unit="line"))
    reader = LmdbReader.open(tmp_path / "out")
    assert [sample.machine for sample in reader] == [None] * len(reader)
    assert len(reader) in (3, 4)


def test_accepted_readings_become_labels(photos: Path, tmp_path: Path) -> None:
    result = cut_crops([photos / "a.png"], tmp_path / "out", CropSettings(accept=0.9))
    samples = list(LmdbReader.open(tmp_path / "out"))
    assert sorted(str(sample.label) for sample in samples) == ["7.50", "Harbour", "Open", "Street", "daily"]
    assert all(sample.machine is None for sample in samples)
    assert all((sample.meta or {})["reading_score"] >= 0.9 for sample in samples)
    assert result.labeled


def test_resumed_and_any_workers_give_the_same_bytes(
    photos: Path, words: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siman_synth.photos.run._PART", 1)
    settings, parts = CropSettings(read=True), count(1)
    with stopped(monkeypatch, lambda: next(parts) == 3):
        cut_crops([photos], tmp_path / "out", settings)
    with pytest.raises(OutputError, match="holds a run that was stopped"):
        cut_crops([photos], tmp_path / "out", settings)
    with pytest.raises(OutputError, match="belongs to a run with other photos or options"):
        cut_crops([photos], tmp_path / "out", CropSettings(), resume=True)
    cut_crops([photos], tmp_path / "out", settings, resume=True)
    assert (tmp_path / "out" / "data.mdb").read_bytes() == (words[0] / "data.mdb").read_bytes()
    assert not (tmp_path / "out.crops").exists()


@pytest.mark.parametrize(
    ("file", "damage"),
    [("000000.lmdb/data.mdb", "changed"), ("000000.lmdb/data.mdb", "gone"), ("000000.json", "cut")],
)
def test_a_finished_part_that_was_damaged_is_made_again(
    photos: Path,
    words: tuple[Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    damage: str,
) -> None:
    monkeypatch.setattr("siman_synth.photos.run._PART", 1)
    markers = tmp_path / "out.crops"
    with stopped(monkeypatch, lambda: len(list(markers.glob("*.json"))) == 3):  # the identity is one
        cut_crops([photos], tmp_path / "out", CropSettings(read=True))
    path = tmp_path / "out.crops" / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data if damage == "changed" else data[: len(data) // 2])
    if damage == "gone":
        path.unlink()
    cut_crops([photos], tmp_path / "out", CropSettings(read=True), resume=True)
    assert (tmp_path / "out" / "data.mdb").read_bytes() == (words[0] / "data.mdb").read_bytes()


def test_killed_when_all_was_done_but_the_tidying(
    photos: Path, words: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("siman_synth.work_folder.WorkFolder.remove", killed)
        with pytest.raises(KeyboardInterrupt):
            cut_crops([photos], tmp_path / "out", CropSettings(read=True))
    found = cut_crops([photos], tmp_path / "out", CropSettings(read=True), resume=True)
    assert found.to_text().replace(str(tmp_path / "out"), str(words[0])) == words[1]
    assert (tmp_path / "out" / "data.mdb").read_bytes() == (words[0] / "data.mdb").read_bytes()
    assert not (tmp_path / "out.crops").exists()


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_of_the_user_beside_it_is_not_touched(photos: Path, tmp_path: Path, resume: bool) -> None:
    (tmp_path / "out.crops").mkdir()
    (tmp_path / "out.crops" / "thesis.txt").write_text("mine")
    with pytest.raises(
        OutputError, match=r"out\.crops holds other files \(thesis\.txt\), which are not removed"
    ):
        cut_crops([photos], tmp_path / "out", resume=resume)
    assert [path.name for path in tmp_path.rglob("*")] == ["out.crops", "thesis.txt"]


def test_pages_of_a_pdf(tmp_path: Path) -> None:
    photo = Image.fromarray(drawn_photo({"Harbour": (30, 40)}, (400, 140)))
    photo.save(tmp_path / "scan.pdf", save_all=True, append_images=[photo.rotate(0)], resolution=200)
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    result = cut_crops([tmp_path], tmp_path / "out", CropSettings(read=True))
    (sample,) = LmdbReader.open(tmp_path / "out")
    assert (sample.machine, (sample.meta or {})["origin"]) == ("Harbour", "scan.pdf#1")
    assert (result.photos, result.skipped.counts) == (2, {"PDF file that cannot be read": 1})
    assert result.dropped.counts == {"repeated": 1}


def test_pdfium_is_never_asked_by_two_threads_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not made for that: pages with text ended the program with a broken heap."""
    import pypdfium2

    photo = Image.fromarray(drawn_photo({"Harbour": (30, 40)}, (400, 140)))
    photo.save(tmp_path / "scan.pdf", save_all=True, append_images=[photo] * 7, resolution=100)
    inside, most = 0, 0
    render = pypdfium2.PdfPage.render

    def watched(page: Any, **options: Any) -> Any:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.02)
        inside -= 1
        return render(page, **options)

    monkeypatch.setattr(pypdfium2.PdfPage, "render", watched)
    pages = pages_of([tmp_path], Tally())
    with ThreadPoolExecutor(4) as threads:
        assert len(list(threads.map(Page.image, pages))) == 8
    assert most == 1


def test_a_link_to_nothing_is_a_photo_that_is_left_out(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").symlink_to(photos / "a.png")
    (tmp_path / "photos" / "gone.png").symlink_to("nowhere.png")
    result = cut_crops([tmp_path / "photos"], tmp_path / "out")
    assert result.photos == 1
    assert list(result.skipped.lines()) == ["1 unreadable (gone.png)"]


def test_what_is_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(CropError, match="does not exist"):
        cut_crops([tmp_path / "none"], tmp_path / "out")
    with pytest.raises(CropError, match="There are no photos in"):
        cut_crops([photos / "notes.md"], tmp_path / "out")
    with pytest.raises(OutputError, match="exists already"):
        cut_crops([photos], photos)
    save(tmp_path / "plain.png", np.full((200, 300, 3), 200, np.uint8))
    with pytest.raises(CropError, match="No usable crop in 1 photo: no text was found"):
        cut_crops([tmp_path / "plain.png"], tmp_path / "out")
    assert not list(tmp_path.glob("out*"))


def test_pieces_are_dropped_by_reason(tmp_path: Path) -> None:

    dropped = Tally()
    finder = CropFinder.load(CropSettings(unit="line", min_height_px=200, min_score=0.0))
    assert finder.pieces(drawn_photo(), dropped, Page(Path("photo"), "photo")) == []
    assert set(dropped.counts) == {"too small (below 200 px)"}


def test_quads() -> None:
    standing = ((0.0, 0.0), (10.0, 0.0), (10.0, 40.0), (0.0, 40.0))
    assert lies_down(standing) == ((10.0, 0.0), (10.0, 40.0), (0.0, 40.0), (0.0, 0.0))
    lying = ((0.0, 0.0), (40.0, 0.0), (40.0, 10.0), (0.0, 10.0))
    assert lies_down(lying) == lying
    assert between(lying, 0.25, 0.5) == ((10.0, 0.0), (20.0, 0.0), (20.0, 10.0), (10.0, 10.0))
    photo = np.zeros((60, 60, 3), np.uint8)
    photo[10:20, 20:50, 0] = 255
    piece = cut(photo, ((20.0, 10.0), (50.0, 10.0), (50.0, 20.0), (20.0, 20.0)))
    assert piece.shape == (10, 30, 3)
    assert piece[2:-2, 2:-2, 0].min() == 255


def test_a_line_without_letters_has_no_words() -> None:
    assert words_of(np.zeros((20, 90, 3), np.uint8), []) == []
    assert PpOcr.load().spell([]) == []
