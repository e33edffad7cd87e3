"""How well are words edited? Words of labeled crops replaced by themselves, and by others.

    python pretrain/experiments/editing.py self CROPS.lmdb --n 300
    python pretrain/experiments/editing.py words CROPS.lmdb --n 400
    python pretrain/experiments/editing.py fonts CROPS.lmdb --n 200
    python pretrain/experiments/editing.py paper CROPS.lmdb --n 1000
    python pretrain/experiments/editing.py swap CROPS.lmdb --pairs 100

`self` needs no paired data: the word of a crop is replaced by itself, and the picture should not change.
Mean squared error, PSNR and MS-SSIM are computed as MOSTEL and TextCtrl do: on RGB in [0, 1], averaged over
images; MS-SSIM of five scales on luma, windows of 11 px or the picture's side. `words` replaces a word by
the word of another crop, and OCR reads it. `fonts` writes words in known fonts and the crops' styles, and
asks which font the matcher finds. `paper` is the protocol of the paper's table 2, `swap` exchanges the
words of two crops. Results are in pretrain/RESULTS.md.
"""

import itertools
import time
from collections import defaultdict
from pathlib import Path

import click
import cv2
import numpy as np
from edit_measures import Measurements, drawn_crops, similarity, writable
from edit_styles import paper, swap
from tqdm import tqdm

from siman_synth.config import load_config
from siman_synth.editing.editor import EditResult, TextEditor
from siman_synth.errors import SimanError
from siman_synth.imaging.contact_sheet import contact_sheet
from siman_synth.imaging.resize import resize
from siman_synth.ocr.comparison import comparable, edit_similarity
from siman_synth.ocr.ppocr import PpOcr
from siman_synth.render.fonts import FontLibrary
from siman_synth.resources import resource_folder
from siman_synth.seeding import sample_rng
from siman_synth.synthesis.config import GenerateConfig, StyleConfig
from siman_synth.synthesis.style import Style
from siman_synth.synthesis.synthesizer import Synthesizer

_RATIOS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
_ANY = StyleConfig(min_aspect=0.0, min_contrast=0)


@click.group(cls=Measurements)
def main() -> None:
    """Measure edits on labeled crops."""


main.add_command(paper)
main.add_command(swap)


