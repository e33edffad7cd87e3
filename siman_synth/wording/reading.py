"""Reading a bounded, random part of a pool of crops."""

import unicodedata
from collections import Counter
from collections.abc import Mapping

import numpy as np
from tqdm import tqdm

from siman_synth import stopping
from siman_synth.crops.pool import CropPool, none_usable_error
from siman_synth.errors import CropError
from siman_synth.escaping import printable
from siman_synth.imaging.resize import shrink_to_height
from siman_synth.limits import check_share, require_whole
from siman_synth.ocr.recognizer import Image, Ocr
from siman_synth.recognition.own_ocr import PPOCR, open_ocr
from siman_synth.seeding import sample_rng
from siman_synth.several import Names
from siman_synth.tally import Tally
from siman_synth.text.spaces import plain_spaces
from siman_synth.text.visible import length, needs_ink
from siman_synth.text.writing import writing_systems
from siman_synth.wording.abstraction import Wording, abstracted
from siman_synth.wording.result import CropWords

LIMIT = 2000
"""How many crops are read, unless told otherwise."""
MIN_SCORE = 0.95
"""How certain the OCR must be of a reading, from 0 to 1."""

_READS = 0.2
"""Share of crops that must be read with certainty; else the OCR does not read this script."""
_RARE_SCRIPT = 0.02
_KEPT_HEIGHT_PX = 96
_CHUNK = 64
_LETTER_ASPECT, _MARGIN_ASPECT = 0.5, 0.3
"""Widths in heights of a character, and of both margins together."""
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


@stopping.stops_at_checks()
def read_words(
    crops: CropPool | Names,
    *,
    limit: int = LIMIT,
    seed: int = 0,
    ocr: str | Ocr | None = PPOCR,
    min_score: float = MIN_SCORE,
) -> CropWords:
    """Read crops, and return what is written on them: words, patterns, lengths, letter case.

    Crops are drawn at random; the same arguments give the same words. Where the OCR is not asked, or
    reads too little with certainty, lengths are estimated from the widths of the crops, and there are
    no words.

    Args:
        crops: a pool, or a folder tree, list or LMDB, or several.
        limit: how many crops are read at most.
        seed: of the draw.
        ocr: "ppocr", the file of a recognizer of your own, an OCR, or None for none.
        min_score: least certainty of a reading.

    Raises:
        ConfigError: `limit`, `seed` or `min_score` is none.
        CropError: there are no crops, or none can be decoded.
        MissingPackageError: the OCR is not installed.
    """
    require_whole("limit", limit, 1)
    require_whole("seed", seed, 0)
    check_share("min_score", min_score)
    pool = crops if isinstance(crops, CropPool) else CropPool.open(crops)
    reader = open_ocr(ocr) if isinstance(ocr, str) else ocr
    skipped = Tally()
    images = _drawn(pool, limit, seed, skipped)
    if not images:
        raise none_usable_error(skipped, pool.place)
    widths = Counter(_characters_of(image) for image in images)
    if reader is None:
        return CropWords.without_words(len(images), widths, skipped)
    readings = _certain(images, reader, min_score, printable(" ".join(path.name for path in pool.paths)))
    if readings.total() < _READS * len(images):
        return CropWords.without_words(len(images), widths, skipped, reader.name, readings.total())
    return _told(_of_its_scripts(readings), len(images), skipped, reader.name)


def _told(readings: Counter[str], count: int, skipped: Tally, ocr: str) -> CropWords:
    wording: Wording = abstracted(readings)
    lengths: Counter[int] = Counter()
    for text, times in readings.items():
        lengths[length(text)] += times
    return CropWords(
        crops=count,
        read=readings.total(),
        ocr=ocr,
        readings=dict(sorted(readings.items())),
        words=wording.words,
        patterns=wording.patterns,
        lengths=dict(sorted(lengths.items())),
        case=_cases(readings),
        characters=_kinds(readings),
        spaced=sum(times for text, times in readings.items() if " " in text) / readings.total(),
        skipped=skipped,
    )


def _drawn(pool: CropPool, limit: int, seed: int, skipped: Tally) -> list[Image]:
    order = sample_rng(seed, "words of crops").permutation(len(pool))[:limit]
    images = []
    for index in np.sort(order).tolist():
        stopping.check()
        try:
            images.append(shrink_to_height(pool.decode(index), _KEPT_HEIGHT_PX))
        except CropError as error:
            skipped.add(error.reason, pool.name(index))
    return images


def _certain(images: list[Image], ocr: Ocr, min_score: float, name: str) -> Counter[str]:
    """Return the readings that are certain, with how often each was read."""
    order = sorted(range(len(images)), key=lambda index: images[index].shape[1] / images[index].shape[0])
    found: Counter[str] = Counter()
    with tqdm(total=len(images), desc=f"read {name}", unit="crop", disable=None) as bar:
        for start in range(0, len(order), _CHUNK):
            stopping.check()
            chunk = [images[index] for index in order[start : start + _CHUNK]]
            for reading in ocr.read(chunk):
                text = _as_written(reading.text)
                if reading.score >= min_score and any(map(needs_ink, text)):
                    found[text] += 1
            bar.update(len(chunk))
    return found


def _as_written(text: str) -> str:
    """Return a reading as a corpus holds it; full-width signs as plain ones where all letters are Latin."""
    if not any(unicodedata.category(one) == "Lo" for one in text):
        text = text.translate(_FULL_WIDTH)
    text = unicodedata.normalize("NFC", plain_spaces(text)).strip()
    return text if text.isprintable() else ""


def _of_its_scripts(readings: Counter[str]) -> Counter[str]:
    """Return the readings without those in scripts that hardly any other has: they are misread."""
    scripts = {text: writing_systems(text) for text in readings}
    counts: Counter[str] = Counter()
    for text, times in readings.items():
        counts.update(dict.fromkeys(scripts[text], times))
    rare = {script for script, count in counts.items() if count < _RARE_SCRIPT * counts.total()}
    return Counter({text: times for text, times in readings.items() if not scripts[text] & rare})


def _characters_of(image: Image) -> int:
    """Return about how many characters a crop of this width holds."""
    aspect = float(image.shape[1] / image.shape[0])
    return max(1, round((aspect - _MARGIN_ASPECT) / _LETTER_ASPECT))


def _case(text: str) -> str:
    """Return upper, lower, capitalized or mixed; nothing for a text without cased letters."""
    if not any(one.isupper() or one.islower() for one in text):
        return ""
    if text.isupper():
        return "upper"
    if text.islower():
        return "lower"
    words = [word for word in text.split() if word[0].isalpha()]
    titled = all(not any(map(str.isupper, word[1:])) and word[0].isupper() for word in words)
    return "capitalized" if titled and words else "mixed"


def _kinds(readings: Mapping[str, int]) -> dict[str, float]:
    counts: Counter[str] = Counter()
    for text, times in readings.items():
        counts.update({kind: number * times for kind, number in Counter(map(_kind, text)).items()})
    return {kind: round(number / counts.total(), 4) for kind, number in sorted(counts.items())}


def _kind(character: str) -> str:
    if character.isalpha():
        return "capitals" if character.isupper() else "letters"
    if character.isdecimal():
        return "digits"
    return "spaces" if character == " " else "signs"


def _cases(readings: Mapping[str, int]) -> dict[str, float]:
    counts: Counter[str] = Counter()
    for text, times in readings.items():
        if case := _case(text):
            counts[case] += times
    return {case: round(number / counts.total(), 4) for case, number in sorted(counts.items())}
