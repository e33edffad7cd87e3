"""Versions of what decides bytes beside settings and inputs."""

import importlib.metadata
import unicodedata

import cv2
import freetype
import lmdb
import numpy as np
import PIL
import torch
import uharfbuzz


def library_versions(reads: bool = False) -> dict[str, str]:
    """Return the versions of the libraries that draw, paint, encode and store.

    Args:
        reads: whether OCR judges words, which brings libraries of its own.
    """
    versions = {
        "freetype": _dotted(freetype.version()),
        "harfbuzz": uharfbuzz.version_string(),
        "lmdb": _dotted(lmdb.version()),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "pillow": PIL.__version__,
        "torch": str(torch.__version__),
        "unicode": unicodedata.unidata_version,
    }
    if reads:
        versions["onnxruntime"] = importlib.metadata.version("onnxruntime")
    return versions


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
