"""How well are other words written in the styles of real crops? Two commands of `editing.py`."""

import contextlib
import itertools
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from edit_measures import drawn_crops, writable
from tqdm import tqdm

from siman_synth.config import load_config
from siman_synth.editing.editor import TextEditor
from siman_synth.editing.errors import EditError
from siman_synth.errors import SimanError
from siman_synth.evaluation.features import FeatureExtractor, load_features
from siman_synth.evaluation.style import style_distance
from siman_synth.imaging.contact_sheet import contact_sheet
from siman_synth.imaging.resize import resize
from siman_synth.ocr.comparison import comparable
from siman_synth.ocr.ppocr import PpOcr
from siman_synth.render.fonts import FontLibrary
from siman_synth.resources import resource_folder
from siman_synth.seeding import sample_rng
from siman_synth.synthesis.config import GenerateConfig, StyleConfig
from siman_synth.synthesis.style import Style
from siman_synth.synthesis.synthesizer import Synthesizer
from siman_synth.text.corpus import Corpus

_ANY = StyleConfig(min_aspect=0.0, min_contrast=0)
_CLEAN_PX, _CLEAN_SCORE = 24, 0.9
_FEATURES_PX = 32
_MOST_RATIO = 1.5
_RATIOS = (0.0, 0.5, 0.75, 1.0, 1.5, 2.0, np.inf)
_SHOWN = 48


