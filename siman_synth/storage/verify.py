"""Whether a data set is sound, and what a named recognizer would keep of it."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image

from siman_synth.errors import DatasetError
from siman_synth.storage.lmdb_format import (
    COUNT_KEY,
    DATA_FILE,
    FIRST_INDEX,
    LOCK_FILE,
    image_key,
    label_key,
    label_problem,
    parse_size,
    size_key,
)
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.reader_rules import ReaderRule
from siman_synth.tally import Tally


@dataclass(slots=True)
class VerifyReport:
    """What was found in one data set.

    `problems` break readers or training; `remarks` do not, but are worth knowing.
    With a reader's rule, every labeled sample is `kept`, `altered` (kept with another
    label than the image shows) or `dropped`; `kept` includes those whose case alone
    changed, which `case_changed` counts.
    """

    folder: str
    samples: int
    labeled: int = 0
    problems: Tally = field(default_factory=Tally)
    remarks: Tally = field(default_factory=Tally)
    reader: str | None = None
    kept: int = 0
    case_changed: int = 0
    altered: Tally = field(default_factory=Tally)
    dropped: Tally = field(default_factory=Tally)

    @property
    def survive(self) -> int:
        """How many samples the reader trains on, with the right label or another."""
        return self.kept + self.altered.total

    @property
    def ok(self) -> bool:
        """Whether there is no problem and, if a reader was named, anything left for it."""
        return not self.problems.total and (self.reader is None or self.survive > 0)

    def to_text(self) -> str:
        """Return the report as lines for a terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        verdict = "sound" if not self.problems.total else f"{self.problems.total} problems"
        yield f"{self.folder}: {self.samples} samples, {self.labeled} labeled: {verdict}"
        yield from (f"  problem: {line}" for line in self.problems.lines())
        yield from (f"  remark: {line}" for line in self.remarks.lines())
        if self.reader is None:
            return
        share = f" ({self.survive / self.labeled:.1%})" if self.labeled else ""
        yield f"{self.reader} keeps {self.survive} of {self.labeled}{share}"
        if self.case_changed:
            yield f"  {self.case_changed} with their case changed"
        yield from (f"  kept with another label: {line}" for line in self.altered.lines())
        yield from (f"  dropped: {line}" for line in self.dropped.lines())


def verify_dataset(reader: LmdbReader, reader_rule: ReaderRule | None = None) -> VerifyReport:
    """Decode every image, look at every key and label, and count what `reader_rule` would keep.

    Nothing that is wrong with the content raises: it is counted in the report, with examples.

    Raises:
        DatasetError: the LMDB itself cannot be read.
    """
    report = VerifyReport(str(reader.folder), len(reader), reader=reader_rule.name if reader_rule else None)
    _check_folder(reader, report)
    _check_keys(reader, report)
    unlabeled = Tally()
    for index in range(len(reader)):
        _check_image(reader, index, report)
        label = _checked_label(reader, index, report, unlabeled)
        if label is not None and reader_rule is not None:
            _apply_rule(reader_rule, label, report)
    if len(reader) == 0:
        report.problems.add("the set is empty")
    elif report.labeled == 0:
        report.remarks.add("no labels: only readers of unlabeled sets can use it")
    else:
        report.problems.merge(unlabeled)
    return report


def _check_folder(reader: LmdbReader, report: VerifyReport) -> None:
    for entry in sorted(reader.folder.iterdir()):
        if entry.is_dir():
            # Three of the five readers descend into it and never open the set above.
            report.problems.add("subfolder beside data.mdb", entry.name)
        elif entry.name not in (DATA_FILE, LOCK_FILE):
            report.remarks.add("other file beside data.mdb, which readers ignore", entry.name)


def _check_keys(reader: LmdbReader, report: VerifyReport) -> None:
    if reader.first_number != FIRST_INDEX:
        report.problems.add("keys count from 0 where every reader counts from 1", image_key(0).decode())
    last = reader.first_number + len(reader) - 1
    for key in reader.all_keys():
        prefix, _, digits = key.partition(b"-")
        shown = key.decode("utf-8", "replace")
        if key == COUNT_KEY:
            continue
        if prefix not in (b"image", b"label", b"wh", b"meta") or not digits.isdigit() or len(digits) < 9:
            report.remarks.add("key of another layout, which readers ignore", shown)
        elif not reader.first_number <= int(digits) <= last:
            report.problems.add(f"{prefix.decode()} beyond num-samples ({len(reader)})", shown)


def _check_image(reader: LmdbReader, index: int, report: VerifyReport) -> None:
    number = reader.number(index)
    name = image_key(number).decode()
    image = reader.raw(image_key(number))
    if image is None:
        report.problems.add("image missing", name)
        return
    size = _pillow_size(image)
    if size is None:
        report.problems.add("image that Pillow cannot decode", name)
    decoded = _opencv_size(image)
    if decoded is None:
        report.problems.add("image that OpenCV cannot decode", name)
    stored = reader.raw(size_key(number))
    if stored is None:
        report.remarks.add("wh- key missing, so OpenOCR's ratio sampler decodes the image to size it")
    elif size is not None and parse_size(stored) != size:
        found = stored.decode("utf-8", "replace")
        shown = f"{size_key(number).decode()}: {found} for {size[0]} x {size[1]} px"
        report.problems.add("wh- key that is not the image's size", shown)


def _checked_label(reader: LmdbReader, index: int, report: VerifyReport, unlabeled: Tally) -> str | None:
    name = label_key(reader.number(index)).decode()
    try:
        label = reader.label(index)
    except DatasetError:
        report.labeled += 1
        report.problems.add("label that is not UTF-8", name)
        return None
    if label is None:
        unlabeled.add("label missing", name)
        return None
    report.labeled += 1
    problem = label_problem(label)
    if problem is not None and problem.endswith("form C"):
        report.remarks.add("label not in Unicode normal form C", f"{name}: {label!r}")
    elif problem is not None:
        reason = "label with a control or line-breaking character" if label else "label empty"
        report.problems.add(reason, f"{name}: {label!r}")
    return label


def _apply_rule(rule: ReaderRule, label: str, report: VerifyReport) -> None:
    outcome = rule.read(label)
    if outcome.dropped:
        report.dropped.add(outcome.reason or "dropped", repr(label))
    elif outcome.altered:
        report.altered.add(outcome.reason or "altered", f"{label!r} becomes {outcome.text!r}")
    else:
        report.kept += 1
        report.case_changed += outcome.text != label


def _pillow_size(image: bytes) -> tuple[int, int] | None:
    try:
        with Image.open(io.BytesIO(image)) as opened:
            opened.load()
            return opened.size
    except Exception:  # Pillow's plugins raise many types on damaged files
        return None


def _opencv_size(image: bytes) -> tuple[int, int] | None:
    try:
        decoded = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if decoded is None else (decoded.shape[1], decoded.shape[0])
