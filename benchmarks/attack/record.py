"""What an attack counted."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from attack.commands import Outcome


@dataclass(slots=True)
class Record:
    """Cases and faults by kind, with an example of each fault."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    longest_s: float = 0.0

    def case(self, kind: str, outcome: Outcome) -> None:
        """Count a command."""
        self.cases[kind] += 1
        self.statuses[f"{kind}: {outcome.status}"] += 1
        self.longest_s = max(self.longest_s, outcome.seconds)

    def fault(self, kind: str, what: str, example: str) -> None:
        """Count a fault."""
        self.faults[f"{kind}: {what}"] += 1
        self.examples.setdefault(f"{kind}: {what}", example)

    def to_text(self) -> str:
        """Return the counts as a table, then an example of each fault."""
        lines = [f"{'attacked':<28}{'commands':>9}  exit statuses"]
        for kind, count in self.cases.items():
            ends = ", ".join(
                f"{name.rpartition(': ')[2]}: {number}"
                for name, number in sorted(self.statuses.items())
                if name.startswith(f"{kind}: ")
            )
            lines.append(f"{kind:<28}{count:>9}  {ends}")
        lines.append(f"{'all':<28}{self.cases.total():>9}  longest {self.longest_s:.1f} s")
        lines.append(f"faults: {self.faults.total()}")
        for name, count in self.faults.most_common():
            lines.append(f"  {count} {name}: {self.examples[name]}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain values."""
        return {
            "cases": dict(self.cases),
            "statuses": dict(self.statuses),
            "faults": dict(self.faults),
            "longest_s": round(self.longest_s, 2),
        }
