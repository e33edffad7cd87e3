"""One look by OCR at each font of the user's: does it draw the alphabet at all?

Barcodes, redacted and coded alphabets have glyphs under the right names with outlines of their own;
only who can read sees that they are not letters. Bundled fonts were looked at by their makers.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from siman_synth.extras import MissingPackageError
from siman_synth.files import write_text
from siman_synth.ocr.comparison import edit_distance
from siman_synth.ocr.ppocr import PpOcr
from siman_synth.ocr.recognizer import Ocr, judged_by
from siman_synth.render.errors import RenderError
from siman_synth.render.font_files import Font
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.framing import Framing
from siman_synth.render.layouts.straight import Straight
from siman_synth.render.word import ContentPlan, WordRenderer

WORDS = ("HAMBURG", "Norfolk", "quickly", "2573")
"""Of these, PP-OCR misreads two letters in seven at most in any bundled font."""
_MOST_WRONG = 0.5
_HEIGHT_PX = 48
_FRAMING = Framing(0.2, 0.2, 0.15, 0.15, "ink")

UNREADABLE = "font whose letters OCR does not read as themselves"
NOT_READ = 'font that OCR would look at (pip install "siman-synth[readability]")'


def unreadable_fonts(fonts: FontLibrary) -> tuple[str, ...] | None:
    """Return by id the user's fonts of which OCR misreads most of a plain word; None without OCR.

    A font is read once; what was found is kept in the user's cache folder by the file's content.
    """
    own = [font for font in fonts.fonts if not font.bundled and any(True for _ in _drawable(fonts, font))]
    if not own:
        return ()
    try:
        ocr = PpOcr.load()
    except MissingPackageError:
        return None
    known = _load_cache()
    found: list[str] = []
    before = len(known)
    for font in own:
        key = f"{hashlib.sha256(font.path.read_bytes()).hexdigest()}#{font.index} {ocr.name}"
        if key not in known:
            known[key] = share_misread(fonts, font, ocr)
        if known[key] > _MOST_WRONG:
            found.append(font.id)
    if len(known) > before:
        _save_cache(known)
    return tuple(found)


def share_misread(fonts: FontLibrary, font: Font, ocr: Ocr) -> float:
    """Return which share of a word OCR gets wrong, for the word of `WORDS` that it reads worst."""
    renderer, words, images = WordRenderer(fonts), [], []
    for word in _drawable(fonts, font):
        plan = ContentPlan(word, font.id, Straight(), _FRAMING, _HEIGHT_PX, 4)
        try:
            mask = renderer.render(plan).mask
        except RenderError:
            continue
        words.append(word)
        images.append(np.repeat((255 - mask)[..., None], 3, axis=2))
    readings = ocr.read(images)
    wrong = (
        edit_distance(*judged) / len(judged[0])
        for reading, word in zip(readings, words, strict=True)
        if (judged := judged_by(ocr, word, reading.text)) is not None
    )
    return max(wrong, default=0.0)


def _drawable(fonts: FontLibrary, font: Font) -> Iterator[str]:
    face = fonts.face(font)
    return (word for word in WORDS if all(map(face.draws, word)))


def _cache_file() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(home) / "siman-synth" / "font-readings.json"


def _load_cache() -> dict[str, float]:
    try:
        values = json.loads(_cache_file().read_text(encoding="utf-8"))
        return {str(key): float(value) for key, value in values.items()}
    except (OSError, ValueError, AttributeError, TypeError, RuntimeError):
        return {}  # not there, or not ours: the fonts are read again


def _save_cache(readings: dict[str, float]) -> None:
    with contextlib.suppress(OSError, RuntimeError):  # a home that cannot be written
        _cache_file().parent.mkdir(parents=True, exist_ok=True)
        write_text(_cache_file(), json.dumps(readings, indent=1) + "\n")
