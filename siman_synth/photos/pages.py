"""Photos, scans and pages of PDF files, by index."""

import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from siman_synth.crops.pool import IMAGE_SUFFIXES, LIST_SUFFIXES, why_skipped
from siman_synth.errors import CropError
from siman_synth.extras import require
from siman_synth.files import walk_once
from siman_synth.imaging.decode import MAX_PIXELS, decode_crop, read_picture
from siman_synth.ocr.recognizer import Image
from siman_synth.tally import Tally

_PDF = ".pdf"
_DPI = 200
_POINTS_PER_INCH = 72
_ONE_AT_A_TIME = threading.Lock()
"""PDFium dies of two threads in it at once, even where each has a document of its own."""


@dataclass(frozen=True, slots=True)
class Page:
    """A photo, or one page of a PDF file."""

    path: Path
    name: str
    """Its path below what was given; pages of a PDF have `#2` behind it."""
    number: int | None = None
    """Of the page in its PDF, counted from 0."""

    def image(self) -> Image:
        """Return uint8 (H, W, 3); a page of a PDF is drawn at 200 dots an inch.

        Raises:
            CropError: it cannot be read or decoded.
        """
        if self.number is None:
            return decode_crop(read_picture(self.path, self.name), self.name)
        return _drawn(self.path, self.name, self.number)


def pages_of(photos: Sequence[str | Path], skipped: Tally) -> list[Page]:
    """Return the pages of files, folder trees and lists, in order; other files are counted in `skipped`.

    Raises:
        CropError: there is none, or a path does not exist.
        MissingPackageError: a PDF is given by name, and `pypdfium2` is missing.
    """
    pages: list[Page] = []
    for given in map(Path, photos):
        if given.is_dir():
            for folder, _, files in walk_once(given):
                paths = [folder / file for file in files]
                pages += _of_files(paths, given, skipped)
        elif not given.exists():
            raise CropError(f"No photos at {given}: it does not exist.", "missing")
        elif given.suffix.lower() in LIST_SUFFIXES:
            pages += _of_files(_listed(given, skipped), given.parent, skipped)
        else:
            if given.suffix.lower() == _PDF:
                require("pdf", "Reading PDF files", ("pypdfium2",))
            pages += _of_files([given], given.parent, skipped)
    if not pages:
        reasons = f" ({'; '.join(skipped.lines())})" if skipped.total else ""
        raise CropError(f"There are no photos in {', '.join(map(str, photos))}{reasons}.", "empty")
    return pages


def _of_files(paths: Iterable[Path], root: Path, skipped: Tally) -> list[Page]:
    pages = []
    for path in paths:
        name = os.path.relpath(path, root).replace(os.sep, "/")
        suffix = path.suffix.lower()
        if suffix in IMAGE_SUFFIXES:
            pages.append(Page(path, name))
        elif suffix == _PDF:
            pages += _of_pdf(path, name, skipped)
        else:
            skipped.add(why_skipped(name), name)
    return pages


def _of_pdf(path: Path, name: str, skipped: Tally) -> list[Page]:
    try:
        import pypdfium2
    except ImportError:
        skipped.add('PDF file (pip install "siman-synth[pdf]" reads it)', name)
        return []
    with _ONE_AT_A_TIME:
        try:
            document = pypdfium2.PdfDocument(path)
        except (pypdfium2.PdfiumError, OSError, ValueError):
            skipped.add("PDF file that cannot be read", name)
            return []
        try:
            count = len(document)
        finally:
            document.close()
    return [Page(path, f"{name}#{number + 1}", number) for number in range(count)]


def _drawn(path: Path, name: str, number: int) -> Image:
    import pypdfium2

    try:
        with _ONE_AT_A_TIME:
            document = pypdfium2.PdfDocument(path)
            try:
                page = document[number]
                width, height = page.get_size()
                scale = _DPI / _POINTS_PER_INCH
                scale = min(scale, (MAX_PIXELS / max(1.0, width * height)) ** 0.5)
                bitmap = page.render(scale=scale)
                image = bitmap.to_pil().convert("RGB")
                for part in (bitmap, page):  # not left to the collector, which may run in any thread
                    part.close()
            finally:
                document.close()
    except (pypdfium2.PdfiumError, OSError, ValueError) as error:
        raise CropError(f"{name} cannot be drawn: {error}.", "PDF page that cannot be drawn") from error
    return np.asarray(image, np.uint8)


def _listed(path: Path, skipped: Tally) -> list[Path]:
    found = []
    for line in path.read_bytes().decode("utf-8-sig", "surrogateescape").splitlines():
        name = line.split("\t")[0].strip()
        if name and (path.parent / name).is_file():
            found.append(path.parent / name)
        elif name:
            skipped.add("missing file", name)
    return found
