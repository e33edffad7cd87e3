"""From a labeled set to a folder that a trainer reads: planned, written in parts, read back, then named."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from siman_synth import stopping
from siman_synth.errors import ConfigError, CropError, DatasetError, OutputError, SimanError
from siman_synth.escaping import printable
from siman_synth.exports.formats import FORMATS, Format, Part
from siman_synth.exports.marks import Marks, names_of
from siman_synth.exports.ready import Ready, ready_image, same_image
from siman_synth.exports.split import LEFT_OUT, TRAIN, VALIDATION, Members, SplitSettings, split, word_hash
from siman_synth.files import beside, write_text
from siman_synth.own_names import HALF, OwnNames
from siman_synth.sealed import read_sealed, write_sealed
from siman_synth.storage.labeled_set import LabeledSet
from siman_synth.tally import Tally
from siman_synth.work_folder import RESULT_NAMES, WorkFolder

WORK_SUFFIX = ".export"
"""The folder of an export that is under way is called as its output, with this."""

DICTIONARY = "dict.txt"
_VERSION = 1
_NAMES = OwnNames(
    folders=re.compile(r"listings|listings/(train|val)-\d{6,}\.lmdb|done"),
    files=re.compile(
        rf"{RESULT_NAMES}|"
        r"listings/(train|val)-\d{6,}(\.\w+)?(/(data|lock)\.mdb)?"
        rf"|done/(train|val)-\d{{6,}}\.json{HALF}"
    ),
    whole=re.compile(r"tree"),
)
_CHECK_EVERY = 200
_UNKNOWN = "names of no sample; the first sample is called"


@dataclass(slots=True)
class ExportResult:
    """What was written."""

    out: Path
    format: str
    train: int
    validation: int
    left_out: Tally = field(default_factory=Tally)
    """Samples of the source that are not in the export, by reason."""
    unknown: Tally = field(default_factory=Tally)
    """Names to keep or to drop that no sample has."""

    @classmethod
    def from_values(cls, out: Path, values: Mapping[str, Any]) -> "ExportResult":
        """Restore what `to_values` returned."""
        left_out, unknown = Tally.from_json(values["left_out"]), Tally.from_json(values.get("unknown", {}))
        return cls(out, values["format"], values["train"], values["validation"], left_out, unknown)

    def to_values(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "format": self.format,
            "train": self.train,
            "validation": self.validation,
            "left_out": self.left_out.to_json(),
            "unknown": self.unknown.to_json(),
        }

    def to_text(self) -> str:
        """Return lines for a terminal."""
        lines = [
            f"{printable(self.out)}: {self.train} samples to train on, {self.validation} to validate "
            f"({self.format}); all read back and compared with their source",
            *(f"  left out: {line}" for line in self.left_out.lines()),
            *(f"  marks: {line}" for line in self.unknown.lines()),
        ]
        return "\n".join(lines)


@dataclass(slots=True)
class _Plan:
    splits: dict[str, Members]
    characters: set[str]
    left_out: Tally
    unknown: Tally


def export(
    dataset: str | Path,
    to: str,
    out: str | Path,
    *,
    validation: float = 0.0,
    separate_words: bool = False,
    seed: int = 0,
    keep: str | Path | None = None,
    drop: str | Path | None = None,
    resume: bool = False,
) -> ExportResult:
    """Write the labeled set `dataset` into the folder `out`, in the layout `to`.

    Samples stream: memory grows by a byte a sample, and as docs/formats.md says of some options and
    layouts. Every sample is read back and compared with its
    source before `out` gets its name.

    Args:
        dataset: an LMDB, or any layout that `LabeledSet` opens.
        to: a name in `FORMATS`.
        out: a folder that does not exist.
        validation: a share below 1, or a count, that is set apart at random.
        separate_words: never put one word, whatever its case, on both sides.
        seed: random seed of the split.
        keep: a file with a sample's name a line: no others are written.
        drop: such a file of samples that are left out.
        resume: go on with an export that was stopped.

    Raises:
        ConfigError: there is no such layout, or nothing is left to train on.
        DatasetError: the set cannot be read, or no sample can be written.
        OutputError: `out` exists, an export to it was begun, its folder holds what is not ours, or what was
            written differs from its source.
        MissingPackageError: the layout needs a package that is missing.
    """
    if to not in FORMATS:
        raise ConfigError(f"There is no layout '{to}'. Use one of {', '.join(FORMATS)}.")
    settings = SplitSettings(validation, separate_words, seed)
    words = LabeledSet.open(dataset)
    marks = Marks.read(keep, drop)
    return _Export(words, FORMATS[to](), Path(out), settings, marks).run(resume)


class _Export:
    def __init__(
        self, words: LabeledSet, kind: Format, out: Path, settings: SplitSettings, marks: Marks
    ) -> None:
        self._words = words
        self._format = kind
        self._out = out
        self._settings = settings
        self._marks = marks
        self._work = beside(out, WORK_SUFFIX)
        self._tree = self._work / "tree"
        self._folder = WorkFolder(out, self._work, "export", _NAMES, "data or options")
        self._unlabeled = False

    @stopping.stops_at_checks()
    def run(self, resume: bool) -> ExportResult:
        self._require_apart()
        with self._folder.held(resume, self._identity()):
            if (earlier := self._folder.result()) is not None:
                self._folder.remove()
                return ExportResult.from_values(self._out, earlier)
            for name in ("tree", "listings", "done"):
                (self._work / name).mkdir(exist_ok=True)
            try:
                plan = self._plan()
            except SimanError:
                if not any((self._work / "done").iterdir()):
                    self._folder.remove()  # nothing to go on with
                raise
            left_out = plan.left_out
            for name, members in plan.splits.items():
                left_out.merge(self._write(name, members))
                self._format.finish(
                    self._tree, name, [self._listing(part) for part, _ in self._parts(name, members)]
                )
            if self._format.dictionary:
                shown = sorted(plan.characters if self._format.lists_space else plan.characters - {" "})
                write_text(self._tree / DICTIONARY, "".join(f"{character}\n" for character in shown))
            counts = {name: self._compare(name, members) for name, members in plan.splits.items()}
            if not counts["train"]:
                reasons = "; ".join(left_out.lines())
                self._folder.remove()
                raise DatasetError(f"{self._words.path} has no sample that could be written: {reasons}.")
            result = ExportResult(
                self._out, self._format.name, counts["train"], counts.get("val", 0), left_out, plan.unknown
            )
            if hasattr(os, "sync"):
                os.sync()  # millions of files, one by one, would take hours
            self._folder.publish(self._tree, result.to_values())
        return result

    def _require_apart(self) -> None:
        source = self._words.path.absolute()
        if source.is_dir() and self._out.absolute().is_relative_to(source):
            raise OutputError(f"{self._out} would lie inside the data set. Choose another output folder.")

    def _identity(self) -> dict[str, Any]:
        files = [(file, file.stat()) for file in self._words.files]
        return {
            "version": _VERSION,
            "format": self._format.name,
            "files": [[printable(file), found.st_size, found.st_mtime_ns] for file, found in files],
            "split": asdict(self._settings),
            "marks": self._marks.digest,
        }

    def _plan(self) -> _Plan:
        """Read every label: which samples are written, and where."""
        total = len(self._words)
        # A set is labeled or it is not; of a labeled one, what has no label is left out.
        self._unlabeled = self._format.takes_unlabeled and total > 0 and self._first_label() is None
        where = np.full(total, LEFT_OUT, np.uint8)
        by_words = self._settings.separate_words and self._settings.validation > 0
        hashes = np.zeros(total if by_words else 0, np.uint64)
        plan = _Plan({}, set(), Tally(), Tally())
        unknown = self._marks.names
        for index in tqdm(range(total), desc="labels", unit="sample", disable=None):
            if index % _CHECK_EVERY == 0:
                stopping.check()
            if unknown:
                unknown -= names_of(self._words, index)
            label, reason = self._label(index)
            if reason is not None:
                plan.left_out.add(reason, self._words.name(index))
            elif label is not None:
                where[index] = TRAIN
                if by_words:
                    hashes[index] = word_hash(label)
                plan.characters.update(label)
        for name in sorted(unknown):
            plan.unknown.add(f"{_UNKNOWN} {self._words.name(0)!r}", name)
        usable = where == TRAIN
        count = int(np.count_nonzero(usable))
        if not count:
            reasons = "; ".join([*plan.left_out.lines(), *plan.unknown.lines()]) or "it is empty"
            raise DatasetError(f"{self._words.path} has no sample that could be written: {reasons}.")
        chosen = split(count, hashes[usable] if by_words else None, self._settings)
        if chosen.any():
            where[usable] = np.where(chosen, VALIDATION, TRAIN).astype(np.uint8)
            plan.splits["val"] = Members(where, VALIDATION)
        # The training set is written first.
        plan.splits = {"train": Members(where, TRAIN), **plan.splits}
        return plan

    def _first_label(self) -> str | None:
        try:
            return self._words.label(0)
        except DatasetError:
            return ""

    def _label(self, index: int) -> tuple[str | None, str | None]:
        if reason := self._marks.problem(self._words, index):
            return None, reason
        try:
            label = self._words.label(index)
        except DatasetError:
            return None, "label that cannot be read"
        if label is None:
            return ("", None) if self._unlabeled else (None, "no label")
        return label, self._format.problem(label)

    def _parts(self, name: str, members: Members) -> Iterator[tuple[Part, npt.NDArray[np.int64]]]:
        size = self._format.part_size
        total = -(-len(members) // size)
        for number, indices in enumerate(members.parts(size)):
            yield Part(name, number, total), indices

    def _listing(self, part: Part) -> Path:
        return self._work / "listings" / f"{part.split}-{part.number:06d}"

    def _marker(self, part: Part) -> Path:
        return self._work / "done" / f"{part.split}-{part.number:06d}.json"

    def _write(self, name: str, members: Members) -> Tally:
        left_out = Tally()
        with tqdm(total=len(members), desc=f"write {name}", unit="sample", disable=None) as bar:
            for part, indices in self._parts(name, members):
                found = read_sealed(self._marker(part))
                if found is not None:
                    left_out.merge(Tally.from_json(found["left_out"]))
                    bar.update(len(indices))
                    continue
                skipped: list[int] = []
                reasons = Tally()
                samples = self._ready(indices, skipped, reasons, bar)
                self._format.write(self._tree, self._listing(part), part, samples)
                write_sealed(self._marker(part), {"skipped": skipped, "left_out": reasons.to_json()})
                left_out.merge(reasons)
        return left_out

    def _ready(
        self, indices: npt.NDArray[np.int64], skipped: list[int], reasons: Tally, bar: Any
    ) -> Iterator[Ready]:
        for count, index in enumerate(map(int, indices)):
            if count % _CHECK_EVERY == 0:
                stopping.check()
            bar.update()
            try:
                data = self._words.image(index)
                image, suffix = ready_image(data, self._words.name(index), self._format.suffixes)
                label, meta = self._words.label(index), self._words.meta(index)
            except (CropError, DatasetError) as error:
                skipped.append(index)
                reason = error.reason if isinstance(error, CropError) else "that cannot be read"
                reasons.add(f"image {reason}", self._words.name(index))
                continue
            yield Ready(index + 1, image, suffix, label or "", meta, label is not None)

    def _compare(self, name: str, members: Members) -> int:
        """Read a split back, compare each sample with its source, and return how many there are.

        Raises:
            OutputError: one differs, or there are more or fewer.
        """
        count = 0
        expected = self._written(name, members)
        with tqdm(total=len(members), desc=f"read back {name}", unit="sample", disable=None) as bar:
            for place in self._format.places(self._tree, name):
                with LabeledSet.open(place) as stored:
                    for number in range(len(stored)):
                        if count % _CHECK_EVERY == 0:
                            stopping.check()
                        index = next(expected, None)
                        if index is None or not self._is_same(stored, number, index):
                            raise self._differs(stored.name(number))
                        count += 1
                        bar.update()
        if next(expected, None) is not None:
            raise self._differs(f"number {count + 1} of {name}, which is missing")
        return count

    def _written(self, name: str, members: Members) -> Iterator[int]:
        for part, indices in self._parts(name, members):
            marker = read_sealed(self._marker(part))
            if marker is None:
                raise self._differs(f"{self._marker(part).name}, which was damaged")
            skipped = set(marker["skipped"])
            yield from (index for index in map(int, indices) if index not in skipped)

    def _is_same(self, stored: LabeledSet, number: int, index: int) -> bool:
        name = self._words.name(index)
        return stored.label(number) == self._words.label(index) and same_image(
            stored.image(number), self._words.image(index), name
        )

    def _differs(self, what: str) -> OutputError:
        return OutputError(
            f"What was written differs from its source at {what}: a disk that fails, or a source that was "
            f"changed meanwhile. Remove {self._work} and export again."
        )
