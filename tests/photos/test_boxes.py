"""Words of photos at places that somebody knows: cut as they lie, labeled as they say, counted if useless."""

import json
import subprocess
import sys
import tomllib
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from siman_synth.cli import main
from siman_synth.errors import ConfigError, CropError, OutputError
from siman_synth.imaging.decode import decode_crop
from siman_synth.imaging.resize import shrink_to_height
from siman_synth.ocr.cut import cut
from siman_synth.photos.finder import CropSettings
from siman_synth.photos.run import cut_crops
from siman_synth.resources import resource_folder
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.verify import verify_dataset
from tests.photos.conftest import drawn_photo, save, stopped

HARBOUR, STREET, PRICE = [25, 40, 210, 60], [325, 40, 160, 60], [415, 250, 110, 60]
"""x, y, width and height of words of `drawn_photo`."""


def boxes_file(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_texts_become_labels_and_crops_are_what_the_boxes_say(photos: Path, tmp_path: Path) -> None:
    slanted = [[60, 160], [290, 158], [292, 214], [62, 218]]
    boxes = tmp_path / "boxes.csv"
    boxes.write_text(
        "photo,quad,box,text,score\n"
        'a.png,,"25,40,210,60",Harbour,\n'
        'a.png,"60 160 290 158 292 214 62 218",,"Open  daily",0.91\n'
        'c.png,,"0,0,130,360", Cafe\u0301\n'
        "z.png,,0 0 50 50,elsewhere,\n",
        encoding="utf-8",
    )
    result = cut_crops([photos], tmp_path / "out", boxes=boxes)
    reader = LmdbReader.open(tmp_path / "out")
    samples = list(reader)
    assert [sample.label for sample in samples] == ["Harbour", "Open daily", "Café"]
    assert [sample.meta for sample in samples] == [
        {"origin": "a.png", "quad": [[25, 40], [235, 40], [235, 100], [25, 100]]},
        {"origin": "a.png", "quad": slanted, "score": 0.91},
        {"origin": "c.png", "quad": [[0, 0], [130, 0], [130, 360], [0, 360]]},
    ]
    photo = drawn_photo()
    for sample, quad in zip(samples[:2], [samples[0].meta["quad"], slanted], strict=True):  # type: ignore[index]
        stored = decode_crop(sample.image, "crop")
        expected = cut(photo, tuple(map(tuple, quad)))
        assert stored.shape == expected.shape
        assert np.abs(stored.astype(int) - expected).mean() < 3
    # A word that runs upwards is not laid down: its box does not say how it is read.
    assert (samples[2].width_px, samples[2].height_px) == (130, 360)
    assert verify_dataset(reader).to_text().splitlines()[0].endswith("3 samples, 3 labeled: sound")
    text = result.to_text()
    assert text.startswith(f"{tmp_path / 'out'}: 3 crops, labeled, from 2 photos\n")
    assert "1 of a photo that was not given (z.png)" in text
    assert "2 without a box (b.png, d.jpg)" in text


def test_a_quad_says_where_its_text_begins(photos: Path, tmp_path: Path) -> None:
    # `c.png` is a word turned to the left: it begins at the bottom and runs upwards.
    boxes = boxes_file(tmp_path / "b", {"photo": "c.png", "quad": [0, 360, 0, 0, 130, 0, 130, 360]})
    cut_crops([photos], tmp_path / "out", boxes=boxes)
    (sample,) = LmdbReader.open(tmp_path / "out")
    standing = drawn_photo({"Weekend": (20, 40)}, (360, 130))
    stored = decode_crop(sample.image, "crop").astype(int)
    assert np.abs(stored - standing).mean() < 6 < 12 < np.abs(stored[::-1, ::-1] - standing).mean()


def test_labels_are_for_all_or_for_none(photos: Path, tmp_path: Path) -> None:
    said, silent = {"photo": "a.png", "box": HARBOUR, "text": "Harbour"}, {"photo": "a.png", "box": STREET}
    for name, rows, note in (
        ("some", (said, silent), True),
        ("blank", (said, silent | {"text": " "}), True),
        ("none", (silent,), False),
    ):
        result = cut_crops([photos], tmp_path / name, boxes=boxes_file(tmp_path / f"{name}.jsonl", *rows))
        assert [sample.label for sample in LmdbReader.open(tmp_path / name)] == [None] * len(rows)
        told = (
            "no labels, because 1 of 2 boxes have no text (the first in line 2); take those out of the file"
        )
        assert (told in result.to_text()) is note
        assert not result.labeled


def test_useless_boxes_are_counted_by_reason(photos: Path, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"box": HARBOUR}, {"box": HARBOUR},
        {"box": [25, 40, 210, 5]}, {"box": [25, 40, 0, 0]}, {"box": STREET, "score": 0.5},
        {"box": [0, 290, 200, 50]}, {"box": [560, 300, 160, 60]}, {"box": [5000, 5000, 1e300, 50]},
        {"box": [0, 0, 1e308, 1e308]},
        {"quad": [25, 100, 235, 100, 235, 40, 25, 40]}, {"quad": [25, 40, 235, 100, 235, 40, 25, 100]},
        {"box": [-5, 30, 240, 60]},
    ]  # fmt: skip
    boxes = boxes_file(tmp_path / "b.jsonl", *({"photo": "a.png"} | row for row in rows))
    result = cut_crops([photos], tmp_path / "out", boxes=boxes)
    assert result.crops == 2
    assert result.dropped.counts == {
        "too small (below 8 px)": 2, "doubtful (below 0.6)": 1, "no contrast": 1, "repeated": 1,
        "box that leaves its photo": 3, "corners that run counterclockwise": 1,
        "corners that cross or make a dent": 1,
    }  # fmt: skip
    long = tmp_path / "long.png"
    save(long, np.tile(np.repeat(np.array([[[0] * 3, [255] * 3]], np.uint8), 4, 1), (40, 1000, 1)))
    boxes_file(
        boxes, {"photo": "long.png", "box": [0, 0, 8000, 12]}, {"photo": "long.png", "box": [0, 0, 99, 40]}
    )
    assert cut_crops([long], tmp_path / "thin", boxes=boxes).dropped.counts == {"too long and thin": 1}


