"""Issue section 5: what `generate` says to bad corpora, crops, fonts, weights and settings."""

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image
from safetensors.numpy import save_file

from siman_synth.storage.lmdb_reader import LmdbReader

Run = Callable[..., Result]


def failure(result: Result) -> str:
    """Return the message of a command that refused: one line, exit status 1."""
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("Error: ").strip()


def labels(folder: Path) -> set[str | None]:
    with LmdbReader.open(folder) as reader:
        return {sample.label for sample in reader}


@pytest.fixture
def corpus(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "corpus.txt"
        path.write_bytes(content)
        return path

    return write


# Corpora.


def test_mark_line_ends_and_blank_lines(
    generate: Run, corpus: Callable[[bytes], Path], tmp_path: Path
) -> None:
    result = generate(corpus=corpus(b"\xef\xbb\xbfHarbour\r\n\r\n  \r\nStreet \r\n"), n="12")
    assert result.exit_code == 0, result.output
    assert labels(tmp_path / "out") == {"Harbour", "Street"}
    assert "skipped lines: 2 blank" in result.output


def test_not_utf8(generate: Run, corpus: Callable[[bytes], Path], tmp_path: Path) -> None:
    path = corpus(b"Harbour\nStra\xdfe\n")
    assert failure(generate(corpus=path)) == (
        f"Corpus {path} is not UTF-8: byte 0xdf in line 2, at byte offset 12. Save it as UTF-8."
    )
    assert not (tmp_path / "out.run").exists()
    path = corpus("Harbour".encode("utf-16"))
    assert failure(generate(corpus=path)).endswith("It looks like UTF-16; save it as UTF-8.")


def test_characters_that_no_font_draws(
    generate: Run, corpus: Callable[[bytes], Path], tmp_path: Path
) -> None:
    result = generate(corpus=corpus("Harbour\nStreet\n\u4e00\nx\u4e01\n".encode()), n="20", fonts="oswald")
    assert result.exit_code == 0, result.output
    assert labels(tmp_path / "out") == {"Harbour", "Street"}
    assert (
        "skipped characters: 2 that no font draws ('\u4e00' (U+4E00), '\u4e01' (U+4E01))\n" in result.output
    )
    assert "rejected and resampled: " in result.output


def test_no_word_can_be_drawn(generate: Run, corpus: Callable[[bytes], Path]) -> None:
    message = failure(generate(corpus=corpus("\u4e00\n\u4e01\n".encode()), fonts="oswald"))
    assert message.startswith("None of the first 64 words can be drawn. The first: ")
    assert "(U+4E0" in message
    assert message.endswith("Use all bundled fonts or drop the word.")


def test_words_that_are_too_long(generate: Run, corpus: Callable[[bytes], Path], tmp_path: Path) -> None:
    path = corpus(b"Harbour\n" + b"a" * 26 + b"\n" + b"b" * 25 + b"\n")
    result = generate(corpus=path, n="20")
    assert result.exit_code == 0, result.output
    assert labels(tmp_path / "out") == {"Harbour", "b" * 25}
    assert "skipped lines: 1 longer than 25 characters" in result.output


@pytest.mark.parametrize("content", [b"", b"\n \n", b"a" * 26])
def test_nothing_left(content: bytes, generate: Run, corpus: Callable[[bytes], Path]) -> None:
    path = corpus(content)
    message = failure(generate(corpus=path))
    assert message.startswith(f"Corpus {path} has no usable line: ")
    assert message.endswith("Give one word a line, in UTF-8.")


def test_unknown_corpora(generate: Run, tmp_path: Path) -> None:
    message = failure(generate(corpus="englsh"))
    assert message.startswith("No corpus 'englsh': it is neither a file nor one of ")
    assert "Did you mean 'english'" in message
    assert failure(generate(corpus=tmp_path)) == (
        f"Corpus {tmp_path} is a folder. Give a text file with one word a line."
    )


# Crops.


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it holds 60,000 x 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    body = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


@pytest.fixture
def zoo(crop_folder: Path, tmp_path: Path) -> Path:
    """Crops of every kind that can be used, and of every kind that cannot."""
    folder = tmp_path / "zoo"
    folder.mkdir()
    image = Image.open(crop_folder / "crop00.png").convert("RGB")
    gray = np.asarray(image.convert("L"))
    image.convert("L").save(folder / "good-gray.png")
    image.convert("RGBA").save(folder / "good-rgba.png")
    image.convert("CMYK").save(folder / "good-cmyk.jpg")
    image.convert("P").save(folder / "good-palette.png")
    Image.fromarray(gray.astype(np.uint16) * 257).save(folder / "good-16-bit.png")
    image.save(folder / "png.png")
    (folder / "png.png").rename(folder / "good-png-named.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.rotate(90, expand=True).save(folder / "good-rotated.jpg", exif=exif)
    image.rotate(90, expand=True).save(folder / "bad-tall.png")
    (folder / "bad-half.png").write_bytes((crop_folder / "crop01.png").read_bytes()[:700])
    (folder / "bad-empty.png").touch()
    (folder / "bad-text.jpg").write_text("this is no image")
    (folder / "bad-note.docx").write_text("notes")
    Image.new("RGB", (1, 1)).save(folder / "bad-dot.png")
    (folder / "bad-bomb.png").write_bytes(bomb())
    return folder


def test_good_crops_are_used_and_bad_ones_are_counted_and_named(
    generate: Run, zoo: Path, tmp_path: Path
) -> None:
    result = generate(styles=zoo, n="60")
    assert result.exit_code == 0, result.output
    with LmdbReader.open(tmp_path / "out") as reader:
        used = {(sample.meta or {})["style"] for sample in reader}
    assert used == {path.name for path in zoo.glob("good-*")}
    lines = [line for line in result.output.splitlines() if line.startswith("skipped")]
    assert sorted(lines) == [
        "skipped crops: 1 not an image (bad-text.jpg)",
        "skipped crops: 1 not an image file (bad-note.docx)",
        "skipped crops: 1 taller than wide (bad-tall.png)",
        "skipped crops: 1 too large (bad-bomb.png)",
        "skipped crops: 1 too small (bad-dot.png)",
        "skipped crops: 1 truncated (bad-half.png)",
        "skipped crops: 1 zero bytes (bad-empty.png)",
    ]
    summary = json.loads((tmp_path / "out.summary.json").read_text())
    assert summary["skipped"]["crops"]["zero bytes"] == {"count": 1, "examples": ["bad-empty.png"]}


def test_no_crop_is_usable(generate: Run, zoo: Path) -> None:
    for path in zoo.glob("good-*"):
        path.unlink()
    assert failure(generate(styles=zoo)) == (
        f"None of the 6 crops in {zoo} can be used: 1 not an image (bad-text.jpg); "
        "1 taller than wide (bad-tall.png); 1 too large (bad-bomb.png); 1 too small (bad-dot.png); "
        "1 truncated (bad-half.png); 1 zero bytes (bad-empty.png). "
        "Give crops that are images of one word each, wider than high."
    )


def test_no_crop_is_there(generate: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert failure(generate(styles=tmp_path / "empty")).startswith(f"No crops in {tmp_path / 'empty'}: ")
    assert failure(generate(styles="no-such")) == (
        "No styles 'no-such': there is no such folder, list file or LMDB. "
        "Name one, or 'bundled' for the crops that ship with siman-synth."
    )


# Fonts.


@pytest.fixture
def fonts(tmp_path: Path) -> Path:
    """A broken font, a bitmap font, and one whose 'b' is listed but blank."""
    folder = tmp_path / "fonts"
    folder.mkdir()
    (folder / "broken.ttf").write_bytes(b"\0\1\0\0" + bytes(50))
    (folder / "bitmap.bdf").write_text("STARTFONT 2.1\nENDFONT\n")
    builder = FontBuilder(1000)
    pen = TTGlyphPen(None)
    for points in ([(100, 0), (100, 700), (300, 700), (300, 0)],):
        pen.moveTo(points[0])
        for point in points[1:]:
            pen.lineTo(point)
        pen.closePath()
    bar, blank = pen.glyph(), TTGlyphPen(None).glyph()
    wide = TTGlyphPen(None)
    wide.moveTo((0, 0))
    wide.lineTo((0, 400))
    wide.lineTo((600, 0))
    wide.closePath()
    builder.setupGlyphOrder([".notdef", "a", "b"])
    builder.setupCharacterMap({ord("a"): "a", ord("b"): "b"})
    builder.setupGlyf({".notdef": wide.glyph(), "a": bar, "b": blank})
    builder.setupHorizontalMetrics(dict.fromkeys((".notdef", "a", "b"), (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Half Blank", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200)
    builder.setupPost()
    builder.save(folder / "half.ttf")
    return folder


def test_bad_fonts_are_counted_and_blank_glyphs_not_drawn(
    generate: Run, fonts: Path, corpus: Callable[[bytes], Path], tmp_path: Path
) -> None:
    words = corpus(b"a\nb\naa\nab\n")
    result = generate("--set", "text.mix_user_case=never", fonts=fonts, corpus=words, n="12")
    assert result.exit_code == 0, result.output
    assert labels(tmp_path / "out") == {"a", "aa"}
    assert "skipped characters: 1 that no font draws ('b' (U+0062))" in result.output
    skipped = [line for line in result.output.splitlines() if line.startswith("skipped fonts: ")]
    assert any("broken.ttf" in line for line in skipped)
    assert any("bitmap.bdf" in line for line in skipped)


def test_no_font_is_usable(generate: Run, fonts: Path) -> None:
    (fonts / "half.ttf").unlink()
    message = failure(generate(fonts=fonts))
    assert message.startswith(f"No usable font in {fonts}: ")
    assert "broken.ttf" in message
    assert "bitmap.bdf" in message


def test_unknown_font(generate: Run) -> None:
    assert failure(generate(fonts="Osswald")) == (
        "No font 'Osswald': it is neither a bundled family, a font file nor a folder. Did you mean 'Oswald'?"
    )


# Weights.


def test_missing_and_damaged_weights(generate: Run, tiny_weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    assert failure(generate(weights=path)) == (
        f"No weights file {path}. Train one with `siman-synth pretrain`, or use the bundled weights."
    )
    for content in (b"", tiny_weights.read_bytes()[:5000], b"\x80\x02}q\0."):
        path.write_bytes(content)
        message = failure(generate(weights=path))
        assert message.startswith(f"Weights file {path} is damaged or not safetensors (")
        assert message.endswith("). Copy it again or export it anew.")


def test_weights_of_others_and_of_other_versions(generate: Run, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    tensors = {"x": np.zeros(2, np.float32)}
    save_file(tensors, path)
    assert failure(generate(weights=path)) == (
        f"Weights file {path} was not written by siman-synth (its format is 'not stated'). "
        "Pass a file exported by `siman-synth pretrain`."
    )
    metadata = {"format": "siman-synth generator", "format_version": "7", "config": "{}"}
    save_file(tensors, path, metadata)
    assert failure(generate(weights=path)).startswith(
        f"Weights file {path} has format version 7; this siman-synth reads version 1."
    )
    save_file(tensors, path, metadata | {"format_version": "1"})
    assert failure(generate(weights=path)).startswith(
        f"Weights file {path} does not hold the network that it describes: "
    )


# Settings.


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "execution.shard_sise=5",
            "unknown key 'execution.shard_sise'. Did you mean 'execution.shard_size'?",
        ),
        ("heigth_px=32", "unknown key 'heigth_px'. Did you mean 'height_px'?"),
        (
            "render.height_px=48",
            "unknown key 'render.height_px'. Did you mean 'height_px' or 'style.height_px'?",
        ),
        ("min_letter=0.5", "unknown key 'min_letter'. Did you mean 'gate.min_letter'?"),
        ("height_px=30", "height_px must be a multiple of 4, between 16 and 128, found 30."),
        ("finish.image_format=tiff", "finish.image_format must be one of ('jpeg', 'png'), found 'tiff'."),
        (
            "finish.jpeg_quality=[90,60]",
            "jpeg_quality must be two values from 1 to 100, low then high, found (90, 60).",
        ),
        ("execution.batch_size=many", "execution.batch_size must be a whole number, found 'many'."),
    ],
)
def test_bad_settings(generate: Run, setting: str, message: str) -> None:
    assert failure(generate("--set", setting)).endswith(message)


def test_bad_overrides_recipes_and_devices(generate: Run, tmp_path: Path) -> None:
    assert failure(generate("--set", "height_px")) == (
        "A setting is changed by KEY=VALUE, such as training.steps=500; found 'height_px'."
    )
    message = failure(generate(recipe="roughh"))
    assert message.startswith("No recipe 'roughh': it is neither a file nor one of the bundled recipes (")
    recipe = tmp_path / "r.toml"
    recipe.write_text("height_px = \n")
    assert failure(generate(recipe=recipe)).startswith(f"Recipe {recipe} is not valid TOML: ")
    assert failure(generate(device="gpu")) == "Unknown device 'gpu'. Use auto, cpu or cuda."
    assert failure(generate(device="mps")) == "Unsupported device 'mps'. Use auto, cpu or cuda."


@pytest.mark.parametrize("recipe", ["default", "rough", "straight"])
def test_bundled_recipes_are_valid(generate: Run, recipe: str) -> None:
    result = generate("--dry-run", recipe=recipe)
    assert result.exit_code == 0, result.output


# Outputs.


def test_existing_and_unwritable_outputs(generate: Run, tmp_path: Path) -> None:
    assert generate().exit_code == 0
    out = tmp_path / "out"
    assert (
        failure(generate()) == f"{out} exists already. Choose another output folder, or overwrite this one."
    )
    result = generate("--resume")
    assert (result.exit_code, result.output) == (0, f"6 samples in {out}\nall of them were made earlier\n")
    assert generate("--overwrite", n="3").exit_code == 0
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "out"
    assert (
        failure(generate(out=below))
        == f"Cannot write beside {below}: Not a directory. Choose another output folder."
    )
    assert generate(out=tmp_path / "file").exit_code == 2


def test_existing_output_is_reported_before_anything_is_loaded(
    generate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "data.mdb").touch()
    monkeypatch.setattr("siman_synth.runs.generate.check_inputs", None)
    assert "exists already" in failure(generate())


def test_dry_run_checks_and_writes_nothing(generate: Run, zoo: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    result = generate("--dry-run", "--set", "finish.full_chroma=0.25", styles=zoo)
    assert result.exit_code == 0
    assert "full_chroma = 0.25\n" in result.output
    assert "# 7 styles, " in result.output
    assert "# skipped crops: 1 truncated (bad-half.png)\n" in result.output
    fingerprint = result.output.splitlines()[-1]
    assert fingerprint.startswith("# fingerprint ")
    assert sorted(tmp_path.iterdir()) == before
    assert generate("--set", "finish.full_chroma=0.25", styles=zoo).exit_code == 0
    summary = json.loads((tmp_path / "out.summary.json").read_text())
    assert fingerprint == f"# fingerprint {summary['fingerprint']}"
    assert failure(generate("--dry-run", corpus="nope")).startswith("No corpus 'nope'")


def test_the_output_of_a_dry_run_is_a_recipe(generate: Run, tmp_path: Path) -> None:
    first = generate("--dry-run", "--set", "height_px=48").output
    recipe = tmp_path / "mine.toml"
    recipe.write_text(first, encoding="utf-8")
    assert generate("--dry-run", recipe=recipe).output == first


@pytest.mark.parametrize("name", ["corpus", "styles", "fonts", "weights", "recipe", "out", "language"])
def test_an_empty_argument_is_named(generate: Run, tmp_path: Path, name: str) -> None:
    """A variable of the shell that is not set must not become the folder at hand, or the default."""
    result = generate(**{name: ""})
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (f"Error: --{name} is empty. Give it a value, or leave it away.")
    assert not (tmp_path / "out").exists()


def test_an_empty_argument_is_named_however_it_is_written(invoke: Run) -> None:
    for arguments, what in (
        (["inspect", ""], "An argument"),
        (["generate", "--n", "3", "--styles="], "--styles"),
    ):
        result = invoke(*arguments)
        assert result.exit_code == 2
        assert result.stderr.splitlines()[-1].startswith(f"Error: {what} is empty. ")


@pytest.mark.parametrize(("name", "value"), [("gate-edits", "2"), ("gate-unjudged", "pass")])
def test_options_of_a_gate_that_is_not_asked_for_are_refused(generate: Run, name: str, value: str) -> None:
    result = generate(f"--{name}", value)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        f"Error: --{name} is for --gate readable; no other gate asks OCR."
    )
