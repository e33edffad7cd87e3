"""Whether a data set is sound, and what a trainer would keep of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from siman_synth.errors import CropError, DatasetError
from siman_synth.escaping import hidden_in, printable, shortened_repr
from siman_synth.imaging.decode import decode_crop, header_size, opencv_size
from siman_synth.storage.labeled_set import LabeledSet
from siman_synth.storage.lmdb_format import (
    COUNT_KEY,
    DATA_FILE,
    FIRST_INDEX,
    LOCK_FILE,
    RUN_KEY,
    image_key,
    label_key,
    label_problem,
    parse_size,
    size_key,
)
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.trainer_rules import TrainerRule
from siman_synth.tally import Tally

_COSTLY = ("too large", "too long and thin")


@dataclass(slots=True)
class VerifyReport:
    """What was found in one data set.

    `problems` break training; `remarks` do not, but are worth knowing.
    With a trainer's rule, every labeled sample is `kept`, `altered` (kept with another
    label than the image shows) or `dropped`; `kept` includes those whose case alone
    changed, which `case_changed` counts.
    """

    path: str
    samples: int
    labeled: int = 0
    problems: Tally = field(default_factory=Tally)
    remarks: Tally = field(default_factory=Tally)
    trainer: str | None = None
    kept: int = 0
    case_changed: int = 0
    altered: Tally = field(default_factory=Tally)
    dropped: Tally = field(default_factory=Tally)
    charset_size: int = 0
    outside: Counter[str] = field(default_factory=Counter)
    """Characters of labels that the trainer's set does not hold, and in how many labels."""

    @property
    def survive(self) -> int:
        """How many samples the trainer trains on, with the right label or another."""
        return self.kept + self.altered.total

    @property
    def ok(self) -> bool:
        """Whether there is no problem and, if a trainer was named, anything left for it."""
        return not self.problems.total and (self.trainer is None or self.survive > 0)

    def to_text(self) -> str:
        """Return the report as lines for a terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        verdict = "sound" if not self.problems.total else f"{self.problems.total} problems"
        yield f"{printable(self.path)}: {self.samples} samples, {self.labeled} labeled: {verdict}"
        yield from (f"  problem: {line}" for line in self.problems.lines())
        yield from (f"  remark: {line}" for line in self.remarks.lines())
        if self.trainer is None:
            return
        share = f" ({self.survive / self.labeled:.1%})" if self.labeled else ""
        yield f"{self.trainer} keeps {self.survive} of {self.labeled}{share}"
        if self.case_changed:
            yield f"  {self.case_changed} with their case changed"
        yield from (f"  kept with another label: {line}" for line in self.altered.lines())
        yield from (f"  dropped: {line}" for line in self.dropped.lines())
        if not self.survive and self.outside:
            most_first = sorted(self.outside, key=lambda one: (-self.outside[one], one))
            most = ", ".join(printable(repr(one)) for one in most_first[:5])
            yield (
                f"  the character set is the reason: its {self.charset_size} characters do not hold {most}. "
                "Give the trainer, and this command, the set of your script."
            )


def verify_dataset(reader: LmdbReader | LabeledSet, rule: TrainerRule | None = None) -> VerifyReport:
    """Decode every image, look at every label and (of an LMDB) key, and count what `rule` would keep.

    Nothing that is wrong with the content raises: it is counted in the report, with examples.

    Raises:
        DatasetError: the set itself cannot be read.
    """
    report = VerifyReport(str(reader.path), len(reader), trainer=rule.name if rule else None)
    report.charset_size = len(rule.charset) if rule else 0
    if isinstance(reader, LmdbReader):
        _check_folder(reader, report)
        _check_keys(reader, report)
    unlabeled = Tally()
    for index in range(len(reader)):
        if isinstance(reader, LmdbReader):
            _check_image(reader, index, report)
        else:
            _check_listed(reader, index, report)
        label = _checked_label(reader, index, report, unlabeled)
        if label is not None and rule is not None:
            _apply_rule(rule, label, report)
    if len(reader) == 0:
        report.problems.add("the set is empty")
    elif report.labeled == 0:
        report.remarks.add("no labels: only trainers that need none can use it")
    else:
        report.problems.merge(unlabeled)
    return report


def _check_folder(reader: LmdbReader, report: VerifyReport) -> None:
    if reader.path == reader.data_file:
        report.problems.add(f"a single file, where every trainer opens a folder that holds {DATA_FILE}")
        return
    for entry in sorted(reader.path.iterdir()):
        if entry.is_dir():
            # Three of the five trainers descend into it and never open the set above.
            report.problems.add("subfolder beside data.mdb", entry.name)
        elif entry.name not in (DATA_FILE, LOCK_FILE):
            report.remarks.add("other file beside data.mdb, which trainers ignore", entry.name)


def _check_keys(reader: LmdbReader, report: VerifyReport) -> None:
    if reader.first_number != FIRST_INDEX:
        report.problems.add("keys count from 0 where every trainer counts from 1", image_key(0).decode())
    for key in reader.all_keys():
        prefix, _, digits = key.partition(b"-")
        shown = key.decode("utf-8", "backslashreplace")
        if key in (COUNT_KEY, RUN_KEY):
            continue
        if (
            prefix not in (b"image", b"label", b"wh", b"meta", b"machine")
            or not digits.isdigit()
            or len(digits) < 9
        ):
            report.remarks.add("key of another layout, which trainers ignore", shown)
        elif not reader.first_number <= int(digits[:20]) <= reader.last_number:
            report.problems.add(f"{prefix.decode()} beyond num-samples ({len(reader)})", shown)


def _check_image(reader: LmdbReader, index: int, report: VerifyReport) -> None:
    number = reader.number(index)
    name = image_key(number).decode()
    image = reader.raw(image_key(number))
    if image is None:
        report.problems.add("image missing", name)
        return
    if not image:
        report.problems.add("image of zero bytes", name)
        return
    _check_decoding(image, name, report)
    size = header_size(image)
    stored = reader.raw(size_key(number))
    if stored is None:
        report.remarks.add("wh- key missing, so OpenOCR's ratio sampler decodes the image to size it")
    elif size is not None and parse_size(stored) != size:
        found = shortened_repr(stored, 40)[2:-1]
        shown = f"{size_key(number).decode()}: {found} for {size[0]} x {size[1]} px"
        report.problems.add("wh- key that is not the image's size", shown)


def _check_listed(words: LabeledSet, index: int, report: VerifyReport) -> None:
    """Look at an image of another layout: it is there, and decodes."""
    try:
        image = words.image(index)
    except DatasetError as error:
        report.problems.add("image missing or unreadable", str(error))
        return
    _check_decoding(image, words.name(index), report)


def _checked_label(
    reader: LmdbReader | LabeledSet, index: int, report: VerifyReport, unlabeled: Tally
) -> str | None:
    is_lmdb = isinstance(reader, LmdbReader)
    name = label_key(reader.number(index)).decode() if is_lmdb else reader.name(index)
    try:
        label = reader.label(index)
    except DatasetError:
        report.labeled += 1
        report.problems.add("label that is not UTF-8" if is_lmdb else "label that cannot be read", name)
        return None
    if label is None:
        unlabeled.add("label missing", name)
        return None
    report.labeled += 1
    problem = label_problem(label)
    is_storable = problem is None or problem.endswith("form C")
    if not is_storable:
        reason = "label with a control or line-breaking character" if label else "label empty"
        report.problems.add(reason, f"{name}: {shortened_repr(label)}")
    elif problem is not None:
        report.remarks.add("label not in Unicode normal form C", f"{name}: {shortened_repr(label)}")
    if is_storable and (hidden := hidden_in(label)):
        shown = f"{name}: U+{ord(hidden):04X} in {shortened_repr(label)}"
        report.remarks.add("label with a character that no image shows", shown)
    if label.split() != label.split(" ") and label.strip():
        # str.split without an argument takes any white space, and any run of it.
        reason = "label with other white space than single U+0020"
        report.remarks.add(reason, f"{name}: {shortened_repr(label)}")
    return label


def _apply_rule(rule: TrainerRule, label: str, report: VerifyReport) -> None:
    outcome = rule.read(label)
    held = set(rule.charset)
    report.outside.update(
        one for one in set(label) if one != " " and not {one, one.lower(), one.upper()} & held
    )
    if outcome.dropped:
        report.dropped.add(outcome.reason or "dropped", shortened_repr(label))
    elif outcome.altered:
        report.altered.add(
            outcome.reason or "altered", f"{shortened_repr(label)} becomes {shortened_repr(outcome.text)}"
        )
    else:
        report.kept += 1
        report.case_changed += outcome.text != label


def _check_decoding(image: bytes, name: str, report: VerifyReport) -> None:
    """Decode the image with Pillow and with OpenCV: each trainer uses one or the other."""
    try:
        decode_crop(image, name)
    except CropError as error:
        if error.reason in _COSTLY:  # then it is not given to OpenCV either
            report.problems.add(f"image {error.reason} to decode", f"{name}: {_size_of(image)}")
            return
        if error.reason == "too small":
            report.remarks.add("image smaller than 4 px", f"{name}: {_size_of(image)}")
        else:
            report.problems.add("image that Pillow cannot decode", name)
    if opencv_size(image) is None:
        report.problems.add("image that OpenCV cannot decode", name)


def _size_of(image: bytes) -> str:
    width_px, height_px = header_size(image) or (0, 0)
    return f"{width_px} x {height_px} px"