@main.command("self")
@click.argument("crops", type=click.Path(path_type=Path))
@click.option("--n", "count", type=click.IntRange(1), default=300, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--weights", type=click.Path(path_type=Path), help="A model  [default: bundled]")
@click.option(
    "--sheet", type=click.Path(path_type=Path), callback=writable, help="A picture of the first crops."
)
def self_edit(crops: Path, count: int, seed: int, weights: Path | None, sheet: Path | None) -> None:
    """Replace words by themselves, in several ways."""
    fonts = FontLibrary.open()
    synthesizer = Synthesizer.load(weights, "cpu", fonts)
    ocr = PpOcr.load()
    matched = TextEditor(synthesizer, fonts, ocr, tries=1)
    shaded = TextEditor(synthesizer, fonts, ocr, colours="shaded", tries=1)
    painted = TextEditor(synthesizer, fonts, ocr, colours="network", tries=1)
    rows: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    shown: list[np.ndarray] = []
    failed = 0
    for image, label, number in drawn_crops(crops, count, seed):
        rng = sample_rng(seed, "font", number)
        try:
            random = fonts.choose(label, rng).id
            results = {
                "matched font, ground kept": matched.edit(image, None, label, old=label),
                "the same, ink shaded by the network": shaded.edit(image, None, label, old=label),
                "the same, ink coloured by the network": painted.edit(image, None, label, old=label),
                "random font, ground kept": matched.edit(image, None, label, old=label, font=random),
            }
        except SimanError:
            failed += 1
            continue
        pictures = {name: result.image for name, result in results.items()}
        for kind in ("matched", "random"):
            pictures[f"{kind} font, all repainted by the network"] = _repainted(
                synthesizer, image, results[f"{kind} font, ground kept"]
            )
        pictures["plain render in mean colours"] = _plain(image, results["random font, ground kept"])
        pictures["the crop itself"] = image
        for name, picture in pictures.items():
            reading = ocr.read([picture])[0].text
            right = float(comparable(reading) == comparable(label))
            near = edit_similarity(comparable(reading), comparable(label))
            rows[name].append((*similarity(picture, image), right, near))
        if len(shown) < 60:
            shown.append(np.vstack(list(pictures.values())))
    if not rows:
        raise click.ClickException(f"None of {failed} words could be written: no font draws it, or no room.")
    print(f"{len(rows['the crop itself'])} crops, {failed} left out: no font draws the label, or too wide")
    print("| row | MSE x 100 | PSNR | MS-SSIM | read | 1 - NED |\n|---|---|---|---|---|---|")
    for name, values in rows.items():
        mse, psnr, ssim, right, near = np.mean(values, axis=0)
        told = "- | - | -" if name == "the crop itself" else f"{100 * mse:.2f} | {psnr:.2f} | {ssim:.3f}"
        print(f"| {name} | {told} | {right:.1%} | {near:.3f} |")
    if sheet is not None:
        contact_sheet(shown, row_height_px=260, width_px=1800).save(sheet)


@main.command("words")
@click.argument("crops", type=click.Path(path_type=Path))
@click.option("--n", "count", type=click.IntRange(1), default=400, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--weights", type=click.Path(path_type=Path), help="A model  [default: bundled]")
@click.option("--tries", default=3, show_default=True, help="How often a misread word is written.")
@click.option(
    "--sheet",
    type=click.Path(path_type=Path),
    callback=writable,
    help="A picture of words that were misread.",
)
def words(crops: Path, count: int, seed: int, weights: Path | None, tries: int, sheet: Path | None) -> None:
    """Replace words by words of other crops, and read them."""
    fonts = FontLibrary.open()
    editor = TextEditor(Synthesizer.load(weights, "cpu", fonts), fonts, PpOcr.load(), tries=tries)
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    wrong: list[np.ndarray] = []
    captions: list[str] = []
    failures: dict[str, int] = defaultdict(int)
    changed_outside = 0
    seconds: list[float] = []
    taken = [(image, label) for image, label, _ in drawn_crops(crops, count, seed)]
    labels = [label for _, label in taken]
    for number, (image, label) in enumerate(tqdm(taken, desc="editing", unit="word", disable=None)):
        rng = sample_rng(seed, "word", number)
        ratio_wanted = float(rng.uniform(_RATIOS[0], _RATIOS[-1]))
        others = [other for other in labels if other != label and other.isupper() == label.isupper()]
        if not others:
            continue
        word = min(
            (others[i] for i in rng.permutation(len(others))),
            key=lambda other: abs(len(other) / len(label) - ratio_wanted),
        )
        ratio = len(word) / len(label)
        framed = cv2.copyMakeBorder(image, 8, 8, 8, 8, cv2.BORDER_REPLICATE)
        height, width = image.shape[:2]
        corners = [(8, 8), (8 + width, 8), (8 + width, 8 + height), (8, 8 + height)]
        started = time.process_time()
        try:
            result = editor.edit(framed, corners, word, old=label)
        except SimanError as error:
            failures[str(error).split(":")[0].split("'")[-1]] += 1
            continue
        seconds.append(time.process_time() - started)
        assert result.reading is not None
        outside = framed.copy()
        outside[8 : 8 + height, 8 : 8 + width] = result.image[8 : 8 + height, 8 : 8 + width]
        changed_outside += int((outside != result.image).sum())
        right = float(bool(result.is_read))
        similar = edit_similarity(comparable(result.reading.text), comparable(word))
        for low, high in itertools.pairwise(_RATIOS):
            if low <= ratio < high:
                found[f"{low:g} to {high:g}"].append((right, similar))
        found["all up to 1.5" if ratio <= 1.5 else "longer"].append((right, similar))
        if not right and len(wrong) < 80:
            wrong.append(np.vstack([image, result.image[8 : 8 + height, 8 : 8 + width]]))
            captions.append(f"{label} > {word}: {result.reading.text}")
    if not seconds:
        raise click.ClickException(
            f"None of {len(taken)} words could be replaced by another one, in capitals if it is. Not made: "
            f"{dict(failures)}."
        )
    print(
        f"{len(seconds)} edits, {np.mean(seconds):.2f} s of processor time each; not made: {dict(failures)}"
    )
    print(f"values changed outside: {changed_outside}")
    print("| letters, new to old | words | read | 1 - NED |\n|---|---|---|---|")
    for name in sorted(found):
        right, similar = np.mean(found[name], axis=0)
        print(f"| {name} | {len(found[name])} | {right:.1%} | {similar:.3f} |")
    if sheet is not None:
        contact_sheet(wrong, captions, row_height_px=120, width_px=1800).save(sheet)


@main.command("fonts")
@click.argument("crops", type=click.Path(path_type=Path))
@click.option("--n", "count", type=click.IntRange(1), default=200, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--weights", type=click.Path(path_type=Path), help="A model  [default: bundled]")
@click.option("--recipe", default="straight", show_default=True, help="How the words are drawn.")
@click.option("--blind", is_flag=True, help="Do not say what the words are.")
def match_fonts(crops: Path, count: int, seed: int, weights: Path | None, recipe: str, blind: bool) -> None:
    """Write words of the crops in fonts drawn at random and in the crops' styles; which fonts are found?"""
    fonts = FontLibrary.open()
    config = load_config(GenerateConfig, recipe, (), resource_folder("recipes"))
    synthesizer = Synthesizer.load(weights, "cpu", fonts, config)
    editor = TextEditor(synthesizer, fonts, None if blind else PpOcr.load(), tries=1)
    rows: list[tuple[bool, ...]] = []
    for image, label, number in drawn_crops(crops, count, seed):
        style = Style.from_image(image, "crop", 32, _ANY)
        try:
            word = synthesizer.synthesize(label, style, seed=derived(seed, number))
            result = editor.edit(word.image, None, label, old=None if blind else label)
        except SimanError:
            continue
        true = fonts.font(word.plan.font)
        first_five = {fonts.font(name).family for name, _ in result.ranking[:5]}
        rows.append(
            (
                result.font.id == true.id,
                result.font.family == true.family,
                result.font.kind == true.kind,
                true.family in first_five,
            )
        )
    if not rows:
        raise click.ClickException("No word could be written and edited: no font draws it, or no room.")
    shares = np.mean(rows, axis=0)
    names = ("file", "family", "kind", "family among five")
    told = ", ".join(f"{name} {share:.1%}" for name, share in zip(names, shares, strict=True))
    print(f"{len(rows)} words, found first: {told}")


def derived(seed: int, number: int) -> int:
    """Return the seed of a word."""
    return int(sample_rng(seed, "render", number).integers(2**31))


def _repainted(synthesizer: Synthesizer, image: np.ndarray, result: EditResult) -> np.ndarray:
    """Return what the network alone makes of the word's mask: ground and ink, at its own scale."""
    height, width = image.shape[:2]
    style = Style.from_image(image, "crop", 32, _ANY)
    mask = resize(result.word, max(4, round(width * 32 / height / 4) * 4), 32)
    return resize(synthesizer.restyle([mask], [style])[0], width, height, cv2.INTER_CUBIC)


def _plain(image: np.ndarray, result: EditResult) -> np.ndarray:
    """Return the word in two flat colours: the means of its ink and of what lies around it."""
    alpha = result.word[..., None] / 255.0
    ink = (result.image * alpha).sum((0, 1)) / max(alpha.sum(), 1e-6)
    ground = (image * (1 - alpha)).sum((0, 1)) / max((1 - alpha).sum(), 1e-6)
    return np.rint(alpha * ink + (1 - alpha) * ground).astype(np.uint8)


if __name__ == "__main__":
    main()