def test_a_text_that_is_no_label_drops_its_crop(photos: Path, tmp_path: Path) -> None:
    boxes = boxes_file(
        tmp_path / "b",
        {"photo": "a.png", "box": HARBOUR, "text": "Harbour"},
        {"photo": "a.png", "box": STREET, "text": "two\nlines"},
    )
    result = cut_crops([photos], tmp_path / "out", boxes=boxes)
    assert (result.crops, result.dropped.counts) == (1, {"text that is no label": 1})


def test_alike_with_other_texts_is_not_repeated(photos: Path, tmp_path: Path) -> None:
    row = {"photo": "a.png", "box": HARBOUR}
    boxes = boxes_file(tmp_path / "b", row | {"text": "l"}, row | {"text": "1"}, row | {"text": "l"})
    result = cut_crops([photos], tmp_path / "out", boxes=boxes)
    assert [sample.label for sample in LmdbReader.open(tmp_path / "out")] == ["l", "1"]
    assert result.dropped.counts == {"repeated": 1}


def test_paths_from_the_folder_of_the_file(photos: Path, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder / "a.png", drawn_photo())
    rows = ({"photo": "one/a.png", "box": HARBOUR}, {"photo": "two/../one/a.png", "box": STREET})
    boxes = boxes_file(tmp_path / "b", *rows)
    both = [tmp_path / "one", tmp_path / "two"]
    result = cut_crops(both, tmp_path / "out", boxes=boxes)
    assert (result.photos, result.crops, result.skipped.counts) == (1, 2, {"without a box": 1})
    boxes_file(boxes, {"photo": "a.png", "box": HARBOUR})
    with pytest.raises(ConfigError, match=r"line 1: photo 'a\.png' may be \S+one/a\.png or \S+two/a\.png"):
        cut_crops(both, tmp_path / "other", boxes=boxes)
    inner = boxes_file(tmp_path / "one" / "b", {"photo": "a.png", "box": HARBOUR})
    save(tmp_path / "a.png", drawn_photo())
    with pytest.raises(ConfigError, match=r"may be \S+ or \S+\. Cut them one after the other\."):
        cut_crops([tmp_path], tmp_path / "other", boxes=inner)
    boxes_file(boxes, {"photo": "x/y.png", "box": HARBOUR})
    with pytest.raises(ConfigError) as caught:
        cut_crops([tmp_path / "one"], tmp_path / "other", boxes=boxes)
    assert str(caught.value) == (
        f"{boxes} has no box of a photo that was given: it names 'x/y.png', and photos are called 'a.png'. "
        "Give names below the folder of photos, or paths from the folder of b."
    )
    assert not list(tmp_path.glob("other*"))


