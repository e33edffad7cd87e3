"""Photos that visitors bring, and the words that they change in them; held in memory, few at a time."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from shlex import quote
from time import perf_counter
from typing import Any, get_args

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.editing.alignment import Align
from siman_synth.editing.editor import EditResult, TextEditor, installed_ocr
from siman_synth.editing.photo import Photo
from siman_synth.editing.placing import Width
from siman_synth.errors import ConfigError, SimanError
from siman_synth.escaping import printable
from siman_synth.extras import MissingPackageError
from siman_synth.imaging.codec import encode_jpeg
from siman_synth.imaging.decode import header_size
from siman_synth.ocr.finder import TextFinder
from siman_synth.render.fonts import FontLibrary
from siman_synth.synthesis.synthesizer import Synthesizer

MOST_UPLOAD_BYTES = 32_000_000
MOST_PIXELS = 24_000_000
"""Of a photo in the page: three pictures of it are held. `siman-synth edit` takes larger ones."""
MOST_PHOTOS = 4
LONGEST_TEXT = 60

_PREVIEW_PX = 1600
_PREVIEW_QUALITY = 90
_WIDTHS: tuple[Width, ...] = ("natural", "keep")
_ALIGNS: tuple[Align, ...] = get_args(Align)


@dataclass(frozen=True, slots=True)
class EditWish:
    """A word to be changed, as checked input of a visitor."""

    quad: tuple[tuple[float, float], ...]
    text: str
    old: str | None = None
    width: Width = "natural"
    align: Align = "auto"

    @classmethod
    def of(cls, values: Any) -> "EditWish":
        """Check what came over the wire; whether the quadrilateral can be used, the editor says.

        Raises:
            ConfigError: it is not what the page sends; says what.
        """
        if not isinstance(values, dict):
            raise ConfigError("An edit must be a JSON object.")
        quad = values.get("quad")
        if not isinstance(quad, list) or len(quad) != 4 or not all(map(_is_point, quad)):
            raise ConfigError("quad must be four corners of two numbers each.")
        text, old, width = values.get("text"), values.get("old") or None, values.get("width", "natural")
        align = values.get("align", "auto")
        for name, value in (("text", text), ("old", old)):
            if value is not None and (not isinstance(value, str) or len(value) > LONGEST_TEXT):
                raise ConfigError(f"{name} must be a text of at most {LONGEST_TEXT} characters.")
        if text is None or not text.strip():
            raise ConfigError("Type the new word.")
        if width not in _WIDTHS:
            raise ConfigError(f"width must be one of {', '.join(_WIDTHS)}.")
        if align not in _ALIGNS:
            raise ConfigError(f"align must be one of {', '.join(_ALIGNS)}.")
        return cls(tuple((float(x), float(y)) for x, y in quad), text, old, width, align)


@dataclass(slots=True)
class _Upload:
    photo: Photo
    is_png: bool
    image: npt.NDArray[np.uint8]
    result: EditResult | None = None
    edits: int = 0


@dataclass(slots=True)
class PhotoTable:
    """The photos that lie on the table: who brought one knows its key, and nobody else does."""

    synthesizer: Synthesizer
    fonts: FontLibrary | None = None
    """What `TextEditor` chooses from."""
    _uploads: "OrderedDict[str, _Upload]" = field(default_factory=OrderedDict)
    _editor: TextEditor | None = None
    _finder: TextFinder | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, data: bytes, name: str) -> dict[str, Any]:
        """Take a photo; the oldest of more than `MOST_PHOTOS` goes.

        Raises:
            CropError: it cannot be decoded.
            EditError: it holds what editing would lose.
            ConfigError: it has too many pixels for the page.
        """
        shown = printable(name)[:200] or "photo"
        size = header_size(data)
        if size is not None and size[0] * size[1] > MOST_PIXELS:
            raise ConfigError(
                f"{shown} has {size[0]} x {size[1]} px; the page takes {MOST_PIXELS // 10**6} million pixels "
                "at most. Use siman-synth edit."
            )
        photo = Photo.of(data, shown)
        key = secrets.token_urlsafe(12)
        with self._lock:
            self._uploads[key] = _Upload(photo, data.startswith(b"\x89PNG"), photo.image)
            while len(self._uploads) > MOST_PHOTOS:
                self._uploads.popitem(last=False)
        height, width = photo.image.shape[:2]
        return {"key": key, "name": shown, "width": width, "height": height}

    def words(self, key: str) -> dict[str, Any]:
        """Return the words that OCR finds in a photo, with their corners; or why it finds none.

        Raises:
            IndexError: there is no such photo.
        """
        image = self._of(key).image
        with self._lock:
            try:
                self._finder = self._finder or TextFinder.load()
            except MissingPackageError as error:
                return {"words": [], "problem": str(error)}
            lines = self._finder.find(image)
        height, width = image.shape[:2]
        found = [word for line in lines for word in (line.words or (line.whole,))]
        return {
            "words": [
                {"text": word.reading.text, "quad": np.clip(word.quad, 0, (width, height)).round(1).tolist()}
                for word in found
            ],
            "problem": None if found else "No word was found. Drag the corners around one.",
        }

    def edit(self, key: str, wish: EditWish) -> dict[str, Any]:
        """Change a word; `preview` and `file` then show it, until another edit or `keep`.

        Raises:
            SimanError: the word cannot be written there.
            IndexError: there is no such photo.
        """
        upload = self._of(key)
        with self._lock:
            started = perf_counter()
            self._editor = self._editor or TextEditor(self.synthesizer, self.fonts, installed_ocr())
            result = self._editor.edit(
                upload.image, wish.quad, wish.text, old=wish.old, width=wish.width, align=wish.align
            )
            seconds = perf_counter() - started
            upload.result, upload.edits = result, upload.edits + 1
        return {
            "seconds": seconds,
            "edit": upload.edits,
            "text": result.text,
            "old": result.old,
            "font": result.font.id,
            "condensed": result.condensed,
            "read": None if result.reading is None else result.reading.text,
            "score": result.score,
            "is_read": result.is_read,
            "photo": quote(upload.photo.name),
            "options": _options(upload, wish),
        }

    def keep(self, key: str) -> None:
        """Make the edited photo the one that is edited next.

        Raises:
            IndexError: there is no such photo.
        """
        upload = self._of(key)
        with self._lock:
            if upload.result is not None:
                upload.image, upload.result = upload.result.image, None

    def preview(self, key: str, edited: bool) -> bytes:
        """Return a photo, before or after its edit, as a JPEG that fits on a page.

        Raises:
            IndexError: there is no such photo.
        """
        upload = self._of(key)
        image = upload.result.image if edited and upload.result is not None else upload.image
        factor = min(1.0, _PREVIEW_PX / max(image.shape[:2]))
        if factor < 1:
            image = np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))
        return encode_jpeg(image, _PREVIEW_QUALITY)

    def file(self, key: str) -> tuple[bytes, str]:
        """Return the edited photo as a file, PNG if a PNG was given, JPEG of its quality else; and its name.

        Raises:
            SimanError: nothing was edited.
            IndexError: there is no such photo.
        """
        upload = self._of(key)
        if upload.edits == 0:
            raise SimanError("Nothing was edited yet.")
        image = upload.image if upload.result is None else upload.result.image
        name = "edited.png" if upload.is_png else "edited.jpg"
        return upload.photo.encoded(image, upload.is_png), name

    def _of(self, key: str) -> _Upload:
        with self._lock:
            upload = self._uploads.get(key)
        if upload is None:
            raise IndexError(key)
        return upload


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(part) in (int, float) for part in value)


def _options(upload: _Upload, wish: EditWish) -> list[tuple[str, str]]:
    """Return the options of `siman-synth edit PHOTO` that do the same."""
    corners: Sequence[float] = [part for corner in wish.quad for part in corner]
    options = [("quad", ",".join(f"{part:g}" for part in corners))]
    if wish.old:
        options.append(("old", quote(wish.old)))
    options.append(("text", quote(wish.text)))
    if wish.width != "natural":
        options.append(("width", wish.width))
    if wish.align != "auto":
        options.append(("align", wish.align))
    return [*options, ("out", "edited.png" if upload.is_png else "edited.jpg")]
