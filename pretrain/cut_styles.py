"""Cut the bundled style crops out of the photos they come from.

    python pretrain/cut_styles.py --photos /usr/share/doc/opencv-doc/examples/text

The boxes stand in `siman_synth/assets/styles/styles.toml`: four corners a word, in pixels of
the photo, clockwise from the top left one. A slanted word is rectified; nothing else is changed,
except that a crop taller than 64 px is reduced to 64 px.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from siman_synth.errors import ConfigError, CropError, SimanError
from siman_synth.imaging.resize import shrink_to_height
from siman_synth.ocr.cut import cut, size_of

STYLES = Path(__file__).resolve().parent.parent / "siman_synth" / "assets" / "styles"
MAX_HEIGHT_PX = 64
MIN_ASPECT = 1.3
JPEG_OPTIONS = (
    cv2.IMWRITE_JPEG_QUALITY, 95,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)  # fmt: skip

Corner = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleBox:
    """Where one word stands in a photo."""

    file: str
    """Name of the crop to write."""
    photo: str
    """Name of the photo."""
    quad: tuple[Corner, Corner, Corner, Corner]
    """Corners in pixels: top left, top right, bottom right, bottom left."""
    text: str = ""
    """What the word says, where it is known; nothing needs it."""

    def __post_init__(self) -> None:
        if len(self.quad) != 4 or any(len(corner) != 2 for corner in self.quad):
            raise ConfigError(f"{self.file}: quad must be four [x, y] corners, found {self.quad}.")
        if self.aspect < MIN_ASPECT:
            raise ConfigError(
                f"{self.file}: the box is {self.aspect:.2f} times as wide as high; a style needs "
                f"{MIN_ASPECT}. Choose a longer word."
            )

    @property
    def aspect(self) -> float:
        """Width over height."""
        width, height = size_of(self.quad)
        return width / height


def read_boxes(path: Path) -> Iterator[StyleBox]:
    """Yield the boxes that a `styles.toml` lists."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["style"]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise ConfigError(f"{path} is not a list of [[style]] tables: {error}.") from error
    for entry in entries:
        try:
            yield StyleBox(**entry)
        except TypeError as error:
            raise ConfigError(f"{path}: {entry.get('file', entry)}: {error}.") from error


def cut_box(photo: NDArray[np.uint8], box: StyleBox) -> NDArray[np.uint8]:
    """Return the word in `box` as an upright image of its native size, at most 64 px high."""
    return shrink_to_height(cut(photo, box.quad), MAX_HEIGHT_PX)


def cut_all(styles: Path, photos: Path, out: Path) -> int:
    """Write every crop of the list `styles` into the folder `out`; return how many."""
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    for box in read_boxes(styles):
        photo = cv2.imread(str(photos / box.photo), cv2.IMREAD_COLOR)
        if photo is None:
            raise CropError(
                f"Photo {photos / box.photo} is missing or cannot be read. "
                "Debian's package opencv-doc installs it under examples/text.",
                reason="missing photo",
            )
        if not cv2.imwrite(
            str(out / box.file), cut_box(np.asarray(photo, dtype=np.uint8), box), JPEG_OPTIONS
        ):
            raise CropError(f"{out / box.file} could not be written.", reason="not written")
        count += 1
    return count


@click.command()
@click.option("--photos", type=click.Path(path_type=Path), required=True, help="Folder of the photos.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=STYLES / "crops",
    help="Where the crops go. [default: assets]",
)
@click.option(
    "--styles", type=click.Path(path_type=Path), default=STYLES / "styles.toml", help="The list of boxes."
)
def main(photos: Path, out: Path, styles: Path) -> None:
    """Cut the bundled style crops from PHOTOS.

    Example: python pretrain/cut_styles.py --photos /usr/share/doc/opencv-doc/examples/text
    """
    try:
        count = cut_all(styles, photos, out)
    except SimanError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{count} crops written to {out}.")


if __name__ == "__main__":
    main()