@click.command()
@click.argument("crops", type=click.Path(path_type=Path))
@click.option("--n", "count", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--corpus", default="english", show_default=True, help="The dictionary.")
@click.option("--weights", type=click.Path(path_type=Path), help="A model  [default: bundled]")
@click.option(
    "--sheet",
    type=click.Path(path_type=Path),
    callback=writable,
    help="A picture of crops, edits and painted words.",
)
def paper(crops: Path, count: int, seed: int, corpus: str, weights: Path | None, sheet: Path | None) -> None:
    """Write words of a dictionary in the styles of clean crops, as in table 2 of the paper.

    A word goes into a crop drawn from those whose word has at least two thirds as many letters. Clean is what
    is at least 24 px high and read right with a score of at least 0.9. The Fréchet distance is that of
    EfficientNet-Lite0's features (`siman_synth.evaluation.features`), between halves of the clean crops and
    equally many others.
    """
    fonts, ocr = FontLibrary.open(), PpOcr.load()
    config = load_config(GenerateConfig, "straight", (), resource_folder("recipes"))
    synthesizer = Synthesizer.load(weights, "cpu", fonts, config)
    editor = TextEditor(synthesizer, fonts, None)
    clean = [
        (image, label) for image, label, _ in drawn_crops(crops, None, seed) if _is_clean(image, label, ocr)
    ]
    dictionary = Corpus.open(corpus)
    pictures: dict[str, list[np.ndarray]] = defaultdict(list)
    words: dict[str, list[str]] = defaultdict(list)
    shown: list[np.ndarray] = []
    for number in tqdm(range(count), desc="writing", unit="word", disable=None):
        rng = sample_rng(seed, "word", number)
        word = dictionary.draw(rng)
        roomy = [one for one in clean if len(word) <= _MOST_RATIO * len(one[1])]
        if not roomy:
            raise click.ClickException(
                f"None of {len(clean)} clean crops has room for '{word}': their words are too short."
            )
        image, label = roomy[int(rng.integers(len(roomy)))]
        word = _cased(word, label)
        made = {}
        with contextlib.suppress(EditError):  # it does not fit
            made["edited"] = editor.edit(image, None, word, old=label).image
        style = Style.from_image(image, "crop", _FEATURES_PX, _ANY)
        made["painted by SimAN, font at random"] = synthesizer.synthesize(word, style, seed=number).image
        for name, picture in made.items():
            pictures[name].append(picture)
            words[name].append(word)
        if len(shown) < _SHOWN and len(made) == 2:
            height, width = image.shape[:2]
            column = [resize(one, width, height) for one in made.values()]
            shown.append(np.vstack([image, *column]))
    real = [image for image, _ in clean]
    pictures["clean crops"], words["clean crops"] = real, [label for _, label in clean]
    extract = load_features("imagenet", 1)
    equal = min(map(len, pictures.values()))  # the distance depends on how many there are
    features = {name: _features(extract, images[:equal]) for name, images in pictures.items()}
    print(f"{len(clean)} clean crops; {len(pictures['edited'])} of {count} words fit into their crops")
    print("| row | words | read | Fréchet distance | 95 % |\n|---|---|---|---|---|")
    for name, images in pictures.items():
        right = _right(ocr, images, words[name])
        told = style_distance(name, features["clean crops"], features[name], sample_rng(seed, "halves", 0))
        apart = (told.floor if name == "clean crops" else told.dataset).frechet
        interval = f"{apart.low:.1f} to {apart.high:.1f}"
        print(f"| {name} | {len(images)} | {np.mean(right):.1%} | {apart.mean:.1f} | {interval} |")
    if sheet is not None:
        contact_sheet(shown, row_height_px=150, width_px=1800).save(sheet)


@click.command()
@click.argument("crops", type=click.Path(path_type=Path))
@click.option("--pairs", type=click.IntRange(1), default=100, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--weights", type=click.Path(path_type=Path), help="A model  [default: bundled]")
@click.option(
    "--sheet", type=click.Path(path_type=Path), callback=writable, help="A picture of the first pairs."
)
def swap(crops: Path, pairs: int, seed: int, weights: Path | None, sheet: Path | None) -> None:
    """Exchange the words of two crops.

    The distance of style is that of the features of `paper`: of an edited crop from what it was, and from
    the crop whose word it got, as shares of the mean distance of two crops.
    """
    fonts, ocr = FontLibrary.open(), PpOcr.load()
    editor = TextEditor(Synthesizer.load(weights, "cpu", fonts), fonts, ocr)
    taken = [(image, label) for image, label, _ in drawn_crops(crops, 2 * pairs, seed)]
    if len(taken) == 1:
        raise click.ClickException(
            f"{crops} holds one crop that can be edited. Words are swapped between two."
        )
    extract = load_features("imagenet", 1)
    seen = _features(extract, [image for image, _ in taken])
    apart = float(np.mean([_distance(one, other) for one, other in itertools.pairwise(seen)]))
    rows: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    shown: list[np.ndarray] = []
    unmade = 0
    for number in tqdm(range(len(taken)), desc="swapping", unit="word", disable=None):
        partner = number ^ 1
        if partner == len(taken):
            break
        (image, label), (_, word) = taken[number], taken[partner]
        try:
            result = editor.edit(image, None, word, old=label)
        except SimanError:
            unmade += 1
            continue
        look = _features(extract, [result.image])[0]
        row = (
            float(bool(result.is_read)),
            _distance(look, seen[number]) / apart,
            _distance(look, seen[partner]) / apart,
        )
        ratio = len(word) / len(label)
        for low, high in itertools.pairwise(_RATIOS):
            if low <= ratio < high:
                rows[f"{low:g} to {high:g}"].append(row)
        rows["all"].append(row)
        if len(shown) < _SHOWN:
            shown.append(np.vstack([image, result.image]))
    if not rows:
        raise click.ClickException(f"None of {unmade} words fits in the other's place.")
    right = _right(ocr, [image for image, _ in taken], [label for _, label in taken])
    print(
        f"{len(rows['all'])} edits, {unmade} not made; of the crops themselves {np.mean(right):.1%} are read"
    )
    print(
        "| letters, new to old | words | read | from its own crop | from the word's |\n|---|---|---|---|---|"
    )
    for name in sorted(rows):
        read, own, other = np.mean(rows[name], axis=0)
        print(f"| {name} | {len(rows[name])} | {read:.1%} | {own:.2f} | {other:.2f} |")
    if sheet is not None:
        contact_sheet(shown, row_height_px=120, width_px=1800).save(sheet)


def _is_clean(image: np.ndarray, label: str, ocr: PpOcr) -> bool:
    if image.shape[0] < _CLEAN_PX:
        return False
    reading = ocr.read([image])[0]
    return reading.score >= _CLEAN_SCORE and comparable(reading.text) == comparable(label)


def _cased(word: str, like: str) -> str:
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[:1].isupper() else word


def _right(ocr: PpOcr, images: Sequence[np.ndarray], words: Sequence[str]) -> list[bool]:
    readings = ocr.read(images)
    return [comparable(one.text) == comparable(word) for one, word in zip(readings, words, strict=True)]


def _features(extract: FeatureExtractor, images: Sequence[np.ndarray]) -> np.ndarray:
    def of_height(image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        return resize(image, max(8, round(width * _FEATURES_PX / height)), _FEATURES_PX)

    return np.stack(extract([of_height(image) for image in images])).astype(np.float64)


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.linalg.norm(one - other))
