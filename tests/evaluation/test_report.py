"""The whole way to a report: with simple OCR, and once with every network."""

import base64
import json
import re
import sys
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from siman_synth.cli import main
from siman_synth.errors import ConfigError
from siman_synth.evaluation.pipeline import default_out, evaluate
from siman_synth.ocr.recognizer import Reading

Write = Callable[..., Path]
_VOID = {"meta", "br", "img", "source"}


class WidthOcr:
    """Reads every word narrower than 100 px as one label, and the others as another."""

    name = "by width"
    alphabet = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

    def read(self, images: Sequence[np.ndarray]) -> list[Reading]:
        return [Reading("garage" if image.shape[1] < 100 else "Harbour", 0.75) for image in images]


class Page(HTMLParser):
    """Tags that must close, every address, and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)
        self.addresses += [value or "" for name, value in attributes if name in ("src", "srcset", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def run() -> Callable[..., Result]:
    def run(*arguments: str | Path) -> Result:
        return CliRunner().invoke(main, ["evaluate", *map(str, arguments)], catch_exceptions=False)

    return run


def test_the_page_is_whole_and_asks_nothing_of_the_network(
    write_words: Write, labels: list[str], tmp_path: Path
) -> None:
    labels[:2] = ["<script>alert(1)</script>", 'a"b&c']
    dataset, real = write_words("words", labels), write_words("real", labels, first_seed=100)
    Image.new("RGB", (20, 10), (9, 200, 30)).save(tmp_path / "words.rejected.png")
    out = default_out(dataset)
    evaluation = evaluate(dataset, real, out, count=1000, ocr=WidthOcr(), features=())
    assert out == tmp_path / "words.report"
    assert sorted(path.name for path in out.iterdir()) == ["metrics.json", "report.html"]
    assert sorted(path.name for path in dataset.iterdir()) == ["data.mdb", "lock.mdb"]
    html = (out / "report.html").read_text(encoding="utf-8")
    page = Page(html)
    assert page.open == []
    assert "<script>alert(1)</script>" in page.text
    assert 'a"b&c' in page.text
    assert "<script" not in html
    assert all(address.startswith("data:image/") for address in page.addresses)
    without_pictures = re.sub(r"data:image/[^\"]*", "", html)
    assert not re.search(r"https?:|//|@import|url\(", without_pictures)
    pictures = [base64.b64decode(address.split(",")[1]) for address in page.addresses]
    rejected = (tmp_path / "words.rejected.png").read_bytes()
    assert sum(picture == rejected for picture in pictures) == 1
    # Six histograms and two spectra for two kinds of page; 60 words of either set; those read wrongly, again.
    wrong = sum(len(read.misread()) for read in (evaluation.dataset_read, evaluation.real_read) if read)
    assert wrong > 0
    assert len(pictures) == 2 * 8 + 2 * 60 + wrong + 1


def test_a_link_beside_the_data_set_is_not_followed(
    write_words: Write, labels: list[str], tmp_path: Path
) -> None:
    dataset, real = write_words("words", labels), write_words("real", labels, first_seed=100)
    secret = tmp_path / "secret.png"
    Image.new("RGB", (20, 10), (9, 200, 30)).save(secret)
    (tmp_path / "words.rejected.png").symlink_to(secret)
    out = default_out(dataset)
    evaluate(dataset, real, out, count=60, ocr="none", features=())
    html = (out / "report.html").read_text(encoding="utf-8")
    assert base64.b64encode(secret.read_bytes()).decode() not in html


def test_a_report_that_is_passed_on_holds_no_real_crops(
    write_words: Write, labels: list[str], tmp_path: Path
) -> None:
    dataset, real = write_words("words", labels), write_words("real", labels, first_seed=100)
    whole, hidden = (
        evaluate(dataset, real, tmp_path / str(show), count=60, ocr=WidthOcr(), features=(), show_real=show)
        for show in (True, False)
    )
    pages = [
        Page((tmp_path / str(show) / "report.html").read_text(encoding="utf-8")) for show in (True, False)
    ]
    assert whole.real_read is not None
    assert hidden.real_read is not None
    taken = 60 + len(whole.real_read.misread())
    assert len(pages[1].addresses) == len(pages[0].addresses) - taken
    assert set(pages[1].addresses) < set(pages[0].addresses)
    assert hidden.to_json() == whole.to_json()


def test_metrics(write_words: Write, labels: list[str], tmp_path: Path) -> None:
    dataset, real = write_words("words", labels), write_words("real", labels, first_seed=100)
    evaluation = evaluate(dataset, real, tmp_path / "out", count=55, seed=3, ocr=WidthOcr(), features=())
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["settings"] == {"n": 55, "seed": 3, "ocr": "by width", "features": []}
    assert metrics["dataset"] == {
        "path": str(dataset), "images": 55, "of": 60, "labeled": 55, "skipped": {},
    }  # fmt: skip
    readable = metrics["readability"]["dataset"]
    assert readable["ocr"] == "by width"
    assert readable["words"] == 55
    read = evaluation.dataset_read
    assert read is not None
    assert readable["right"] == sum(word.distance == 0 for word in read.words) / 55
    similarities = [word.similarity for word in read.misread()]
    assert similarities == sorted(similarities)
    assert metrics["distances"] == {}
    assert metrics["spectrum"]["real"]["tiles"] >= 55
    assert 0 < metrics["spectrum"]["dataset"]["high_share"] < 0.1
    assert metrics["appearance"]["aspect"]["overlap"] == pytest.approx(1, abs=0.2)


def test_real_crops_without_labels(write_words: Write, labels: list[str], tmp_path: Path) -> None:
    real = write_words("real", [None] * 60, first_seed=100)
    evaluation = evaluate(
        write_words("words", labels), real, tmp_path / "o", count=60, ocr=WidthOcr(), features=()
    )
    assert evaluation.real_read is None
    assert "label length" not in evaluation.to_json()["appearance"]  # type: ignore[operator]
    assert "The real crops have no labels." in (tmp_path / "o" / "report.html").read_text(encoding="utf-8")


def refused(run: Callable[..., Result], *arguments: str | Path) -> str:
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    return result.stderr


def test_what_is_refused(
    run: Callable[..., Result], write_words: Write, labels: list[str], tmp_path: Path
) -> None:
    dataset, real = write_words("words", labels), write_words("real", labels, first_seed=100)
    few, mute = write_words("few", labels[:12]), write_words("mute", [None] * 60)
    none = tmp_path / "none"
    before = sorted(path.name for path in tmp_path.iterdir())  # and after: no folder of a report
    looks = ("--ocr", "none", "--features", "none")
    assert refused(run, none, "--real", real) == f"Error: No crops at {none}: it does not exist.\n"
    assert refused(run, dataset, "--real", none) == f"Error: No crops at {none}: it does not exist.\n"
    assert refused(run, dataset, "--real", dataset) == (
        f"Error: {dataset} and {dataset} hold the same images. Give real crops that the data set was "
        "not made from.\n"
    )
    assert refused(run, dataset, "--real", few, *looks) == (
        f"Error: {few} gives 12 usable images; an evaluation needs at least 50, and says little below 500.\n"
    )
    assert refused(run, mute, "--real", real) == (
        f"Error: {mute} has no labels, so nothing can be said about its readability. Give a labeled "
        "LMDB, or leave out OCR to compare looks alone.\n"
    )
    assert refused(run, dataset, "--real", real, "--features", "imagenet,vgg") == (
        "Error: There are no features 'vgg'. Use imagenet, ocr, or both with a comma.\n"
    )
    inside = dataset / "report"
    assert refused(run, dataset, "--real", real, "--out", inside) == (
        f"Error: The report {inside} would lie inside {dataset}, where it would be read as data. "
        "Choose another output folder.\n"
    )
    assert not inside.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["report.html", "metrics.json"])
def test_a_report_replaces_a_report_and_no_file_of_others(
    name: str, run: Callable[..., Result], write_words: Write, labels: list[str], tmp_path: Path
) -> None:
    dataset, real = write_words("words", labels), write_words("real", labels, first_seed=100)
    looks = ("--ocr", "none", "--features", "none")
    out = tmp_path / "experiment"
    out.mkdir()
    file = out / name
    file.write_text('{"accuracy": 0.91}', encoding="utf-8")
    assert refused(run, dataset, "--real", real, "--out", out, *looks) == (
        f"Error: {file} exists and was not written by an evaluation. Choose another output folder.\n"
    )
    assert file.read_text(encoding="utf-8") == '{"accuracy": 0.91}'
    assert [path.name for path in out.iterdir()] == [name]
    file.unlink()
    for seed in ("1", "2"):
        result = run(dataset, "--real", real, "--out", out, "--seed", seed, *looks)
        assert result.exit_code == 0, result.output
        assert json.loads((out / "metrics.json").read_text(encoding="utf-8"))["settings"]["seed"] == int(seed)


def test_missing_packages_are_named_before_any_work(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for module in ("rapidocr", "sklearn", "efficientnet_lite_pytorch"):
        monkeypatch.setitem(sys.modules, module, None)
    assert refused(run, tmp_path, "--real", tmp_path) == (
        "Error: siman-synth evaluate needs sklearn, rapidocr, efficientnet_lite_pytorch, not installed "
        'here. Run: pip install "siman-synth[evaluate]"\n'
    )


@pytest.mark.slow
def test_equal_bytes(write_words: Write, labels: list[str], tmp_path: Path) -> None:
    dataset, real = write_words("words", labels), write_words("real", labels, first_seed=100)
    pages = []
    for _ in range(2):
        evaluate(dataset, real, tmp_path / "out", count=55, seed=3, ocr=WidthOcr(), features="imagenet")
        pages.append((tmp_path / "out" / "report.html").read_bytes())
    assert pages[0] == pages[1]


@pytest.mark.slow
def test_from_the_command_line_with_every_network(
    run: Callable[..., Result], write_words: Write, labels: list[str], tmp_path: Path
) -> None:
    dataset, real = write_words("words", labels), write_words("real", labels, first_seed=100, height=48)
    result = run(dataset, "--real", real)
    assert result.exit_code == 0, result.output
    assert result.output.endswith(f"report in {tmp_path / 'words.report' / 'report.html'}\n")
    metrics = json.loads((tmp_path / "words.report" / "metrics.json").read_text(encoding="utf-8"))
    for side in ("dataset", "real"):
        assert metrics["readability"][side]["right"] > 0.95
        assert metrics["readability"][side]["ocr"].startswith("PP-OCR")
    assert set(metrics["distances"]) == {"imagenet", "ocr"}
    for distance in metrics["distances"].values():
        assert (distance["vectors"], distance["half"]) == (60, 30)
        # The same words in the same way: no farther than real from real, give or take.
        assert distance["dataset"]["kid"]["low"] < distance["floor"]["kid"]["high"]
    page = Page((tmp_path / "words.report" / "report.html").read_text(encoding="utf-8"))
    assert "t-SNE of 60 real and 60 generated words" in page.text
    assert page.open == []


def test_there_is_no_such_ocr(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^There is no OCR 'tesseract'\. Use ppocr, none, or a recognizer"):
        evaluate(str(tmp_path / "words"), str(tmp_path / "real"), ocr="tesseract")
