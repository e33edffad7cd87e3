"""Photos read and written: nothing but the edited pixels changes, and what a file says of itself stays."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from PIL import Image, JpegImagePlugin

from siman_synth.editing.errors import EditError
from siman_synth.editing.quad import Image as Pixels
from siman_synth.errors import OutputError
from siman_synth.files import write_bytes
from siman_synth.imaging.decode import decode_crop, opened_picture, read_picture

_JPEG, _PNG = (".jpg", ".jpeg"), (".png",)
_MODES = ("1", "L", "P", "PA", "LA", "RGB", "RGBA", "YCbCr")
_ORIENTATION = 0x0112
_QUALITY_OF_OTHERS = 95


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo and what its file says beside the pixels."""

    name: str
    image: Pixels
    """uint8 (H, W, 3) RGB, turned the right way up."""
    gray: bool
    exif: bytes
    """Without a preview, which would show the old word, and turned as the pixels are."""
    options: dict[str, Any]
    """How a JPEG of the same quality is written; empty if it is none."""
    extra: dict[str, Any]
    """ICC profile and resolution."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read a photo.

        Raises:
            CropError: it cannot be decoded.
            EditError: it holds what would be lost: transparency, 16 bits, several frames, CMYK.
        """
        return cls.of(read_picture(path, str(path)), str(path))

    @classmethod
    def of(cls, data: bytes, name: str) -> Self:
        """Take a photo's file, whose errors call it `name`.

        Raises:
            CropError: as `open`.
            EditError: as `open`.
        """
        pixels = decode_crop(data, name)
        with opened_picture(data, name) as opened:
            _refuse_losses(opened, name)
            options: dict[str, Any] = {}
            if isinstance(opened, JpegImagePlugin.JpegImageFile):
                options = {
                    "qtables": opened.quantization,
                    "subsampling": JpegImagePlugin.get_sampling(opened),
                }
                if options["subsampling"] < 0:
                    options["subsampling"] = 0
            extra = {key: opened.info[key] for key in ("icc_profile", "dpi") if opened.info.get(key)}
            return cls(name, pixels, opened.mode in ("1", "L"), _exif(opened), options, extra)

    def write(self, image: Pixels, path: Path) -> None:
        """Write a picture with this photo's EXIF, ICC profile and JPEG quality; the whole file or nothing.

        Raises:
            OutputError: it cannot be written.
        """
        data = self.encoded(image, png=path.suffix.lower() in _PNG)
        try:
            write_bytes(path, data)
        except OSError as error:
            raise OutputError(f"Cannot write {path}: {error.strerror}. Choose another output.") from error

    def encoded(self, image: Pixels, png: bool) -> bytes:
        """Return a picture as a PNG or a JPEG with this photo's EXIF, ICC profile and JPEG quality."""
        picture = Image.fromarray(image)
        if self.gray and bool((image == image[..., :1]).all()):
            picture = picture.convert("L")
        options: dict[str, Any] = dict(self.extra)
        if self.exif:
            options["exif"] = self.exif
        buffer = io.BytesIO()
        if png:
            picture.save(buffer, "PNG", **options)
        else:
            quality = self.options or {"quality": _QUALITY_OF_OTHERS, "subsampling": 0}
            if picture.mode == "L":
                quality = {key: value for key, value in quality.items() if key != "subsampling"}
            picture.save(buffer, "JPEG", **options, **quality)
        return buffer.getvalue()


def check_output(path: Path) -> None:
    """Check that a picture may be written to `path`, before any work.

    Raises:
        OutputError: something is there already, its folder is not, or the ending is not PNG's or JPEG's.
    """
    if path.suffix.lower() not in (*_PNG, *_JPEG):
        raise OutputError(f"Cannot write {path}: edited pictures end in .png, .jpg or .jpeg.")
    if path.exists() or path.is_symlink():
        raise OutputError(f"{path} exists already. Choose another output, or remove it.")
    if not path.parent.is_dir():
        raise OutputError(f"Cannot write {path}: there is no folder {path.parent}. Make it first.")


def _refuse_losses(opened: Image.Image, name: str) -> None:
    frames = getattr(opened, "n_frames", 1)
    if frames > 1 and opened.format != "MPO":
        raise EditError(f"{name} holds {frames} frames, of which one would be left. Give a single picture.")
    if opened.mode not in _MODES:
        raise EditError(
            f"{name} is of mode {opened.mode}; edited pictures have 8 bits, gray or RGB. Convert it."
        )
    if "A" in opened.getbands() or "transparency" in opened.info:
        alpha = np.asarray(opened.convert("RGBA"))[..., 3]
        if alpha.min() < 255:
            raise EditError(
                f"{name} is transparent in places, which would be lost. Lay it over a colour first."
            )


def _exif(opened: Image.Image) -> bytes:
    try:
        exif = opened.getexif()
        if not len(exif):
            return b""
        if _ORIENTATION in exif:
            exif[_ORIENTATION] = 1
        return exif.tobytes()
    except Exception:  # a damaged block says nothing
        return b""
