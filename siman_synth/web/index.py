"""A data set to look through: a table of what is known of each sample, filled while it is shown already."""

import contextlib
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siman_synth.errors import ConfigError, DatasetError, SimanError
from siman_synth.escaping import printable
from siman_synth.imaging.decode import decode_crop
from siman_synth.ocr.comparison import edit_similarity
from siman_synth.ocr.recognizer import judged_by
from siman_synth.storage.labeled_set import LabeledSet

_BATCH = 2000
_READ_AT_ONCE = 32
_MOST_CHOICES = 200
_SORTS = {"number": "number", "length": "length, number", "score": "score IS NULL, score, number"}
_TABLE = """
CREATE TABLE samples (
    number INTEGER PRIMARY KEY, label TEXT, length INTEGER, font TEXT, style TEXT, layout TEXT,
    score REAL, read TEXT
)
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which samples are shown, and in which order."""

    label: str = ""
    least_length: int = 0
    most_length: int = 0
    font: str = ""
    style: str = ""
    layout: str = ""
    most_score: float | None = None
    sort: str = "number"

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "Filter":
        """Check what came in a query.

        Raises:
            ConfigError: a value cannot be used.
        """
        try:
            score = values.get("most_score", "")
            found = cls(
                values.get("label", "")[:100],
                int(values.get("least_length") or 0),
                int(values.get("most_length") or 0),
                values.get("font", ""),
                values.get("style", ""),
                values.get("layout", ""),
                float(score) if score else None,
                values.get("sort", "number"),
            )
        except ValueError as error:
            raise ConfigError("Lengths and scores of a filter must be numbers.") from error
        if found.sort not in _SORTS:
            raise ConfigError(f"sort must be one of {', '.join(_SORTS)}.")
        return found

    def where(self) -> tuple[str, list[Any]]:
        """Return the condition in SQL, and its values."""
        parts: list[str] = []
        values: list[Any] = []
        if self.label:
            parts.append("instr(lower(label), lower(?)) > 0")
            values.append(self.label)
        for condition, value in (
            ("length >= ?", self.least_length), ("length <= ?", self.most_length), ("font = ?", self.font),
            ("style = ?", self.style), ("layout = ?", self.layout),
        ):  # fmt: skip
            if value:
                parts.append(condition)
                values.append(value)
        if self.most_score is not None:
            parts.append("score <= ?")
            values.append(self.most_score)
        return (" WHERE " + " AND ".join(parts) if parts else ""), values


