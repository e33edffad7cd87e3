"""What edits are measured on and by: labeled crops, and how alike two pictures are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from tqdm import tqdm

from siman_synth.errors import SimanError
from siman_synth.imaging.decode import decode_crop
from siman_synth.ocr.comparison import comparable
from siman_synth.seeding import sample_rng
from siman_synth.storage.lmdb_reader import LmdbReader

_SCALES = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
_LUMA = np.array([0.299, 0.587, 0.114])
_LEAST_PX = 16


class Measurements(click.Group):
    """Commands whose errors are one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what cannot be measured is said without a traceback."""
        try:
            return super().invoke(ctx)
        except SimanError as error:
            raise click.ClickException(str(error)) from error


def writable(_: click.Context, __: click.Parameter, sheet: Path | None) -> Path | None:
    """Refuse a picture that could not be written, before anything is measured."""
    if sheet is not None and (sheet.suffix.lower() != ".png" or not sheet.parent.is_dir()):
        raise click.BadParameter(f"must be a .png in a folder that is there, found '{sheet}'.")
    return sheet


def similarity(picture: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    """Return mean squared error in [0, 1], PSNR in dB and MS-SSIM of two pictures, uint8 (H, W, 3)."""
    error = float(((picture / 255.0 - other / 255.0) ** 2).mean())
    return error, 10 * float(np.log10(1 / max(error, 1e-10))), ms_ssim(picture @ _LUMA, other @ _LUMA)


def ms_ssim(one: np.ndarray, other: np.ndarray) -> float:
    """Return the multi-scale structural similarity of luma (H, W), 0 to 255 (Wang et al. 2003)."""
    contrasts, whole = [], 0.0
    for scale in range(len(_SCALES)):
        whole, contrast = _ssim(one, other)
        contrasts.append(contrast)
        if scale + 1 < len(_SCALES):
            one, other = (
                cv2.blur(x, (2, 2), None, (0, 0), cv2.BORDER_REFLECT)[::2, ::2] for x in (one, other)
            )
    values = np.maximum([*contrasts[:-1], whole], 0)
    return float(np.prod(values**_SCALES))


def _ssim(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    size = min(11, *one.shape)
    sigma = 1.5 * size / 11
    edge = np.arange(size) - (size - 1) / 2
    window = np.exp(-(edge**2) / (2 * sigma**2))
    window /= window.sum()
    first, last = size // 2, (size - 1) // 2

    def local(x: np.ndarray) -> np.ndarray:
        blurred = cv2.sepFilter2D(x, cv2.CV_64F, window, window)
        return np.asarray(blurred[first : x.shape[0] - last, first : x.shape[1] - last])

    mean, mean_other = local(one), local(other)
    variance = local(one * one) - mean**2
    variance_other = local(other * other) - mean_other**2
    common = local(one * other) - mean * mean_other
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    contrast = (2 * common + c2) / (variance + variance_other + c2)
    light = (2 * mean * mean_other + c1) / (mean**2 + mean_other**2 + c1)
    return float((light * contrast).mean()), float(contrast.mean())


def drawn_crops(crops: Path, count: int | None, seed: int) -> Iterator[tuple[np.ndarray, str, int]]:
    """Yield labeled crops, their labels and numbers at random: those that hold letters, not tiny or upright.

    `count` of them, all if it is None.

    Raises:
        click.ClickException: there is none.
    """
    with LmdbReader.open(crops) as reader:
        order = sample_rng(seed, "crops").permutation(len(reader)).tolist()
        made = 0
        for number in tqdm(order, desc="crops", disable=None):
            label = reader.label(number)
            image = decode_crop(reader.image(number), str(number))
            height, width = image.shape[:2]
            if label is None or not comparable(label) or height < _LEAST_PX or width < 0.8 * height:
                continue
            yield image, label, number
            made += 1
            if made == count:
                return
        if not made:
            raise click.ClickException(
                f"None of the {len(reader)} crops in {crops} can be edited: they need a label with a letter "
                f"or digit, a height of {_LEAST_PX} px or more, and a width of 0.8 times that or more."
            )
