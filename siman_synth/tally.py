"""Counting what was skipped and why, with a few examples of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from siman_synth.escaping import printable

EXAMPLES_KEPT = 5
EXAMPLE_LENGTH = 200


@dataclass(slots=True)
class Tally:
    """Counts by reason, with the first few examples of each reason.

    Readers of files, fonts and corpora fill one while they work, so that a run can
    end by saying what it left out instead of hiding it or stopping for it.
    """

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, example: str | None = None, count: int = 1) -> None:
        """Count one more case of `reason`; what is kept of it can be printed and stored anywhere."""
        reason = printable(reason)
        self.counts[reason] = self.counts.get(reason, 0) + count
        kept = self.examples.setdefault(reason, [])
        if example is None or len(kept) >= EXAMPLES_KEPT:
            return
        shown = printable(example, EXAMPLE_LENGTH)
        if shown not in kept:
            kept.append(shown)

    def merge(self, other: "Tally") -> None:
        """Add all of another tally's counts and examples to this one."""
        for reason, count in other.counts.items():
            self.add(reason, count=count)
            for example in other.examples.get(reason, []):
                self.add(reason, example, count=0)

    @property
    def total(self) -> int:
        """How many cases were counted."""
        return sum(self.counts.values())

    def lines(self) -> Iterator[str]:
        """Yield one line a reason, most frequent first: `3 truncated (a.jpg, b.jpg, …)`."""
        for reason, count in sorted(self.counts.items(), key=lambda item: (-item[1], item[0])):
            kept = self.examples.get(reason, [])
            more = ", …" if kept and count > len(kept) else ""
            yield f"{count} {reason}" + (f" ({', '.join(kept)}{more})" if kept else "")

    def to_json(self) -> dict[str, dict[str, object]]:
        """Return plain values for a JSON file."""
        return {
            reason: {"count": count, "examples": self.examples.get(reason, [])}
            for reason, count in self.counts.items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Mapping[str, object]]) -> "Tally":
        """Restore what `to_json` returned."""
        tally = cls()
        for reason, entry in values.items():
            tally.counts[reason] = int(str(entry["count"]))
            tally.examples[reason] = [str(example) for example in entry["examples"]]  # type: ignore[attr-defined]
        return tally
