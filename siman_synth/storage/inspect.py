"""What a data set holds, in numbers."""

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from siman_synth.escaping import printable, shortened_repr
from siman_synth.storage.labeled_set import LabeledSet
from siman_synth.storage.lmdb_format import FIRST_INDEX, image_key
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.tally import Tally

_BAR = 40
_MOST_BARS = 40
_LONGEST_NAME = 200
_META_KEYS = {"fonts": ("font",), "styles": ("style", "style_id", "style_name"), "layouts": ("layout",)}


@dataclass(frozen=True, slots=True)
class Spread:
    """Least, median and greatest of a set of numbers."""

    least: float
    median: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Measure `values`; all zero when there are none."""
        if not values:
            return cls(0, 0, 0)
        return cls(min(values), statistics.median(values), max(values))

    def __str__(self) -> str:
        return f"{self.least:g} to {self.greatest:g} (median {self.median:.3g})"


@dataclass(slots=True)
class DatasetSummary:
    """Counts and sizes of one data set; histograms map a value to how often it occurs."""

    path: str
    samples: int
    labeled: int = 0
    image_bytes: int = 0
    file_bytes: int = 0
    label_lengths: Counter[int] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    widths_px: Spread = field(default_factory=lambda: Spread(0, 0, 0))
    heights_px: Spread = field(default_factory=lambda: Spread(0, 0, 0))
    aspects: Spread = field(default_factory=lambda: Spread(0, 0, 0))
    fonts: Counter[str] = field(default_factory=Counter)
    styles: Counter[str] = field(default_factory=Counter)
    layouts: Counter[str] = field(default_factory=Counter)
    remarks: Tally = field(default_factory=Tally)
    """What is odd about the set; `verify` looks closer."""

    def to_text(self) -> str:
        """Return the summary as lines for a terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{printable(self.path)}: {self.samples} samples, {self.labeled} labeled"
        size = f"{_bytes(self.file_bytes)} on disk"
        if self.samples:
            formats = ", ".join(f"{count} {name}" for name, count in self.formats.most_common())
            size += f", {_bytes(self.image_bytes / self.samples)} an image ({formats})"
        yield size
        yield f"width px   {self.widths_px}"
        yield f"height px  {self.heights_px}"
        yield f"aspect     {self.aspects}"
        yield from (f"remark: {line}" for line in self.remarks.lines())
        for name, counter in (("fonts", self.fonts), ("styles", self.styles), ("layouts", self.layouts)):
            if counter:
                often = ", ".join(f"{key} {count}" for key, count in counter.most_common(4))
                yield f"{len(counter)} {name}: {often}" + (", …" if len(counter) > 4 else "")
        if self.label_lengths:
            yield "label lengths"
            yield from _bars(_binned(self.label_lengths))
        if self.characters:  # labels may all be empty
            yield f"characters ({len(self.characters)} different)"
            most = self.characters.most_common(20)
            yield from _bars([(_shown(character), count) for character, count in most])
            rest = [_shown(character) for character, _ in self.characters.most_common()[20:]]
            if rest:
                yield f"  and {' '.join(rest[:80])}" + (" …" if len(rest) > 80 else "")


def inspect_dataset(reader: LmdbReader | LabeledSet) -> DatasetSummary:
    """Read every sample once and count what is in it.

    Raises:
        DatasetError: a sample is missing or cannot be decoded (`verify_dataset` lists them all).
    """
    summary = DatasetSummary(str(reader.path), len(reader), file_bytes=reader.data_bytes)
    widths_px: list[int] = []
    heights_px: list[int] = []
    if isinstance(reader, LmdbReader):
        _remark_on_keys(reader, summary)
    for index, sample in enumerate(reader):
        if not (sample.width_px and sample.height_px):
            summary.remarks.add("images without a size", reader.name(index))
        widths_px.append(sample.width_px)
        heights_px.append(sample.height_px)
        summary.image_bytes += len(sample.image)
        summary.formats[_format(sample.image)] += 1
        if sample.label is not None:
            summary.labeled += 1
            summary.label_lengths[len(sample.label)] += 1
            summary.characters.update(sample.label)
        for name, keys in _META_KEYS.items():
            value = _first(sample.meta or {}, keys)
            if value is not None:
                getattr(summary, name)[value] += 1
    summary.widths_px = Spread.of(widths_px)
    summary.heights_px = Spread.of(heights_px)
    pairs = zip(widths_px, heights_px, strict=True)
    summary.aspects = Spread.of([width / height for width, height in pairs if height])
    return summary


def _remark_on_keys(reader: LmdbReader, summary: DatasetSummary) -> None:
    if reader.first_number != FIRST_INDEX:
        summary.remarks.add("keys count from 0 where every trainer counts from 1", image_key(0).decode())
    for key in reader.images_beyond():
        summary.remarks.add(f"images beyond num-samples ({len(reader)}), which nobody reads", key.decode())


def _first(meta: Any, keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = meta.get(key)
        if isinstance(value, dict):
            value = value.get("name", value.get("kind"))
        if value is not None:
            return printable(value, _LONGEST_NAME) if isinstance(value, str) else shortened_repr(value)
    return None


def _format(image: bytes) -> str:
    if image.startswith(b"\xff\xd8"):
        return "JPEG"
    return "PNG" if image.startswith(b"\x89PNG") else "other"


def _binned(lengths: Counter[int]) -> list[tuple[str, int]]:
    """Return rows of (length, count); the longest share a row where there are too many lengths."""
    rows = sorted(lengths.items())
    shown = [(str(length), count) for length, count in rows[:_MOST_BARS]]
    if rest := rows[_MOST_BARS:]:
        shown.append((f"{rest[0][0]}+", sum(count for _, count in rest)))
    return shown


def _bars(rows: Sequence[tuple[str, int]]) -> Iterator[str]:
    most = max(count for _, count in rows)
    digits = len(str(most))
    for name, count in rows:
        yield f"  {name:>6}  {count:>{digits}}  {'#' * max(1, round(_BAR * count / most))}"


def _shown(character: str) -> str:
    if character == " " or not character.isprintable() or printable(character) != character:
        return f"U+{ord(character):04X}"
    return character


def _bytes(count: float) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