def test_resumed_and_any_workers_give_the_same_bytes(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siman_synth.photos.run._PART", 1)
    rows = [{"photo": name, "box": box, "text": name + "?" * n} for name in ("a.png", "b.png", "c.png")
            for n, box in enumerate((HARBOUR, STREET, PRICE))]  # fmt: skip
    boxes = boxes_file(tmp_path / "b", *rows)
    cut_crops([photos], tmp_path / "whole", boxes=boxes, workers=3)
    parts = count(1)
    with stopped(monkeypatch, lambda: next(parts) == 2):
        cut_crops([photos], tmp_path / "out", boxes=boxes)
    other = boxes_file(tmp_path / "other", *rows[1:])
    with pytest.raises(OutputError, match="belongs to a run with other photos or options"):
        cut_crops([photos], tmp_path / "out", boxes=other, resume=True)
    cut_crops([photos], tmp_path / "out", boxes=boxes, resume=True)
    assert (tmp_path / "out" / "data.mdb").read_bytes() == (tmp_path / "whole" / "data.mdb").read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", " holds no box. Give a header and a line for each box, or JSON objects."),
        ("photo,box\n", " holds a header alone, no box."),
        ("photo,x,y\na.png,1,2\n", ", line 2: unknown name 'x'. Known are photo, quad, box, text, score."),
        ("photo,box,box\na.png,1,2\n", " has two columns 'box' in its header. Name each once."),
        ("photo,text\na.png,B\n", ", line 2: a quad (8 numbers) or a box (x, y, width, height) is missing."),
        ("box\n1 2 3 4\n", ", line 2: 'photo' is missing or no text."),
        ("photo,box\na.png,1 2 3\n", ", line 2: box needs 4 numbers, found '1 2 3'."),
        ("photo,box\na.png,1 2 3 nan\n", ", line 2: box needs 4 numbers, found '1 2 3 nan'."),
        ("photo,box,score\na.png,1 2 3 4,97\n", ", line 2: score must be from 0 to 1, found 97."),
        ("photo,box,score\na.png,1 2 3 4,high\n", ", line 2: score needs a number, found 'high'."),
        ('photo,box,text\na.png,1 2 3 4,"5 inch\na.png,1 2 3 4,B\n', ", line 2: not CSV (unexpected end of "
         "data)."),
        ('{"photo": "a.png", "box": [1, 2, 3, 4], "text": 7}', ", line 1: text must be a text, found 7."),
        ('{"photo": "a.png", "box": [1, 2, 3, 4], "quad": [1, 2, 3, 4, 5, 6, 7, 8]}', ", line 1: a quad and "
         "a box for one word. Give one of them."),
        ('{"photo": "a.png", "quad": [[1, 2], [3, 4]]}', ", line 1: quad needs 8 numbers, found [[1, 2], "
         "[3, 4]]."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(
    photos: Path, tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "boxes"
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        cut_crops([photos], tmp_path / "out", boxes=path)
    assert str(caught.value) == f"{path}{message}"
    assert [found.name for found in tmp_path.iterdir()] == ["boxes"]


def test_nothing_of_use_leaves_nothing(photos: Path, tmp_path: Path) -> None:
    boxes = boxes_file(tmp_path / "b", {"photo": "a.png", "box": [0, 290, 200, 50]})
    with pytest.raises(CropError, match=r"No usable crop in 1 photo: .*1 no contrast \(a\.png\)"):
        cut_crops([photos], tmp_path / "out", boxes=boxes)
    assert [found.name for found in tmp_path.iterdir()] == ["b"]


def test_nothing_is_read_in_boxes(photos: Path, tmp_path: Path) -> None:
    boxes = boxes_file(tmp_path / "b", {"photo": "a.png", "box": HARBOUR})
    with pytest.raises(
        ConfigError, match="What stands in given boxes is not read: leave out read and accept"
    ):
        cut_crops([photos], tmp_path / "out", CropSettings(read=True), boxes=boxes)
    command = ["crops", str(photos), "--boxes", str(boxes), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, [*command, "--unit", "word", "--accept", "0.9"])
    assert result.exit_code == 2
    assert "--boxes says what is cut, and nothing is read: leave out --unit, --accept." in result.output
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0
    assert "out: 1 crops, from 1 photos" in result.output


def test_no_ocr_is_needed(photos: Path, tmp_path: Path) -> None:
    boxes = boxes_file(tmp_path / "b", {"photo": "a.png", "box": HARBOUR})
    code = (
        "import sys\nfor name in ('rapidocr', 'onnxruntime', 'torch'):\n    sys.modules[name] = None\n"
        "from siman_synth.cli import main\nmain()"
    )
    command = ["crops", str(photos), "--boxes", str(boxes), "--out", str(tmp_path / "out")]
    subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True)
    assert len(LmdbReader.open(tmp_path / "out")) == 1


STYLES = resource_folder("styles")
OPENCV_DOC = Path("/usr/share/doc/opencv-doc/examples/text")


def test_the_bundled_crops_come_out_of_their_list_again(tmp_path: Path) -> None:
    """All but the six that are higher than 64 px to the byte; those were reduced before they became JPEG."""
    if not (OPENCV_DOC / "scenetext01.jpg").is_file():
        pytest.skip("the photos are missing: apt-get install opencv-doc")
    styles = tomllib.loads((STYLES / "styles.toml").read_text(encoding="utf-8"))["style"]
    rows = ({name: style[name] for name in ("photo", "quad", "text")} for style in styles)
    cut_crops([OPENCV_DOC], tmp_path / "out", boxes=boxes_file(tmp_path / "boxes.jsonl", *rows))
    found = {
        (meta["origin"], tuple(map(tuple, meta["quad"]))): sample
        for sample in LmdbReader.open(tmp_path / "out")
        if (meta := sample.meta)
    }
    assert len(found) == len(styles) == 27
    reduced = 0
    for style in styles:
        sample = found[style["photo"], tuple(map(tuple, style["quad"]))]
        bundled = (STYLES / "crops" / style["file"]).read_bytes()
        assert sample.label == style["text"]
        if sample.height_px <= 64:
            assert sample.image == bundled, style["file"]
            continue
        reduced += 1
        again = shrink_to_height(decode_crop(sample.image, "crop"), 64).astype(int)
        difference = np.abs(again - decode_crop(bundled, "bundled"))
        assert difference.mean() < 2, style["file"]
    assert reduced == 6


def test_pages_of_a_pdf_are_called_by_their_number(tmp_path: Path) -> None:
    photo = Image.fromarray(drawn_photo({"Harbour": (30, 40)}, (400, 140)))
    other = Image.fromarray(drawn_photo({"Street": (30, 40)}, (400, 140)))
    photo.save(tmp_path / "scan.pdf", save_all=True, append_images=[other], resolution=200)
    rows = ({"photo": "scan.pdf#2", "box": [20, 30, 200, 70], "text": "Street"},)
    cut_crops([tmp_path / "scan.pdf"], tmp_path / "out", boxes=boxes_file(tmp_path / "b", *rows))
    (sample,) = LmdbReader.open(tmp_path / "out")
    assert (sample.meta or {})["origin"] == "scan.pdf#2"
    difference = decode_crop(sample.image, "crop").astype(int) - np.asarray(other)[30:100, 20:220]
    assert np.abs(difference).mean() < 8
