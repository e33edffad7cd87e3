"""A sample as an export stores it: an image that decodes, in a format that the trainer takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from siman_synth.errors import CropError
from siman_synth.imaging.codec import encode_png
from siman_synth.imaging.decode import decode_crop

_SUFFIXES = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG", "png"))


@dataclass(frozen=True, slots=True)
class Ready:
    """One sample to write."""

    number: int
    """Its number in the source, counted from 1: files are named by it."""
    image: bytes
    suffix: str
    """Of the image's format, `jpg` or `png`."""
    label: str
    meta: Mapping[str, Any] | None

    @property
    def file(self) -> str:
        """The name of the image's file: digits and one dot, which no layout misreads."""
        return f"{self.number:09d}.{self.suffix}"


def ready_image(data: bytes, name: str, suffixes: tuple[str, ...]) -> tuple[bytes, str]:
    """Return an image that decodes, and its suffix: its own bytes if their format may be stored, else PNG.

    Raises:
        CropError: it cannot be decoded.
    """
    pixels = decode_crop(data, name)
    for start, suffix in _SUFFIXES:
        if data.startswith(start) and suffix in suffixes:
            return data, suffix
    return encode_png(pixels), "png"


def same_image(stored: bytes, source: bytes, name: str) -> bool:
    """Whether a stored image shows what its source shows: equal bytes, or equal pixels."""
    if stored == source:
        return True
    try:
        left, right = decode_crop(stored, name), decode_crop(source, name)
    except CropError:
        return False
    return left.shape == right.shape and bool((left == right).all())