class SampleIndex:
    """A labeled set by number, label, font, style, layout and score."""

    def __init__(self, path: Path) -> None:
        self.words = LabeledSet.open(path, confined=True)
        self.indexed = 0
        self.reading = 0
        self.problem: str | None = None
        self.choices: dict[str, list[str]] = {"font": [], "style": [], "layout": []}
        """The most frequent fonts, styles and layouts: of all samples once they are indexed."""
        self._folder = tempfile.TemporaryDirectory(prefix="siman-synth-")
        self._file = Path(self._folder.name, "index.sqlite")
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._reads = threading.Event()
        with self._connected() as connection:
            connection.execute(_TABLE)

    def __len__(self) -> int:
        return len(self.words)

    def start(self) -> None:
        """Begin to fill the table."""
        threading.Thread(target=self._index_all, daemon=True).start()

    def close(self) -> None:
        """Stop what is under way and remove the table."""
        self._closed.set()
        with self._lock, contextlib.suppress(OSError):
            self._folder.cleanup()

    def state(self) -> dict[str, Any]:
        """Return how far the table is."""
        return {
            "total": len(self),
            "indexed": self.indexed,
            "reading": self._reads.is_set(),
            "read": self.reading,
            "problem": self.problem,
        }

    def _counted(self) -> dict[str, list[str]]:
        """Return the fonts, styles and layouts that there are, the most frequent ones: seconds of work."""
        with self._connected() as connection:
            return {
                name: [
                    row[0]
                    for row in connection.execute(
                        f"SELECT {name} FROM samples WHERE {name} IS NOT NULL GROUP BY {name} "
                        f"ORDER BY count(*) DESC LIMIT {_MOST_CHOICES}"
                    )
                ]
                for name in ("font", "style", "layout")
            }

    def page(self, chosen: Filter, start: int, count: int) -> dict[str, Any]:
        """Return some of the samples that a filter leaves, and how many it does."""
        where, values = chosen.where()
        if not where and chosen.sort == "number":
            numbers = list(range(start, min(len(self), start + count)))
            return {"matches": len(self), "samples": [self._told(number, None, None) for number in numbers]}
        with self._connected() as connection:
            (matches,) = connection.execute(f"SELECT count(*) FROM samples{where}", values).fetchone()
            order = f"ORDER BY {_SORTS[chosen.sort]} LIMIT ? OFFSET ?"
            rows = connection.execute(
                f"SELECT number, score, read FROM samples{where} {order}", [*values, count, start]
            ).fetchall()
        return {"matches": matches, "samples": [self._told(*row) for row in rows]}

    def image(self, number: int) -> bytes:
        """Return the encoded image of a sample, counted from 0.

        Raises:
            DatasetError: it cannot be read.
            IndexError: there is none.
        """
        return self.words.image(number)

    def start_reading(self) -> None:
        """Begin to read every sample with PP-OCR: the score of one is how much of its label was read.

        A label of letters that it has not, or of none, gets no score.

        Raises:
            MissingPackageError: PP-OCR is missing.
        """
        from siman_synth.ocr.ppocr import PpOcr

        if self._reads.is_set():
            return
        ocr = PpOcr.load()
        self._reads.set()
        threading.Thread(target=self._read_all, args=(ocr,), daemon=True).start()

    def stop_reading(self) -> None:
        """Stop reading; what was read stays."""
        self._reads.clear()

    def _told(self, number: int, score: float | None, read: str | None) -> dict[str, Any]:
        try:
            label, meta = self.words.label(number), self.words.meta(number) or {}
        except DatasetError as error:
            return {"number": number, "name": self.words.name(number), "problem": str(error)}
        if score is None:
            with self._connected() as connection:
                row = connection.execute(
                    "SELECT score, read FROM samples WHERE number = ?", (number,)
                ).fetchone()
            score, read = row or (None, None)
        return {
            "number": number,
            "name": self.words.name(number),
            "label": label,
            "boxes": meta.get("boxes"),
            "score": score,
            "read": read,
            **dict(zip(("font", "style", "layout"), _known(meta), strict=True)),
        }

    def _index_all(self) -> None:
        rows: list[tuple[Any, ...]] = []
        counted_at = 0
        for number in range(len(self.words)):
            if self._closed.is_set():
                return
            try:
                label, meta = self.words.label(number), self.words.meta(number) or {}
            except SimanError:
                label, meta = None, {}
            length = None if label is None else len(label)
            rows.append((number, label, length, *_known(meta), _score(meta), None))
            if len(rows) == _BATCH or number == len(self.words) - 1:
                if not self._insert(rows):
                    return
                self.indexed = number + 1
                rows = []
                # While the table grows, each time that it has doubled.
                if self.indexed >= 2 * counted_at or self.indexed == len(self.words):
                    self.choices = self._counted()
                    counted_at = self.indexed

    def _insert(self, rows: list[tuple[Any, ...]]) -> bool:
        with self._lock:
            if self._closed.is_set():
                return False
            try:
                with self._connected() as connection:
                    connection.executemany("INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            except sqlite3.Error as error:
                self.problem = f"The index cannot be written: {error}."
                return False
        return True

    def _read_all(self, ocr: Any) -> None:
        try:
            for start in range(0, len(self.words), _READ_AT_ONCE):
                if self._closed.is_set() or not self._reads.is_set() or start >= self.indexed:
                    break
                self._read_some(ocr, range(start, min(len(self.words), start + _READ_AT_ONCE)))
                self.reading = min(len(self.words), start + _READ_AT_ONCE)
        finally:
            self._reads.clear()

    def _read_some(self, ocr: Any, numbers: range) -> None:
        images, kept = [], []
        for number in numbers:
            try:
                label = self.words.label(number)
                image = decode_crop(self.words.image(number), self.words.name(number))
            except SimanError:
                continue
            if label is not None:
                images.append(image)
                kept.append((number, label))
        rows = []
        for (number, label), reading in zip(kept, ocr.read(images), strict=True):
            judged = judged_by(ocr, label, reading.text)
            rows.append((None if judged is None else edit_similarity(*judged), reading.text, number))
        with self._lock:
            if not self._closed.is_set():
                with self._connected() as connection:
                    connection.executemany("UPDATE samples SET score = ?, read = ? WHERE number = ?", rows)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._file, timeout=30)
        try:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = WAL")
            with connection:
                yield connection
        finally:
            connection.close()


def _known(meta: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    layout = meta.get("layout")
    if isinstance(layout, dict):
        layout = layout.get("kind")
    found = (meta.get("font"), meta.get("style", meta.get("origin")), layout)
    font, style, kind = (printable(value, 200) if isinstance(value, str) else None for value in found)
    return font, style, kind


def _score(meta: Mapping[str, Any]) -> float | None:
    value = meta.get("reading_score", meta.get("score"))
    return float(value) if isinstance(value, int | float) else None
