"""What crops say, as files that `generate --corpus` takes."""

import contextlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from siman_synth.errors import OutputError
from siman_synth.escaping import printable
from siman_synth.files import delete, make_folder, publish_folder, write_text
from siman_synth.tally import Tally
from siman_synth.text.pattern_file import SUFFIX, Weighted, patterns_text

WORDS_FILE, PATTERNS_FILE, SUMMARY_FILE = "words.txt", f"numbers{SUFFIX}", "words.json"
DEFAULT_LENGTH = 25
"""Of labels, where nothing else is asked."""
_LONGEST_SHARE = 0.995
_SHOWN = 8


def require_new(out: Path) -> None:
    """Check that a folder can be written.

    Raises:
        OutputError: something is there, but for an empty folder.
    """
    if out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
        raise OutputError(f"{out} is there already. Name a folder that does not exist.")


@dataclass(frozen=True, slots=True)
class CropWords:
    """What was read on crops; lengths alone where nothing could be."""

    crops: int
    """How many crops were looked at."""
    read: int
    """How many of them were read with certainty."""
    ocr: str | None
    """Who read them, None if nobody did."""
    readings: Mapping[str, int] = field(default_factory=dict)
    """Every certain reading, and how often it was read."""
    words: tuple[str, ...] = ()
    """Readings that make no pattern; each once."""
    patterns: tuple[Weighted, ...] = ()
    """Patterns of numbers, dates and codes; their weights are numbers of crops."""
    lengths: Mapping[int, int] = field(default_factory=dict)
    """How many crops hold so many characters, as they were read or as their widths say."""
    case: Mapping[str, float] = field(default_factory=dict)
    """Shares of upper, lower, capitalized and mixed among readings with letters that have case."""
    characters: Mapping[str, float] = field(default_factory=dict)
    """Shares of capitals, other letters, digits, signs and spaces among all characters."""
    spaced: float = 0.0
    """Share of readings with a space."""
    skipped: Tally = field(default_factory=Tally)
    """Crops that could not be decoded, by reason."""

    @classmethod
    def without_words(
        cls, crops: int, lengths: Mapping[int, int], skipped: Tally, ocr: str | None = None, read: int = 0
    ) -> Self:
        """Return what is known where nothing was read: lengths."""
        return cls(crops, read, ocr, lengths=dict(sorted(lengths.items())), skipped=skipped)

    @property
    def has_words(self) -> bool:
        """Whether there is anything to write with."""
        return bool(self.words or self.patterns)

    @property
    def max_length(self) -> int:
        """What `text.max_length` should be, for all but the longest lines."""
        left = _LONGEST_SHARE * sum(self.lengths.values())
        for characters, count in sorted(self.lengths.items()):
            if (left := left - count) <= 0:
                return max(characters, DEFAULT_LENGTH)
        return DEFAULT_LENGTH

    def write(self, folder: str | Path) -> tuple[str, ...]:
        """Write words, patterns and a summary into a new folder; return specs for `--corpus`.

        Weights of the specs are the shares of crops whose text is a word, or of a pattern.

        Raises:
            OutputError: the folder is there and not empty.
        """
        out = Path(folder)
        require_new(out)
        work = out.with_name(f"{out.name}.partial-{uuid.uuid4().hex}")
        try:
            make_folder(work)
            if self.words:
                write_text(work / WORDS_FILE, "\n".join(self.words) + "\n")
            if self.patterns:
                comment = f"Read in {self.read} of {self.crops} crops. Weight, tab, pattern."
                write_text(work / PATTERNS_FILE, patterns_text(self.patterns, comment))
            write_text(work / SUMMARY_FILE, json.dumps(self.to_json(), ensure_ascii=False, indent=1) + "\n")
            publish_folder(work, out)
        except BaseException:
            with contextlib.suppress(OSError):
                delete(work)
            raise
        return self.specs(out)

    def specs(self, folder: str | Path) -> tuple[str, ...]:
        """Return what `--corpus` takes of a folder that was written."""
        of_patterns = sum(one.weight for one in self.patterns)
        shares = {
            PATTERNS_FILE: min(of_patterns / max(self.read, 1), 1.0) if self.words else 1.0,
            WORDS_FILE: max(1 - of_patterns / max(self.read, 1), 0.01),
        }
        there = {PATTERNS_FILE: self.patterns, WORDS_FILE: self.words}
        return tuple(f"{Path(folder) / name}:{share:.3g}" for name, share in shares.items() if there[name])

    def to_json(self) -> dict[str, object]:
        """Return plain values, without the texts."""
        return {
            "crops": self.crops,
            "read": self.read,
            "ocr": self.ocr,
            "words": len(self.words),
            "patterns": len(self.patterns),
            "max_length": self.max_length,
            "lengths": {str(characters): count for characters, count in self.lengths.items()},
            "case": dict(self.case),
            "characters": dict(self.characters),
            "spaced": round(self.spaced, 4),
            "skipped": self.skipped.to_json(),
        }

    def to_text(self) -> str:
        """Return lines for a terminal."""
        by = f" by {self.ocr}" if self.ocr else ""
        lines = [f"{self.crops} crops, {self.read} read with certainty{by}"]
        lines += [f"  left out: {line}" for line in self.skipped.lines()]
        if self.ocr and not self.has_words:
            lines.append("  too few: another script, or too hard to read; lengths are estimated from widths")
        if self.has_words:
            covered = sum(one.weight for one in self.patterns) / self.read
            held = f"{len(self.words)} words and lines; {len(self.patterns)} patterns"
            lines.append(f"  {held} for {covered:.0%} of the crops")
            ordered = sorted(self.patterns, key=lambda one: -one.weight)[:_SHOWN]
            lines += [f"    {one.weight:g}  {printable(one.template.source)}" for one in ordered]
            lines.append("  case: " + ", ".join(f"{name} {share:.0%}" for name, share in self.case.items()))
        half, most = self._length_at(0.5), self._length_at(0.95)
        lines.append(f"  characters: half of the crops have up to {half}, nineteen in twenty up to {most}")
        return "\n".join(lines)

    def _length_at(self, share: float) -> int:
        left = share * sum(self.lengths.values())
        for characters, count in sorted(self.lengths.items()):
            if (left := left - count) <= 0:
                return characters
        return 0
