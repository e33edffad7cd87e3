"""From photos to an LMDB of crops: in parts that outlive a stop, put together in the order of the photos."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from siman_synth import stopping
from siman_synth.errors import ConfigError, CropError
from siman_synth.escaping import printable, storable
from siman_synth.files import beside, content_hash
from siman_synth.imaging.codec import encode_jpeg
from siman_synth.imaging.decode import decode_crop
from siman_synth.ocr.recognizer import Image
from siman_synth.own_names import HALF, OwnNames
from siman_synth.photos.boxes import BoxCutter, BoxFile, without_text
from siman_synth.photos.finder import CropFinder, CropSettings, Cutter, Piece
from siman_synth.photos.pages import Page, pages_of
from siman_synth.sealed import read_sealed, write_sealed
from siman_synth.storage.lmdb_format import DATA_FILE, Sample
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.tally import Tally
from siman_synth.work_folder import RESULT_NAMES, WorkFolder

WORK_SUFFIX = ".crops"
"""The folder of a run that is under way is called as its output, with this."""

_PART = 16
_JPEG_QUALITY = 95
_VERSION = 1
_NAMES = OwnNames(
    folders=re.compile(r"\d{6,}\.lmdb|joined"),
    files=re.compile(rf"{RESULT_NAMES}|\d{{6,}}\.json{HALF}|(\d{{6,}}\.lmdb|joined)/(data|lock)\.mdb"),
)


@dataclass(slots=True)
class CropsResult:
    """What was cut."""

    out: Path
    photos: int
    crops: int
    labeled: bool
    by_machine: bool = True
    """Whether labels, if there are any, are what was read; else they were given with the boxes."""
    note: str = ""
    """Why boxes with texts gave no labels."""
    skipped: Tally = field(default_factory=Tally)
    """Photos that could not be used."""
    dropped: Tally = field(default_factory=Tally)
    """Pieces of photos that are of no use."""

    @classmethod
    def from_values(cls, out: Path, values: Mapping[str, Any]) -> "CropsResult":
        """Restore what `to_values` returned."""
        skipped, dropped = Tally.from_json(values["skipped"]), Tally.from_json(values["dropped"])
        by_machine, note = values.get("by_machine", True), values.get("note", "")
        return cls(
            out, values["photos"], values["crops"], values["labeled"], by_machine, note, skipped, dropped
        )

    def to_values(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "photos": self.photos,
            "crops": self.crops,
            "labeled": self.labeled,
            "by_machine": self.by_machine,
            "note": self.note,
            "skipped": self.skipped.to_json(),
            "dropped": self.dropped.to_json(),
        }

    def to_text(self) -> str:
        """Return lines for a terminal."""
        kind = "crops" + ", labeled" * self.labeled + " by machine" * (self.labeled and self.by_machine)
        lines = [f"{printable(self.out)}: {self.crops} {kind}, from {self.photos} photos"]
        lines += [f"  {self.note}"] if self.note else []
        lines += [f"  photos left out: {line}" for line in self.skipped.lines()]
        lines += [f"  pieces dropped: {line}" for line in self.dropped.lines()]
        return "\n".join(lines)


@stopping.stops_at_checks()
def cut_crops(
    photos: Sequence[str | Path],
    out: str | Path,
    settings: CropSettings | None = None,
    *,
    boxes: str | Path | None = None,
    workers: int = 1,
    resume: bool = False,
) -> CropsResult:
    """Find, cut and store the words or lines of photos in the LMDB folder `out`.

    Args:
        photos: photos, folder trees of them, lists, or PDF files.
        out: a folder that does not exist.
        settings: what becomes a crop.
        boxes: a file that says where words stand, and nothing is looked for (see `BoxFile.read`). If each of
            them has a text, the texts become labels.
        workers: photos at a time; what is written does not depend on it.
        resume: go on with a run that was stopped.

    Raises:
        CropError: there are no photos, or no crop was found in any.
        ConfigError: the file of boxes cannot be used, or something is to be read in boxes.
        OutputError: `out` exists, a run for it was begun with other photos or settings, or its folder
            holds what is not ours.
        MissingPackageError: a package is missing.
    """
    chosen = settings or CropSettings()
    result = CropsResult(Path(out), 0, 0, chosen.accept is not None)
    work = beside(result.out, WORK_SUFFIX)
    folder = WorkFolder(result.out, work, "run", _NAMES, "photos or options")
    folder.require_free(resume)
    given = None if boxes is None else _box_file(boxes, chosen)
    pages = pages_of(photos, result.skipped)
    if given is None:
        cutter: Cutter = CropFinder.load(chosen)
    else:
        pages, cutter = _given(given, pages, chosen, result)
    with folder.held(resume, _identity(pages, chosen, given)):
        if (earlier := folder.result()) is not None:
            folder.remove()
            return CropsResult.from_values(result.out, earlier)
        parts = [pages[at : at + _PART] for at in range(0, len(pages), _PART)]
        with tqdm(total=len(pages), desc="photos", unit="photo", disable=None) as bar:
            for number, part in enumerate(parts):
                data, marker = work / f"{number:06d}.lmdb", work / f"{number:06d}.json"
                found = _finished(data, marker)
                if found is None:
                    found = _make_part(cutter, part, data, workers, result, chosen, bar)
                    write_sealed(marker, found)
                else:
                    bar.update(len(part))
                result.photos += found["photos"]
                result.skipped.merge(Tally.from_json(found["skipped"]))
                result.dropped.merge(Tally.from_json(found["dropped"]))
        result.crops = _join(
            [work / f"{number:06d}.lmdb" for number in range(len(parts))], work / "joined", result
        )
        if not result.crops:
            folder.remove()
            raise CropError(
                f"No usable crop in {len(pages)} {'photo' if len(pages) == 1 else 'photos'}: "
                f"{'; '.join([*result.skipped.lines(), *result.dropped.lines()]) or 'no text was found'}. "
                "Nothing was written.",
                "none usable",
            )
        folder.publish(work / "joined", result.to_values())
    return result


def _box_file(path: str | Path, settings: CropSettings) -> BoxFile:
    if settings.read or settings.accept is not None:
        raise ConfigError("What stands in given boxes is not read: leave out read and accept.")
    return BoxFile.read(path)


def _given(
    file: BoxFile, pages: Sequence[Page], settings: CropSettings, result: CropsResult
) -> tuple[list[Page], Cutter]:
    """Return the pages that have boxes, and what cuts them; what that means is noted in `result`."""
    boxes = file.of_pages(pages, result.dropped)
    for page in pages:
        if page not in boxes:
            result.skipped.add("without a box", page.name)
    lines = sorted(without_text(box for found in boxes.values() for box in found))
    total = sum(map(len, boxes.values()))
    result.labeled, result.by_machine = not lines, False
    if 0 < len(lines) < total:
        result.note = (
            f"no labels, because {len(lines)} of {total} boxes have no text (the first in line {lines[0]}); "
            "take those out of the file to get a labeled set"
        )
    return [page for page in pages if page in boxes], BoxCutter(boxes, settings)


def _identity(pages: Sequence[Page], settings: CropSettings, boxes: BoxFile | None = None) -> dict[str, Any]:
    digest = hashlib.sha256()
    for page in pages:
        digest.update(f"{storable(page.name)}\t{_version_of(page.path)}\n".encode())
    given = {} if boxes is None else {"boxes": boxes.digest}
    return {"version": _VERSION, "photos": digest.hexdigest(), "settings": asdict(settings), **given}


def _version_of(path: Path) -> str:
    """Return what tells a file from another of its name; a link to nothing, or one gone since, has none."""
    try:
        found = path.stat()
    except OSError:
        return "missing"
    return f"{found.st_size}\t{found.st_mtime_ns}"


def _finished(folder: Path, marker: Path) -> dict[str, Any] | None:
    """Return what the marker of a part says, None if there is none, or the part is not what it says."""
    found = read_sealed(marker)
    try:
        # LMDB dies of damage, so that it may see only what is whole.
        whole = found is not None and content_hash(folder / DATA_FILE) == found["sha256"]
    except OSError:
        return None
    return found if whole else None


def _make_part(
    cutter: Cutter,
    pages: Sequence[Page],
    folder: Path,
    workers: int,
    result: CropsResult,
    settings: CropSettings,
    bar: "tqdm[None]",
) -> dict[str, Any]:
    """Cut some photos into a folder; return what its marker will say."""
    photos, skipped, dropped = 0, Tally(), Tally()
    with LmdbWriter.create(folder, overwrite=True) as writer:
        for page, pieces, problems, lost in _in_order(cutter, pages, workers):
            bar.update()
            photos += lost is None
            dropped.merge(problems)
            if lost is not None:
                skipped.add(lost.reason, page.name)
            for piece in pieces:
                writer.write(_sample(page, piece, settings, result.labeled))
    return {
        "photos": photos,
        "skipped": skipped.to_json(),
        "dropped": dropped.to_json(),
        "sha256": content_hash(folder / DATA_FILE),
    }


_Done = tuple[Page, list[Piece], Tally, CropError | None]


def _in_order(cutter: Cutter, pages: Sequence[Page], workers: int) -> Iterator[_Done]:
    """Yield what is in each photo, in their order; OpenCV and the networks let other threads run."""

    def look(page: Page) -> _Done:
        dropped = Tally()
        try:
            return page, cutter.pieces(page.image(), dropped, page), dropped, None
        except CropError as error:
            return page, [], Tally(), error

    landed: SimpleQueue[Future[_Done]] = SimpleQueue()
    with ThreadPoolExecutor(workers) as threads:
        try:
            waiting = [threads.submit(look, page) for page in pages]
            for future in waiting:
                future.add_done_callback(landed.put)
            done = 0
            for _ in waiting:
                stopping.get(landed)
                while done < len(waiting) and waiting[done].done():
                    yield waiting[done].result()
                    done += 1
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise


def _sample(page: Page, piece: Piece, settings: CropSettings, labeled: bool) -> Sample:
    height, width = piece.image.shape[:2]
    meta: dict[str, object] = {
        "origin": page.name,
        "quad": [[round(x, 1), round(y, 1)] for x, y in piece.quad],
    }
    if piece.score is not None:
        meta["score"] = round(piece.score, 4)
    text = None
    if piece.reading is not None and (settings.read or settings.accept is not None):
        text = unicodedata.normalize("NFC", piece.reading.text)
        meta["reading_score"] = round(piece.reading.score, 4)
    label = (text if piece.text is None else piece.text) if labeled else None
    machine = text if settings.accept is None else None
    return Sample(
        encode_jpeg(piece.image, _JPEG_QUALITY, full_chroma=True), label, width, height, meta, machine
    )


def _join(parts: Sequence[Path], joined: Path, result: CropsResult) -> int:
    """Put parts together without crops that were there before; return how many there are."""
    seen: set[tuple[bytes, str | None]] = set()
    with LmdbWriter.create(joined, overwrite=True) as writer:
        for part in parts:
            with LmdbReader.open(part) as reader:
                for index, sample in enumerate(reader):
                    stopping.check()
                    # What somebody says that it says differently is not the same, however alike it looks.
                    told = None if result.by_machine else sample.label
                    look = _look(decode_crop(sample.image, reader.name(index))), told
                    if look in seen:
                        result.dropped.add("repeated", str((sample.meta or {}).get("origin")))
                        continue
                    seen.add(look)
                    writer.write(sample)
        return len(writer)


def _look(image: Image) -> bytes:
    """Return what near-copies of a crop share: its size in steps, and where a thumbnail gets lighter."""
    gray = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (33, 8), interpolation=cv2.INTER_AREA)
    lighter = np.packbits(gray[:, 1:].astype(int) > gray[:, :-1].astype(int) + 2)
    return bytes([min(255, side // 8) for side in image.shape[:2]]) + lighter.tobytes()
