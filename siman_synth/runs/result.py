"""What a run made, for its caller, for the terminal, for the summary, and inside the data set."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from siman_synth.config import fingerprint
from siman_synth.escaping import printable
from siman_synth.runs.markers import ShardReport
from siman_synth.runs.run_folder import is_identity
from siman_synth.tally import Tally


@dataclass(frozen=True, slots=True)
class Record:
    """What a data set says about itself: how it was made, and how many attempts that took.

    Nothing in it depends on time, place or workers: the same run gives the same bytes.
    """

    identity: Mapping[str, Any]
    """See `Job.identity`."""
    made: int
    dropped: int
    rejected: Tally

    @classmethod
    def of(cls, identity: Mapping[str, Any], reports: Sequence[ShardReport]) -> Self:
        """Add up the reports of all shards, in their order."""
        rejected = Tally()
        for report in reports:
            rejected.merge(report.rejected)
        made, dropped = (sum(getattr(report, name) for report in reports) for name in ("made", "dropped"))
        return cls(identity, made, dropped, rejected)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        counts = {"made": self.made, "dropped": self.dropped, "rejected": self.rejected.to_json()}
        return {"identity": dict(self.identity), "fingerprint": fingerprint(self.identity), **counts}

    def to_bytes(self) -> bytes:
        """Return what is stored in the data set."""
        return json.dumps(self.to_json(), sort_keys=True).encode()

    @classmethod
    def from_json(cls, values: object) -> Self | None:
        """Restore what `to_json` returned, also from a summary; None if it is none of ours."""
        try:
            if not isinstance(values, Mapping) or not is_identity(values["identity"]):
                return None
            if values["fingerprint"] != fingerprint(values["identity"]):
                return None
            rejected = Tally.from_json(values["rejected"])
            return cls(values["identity"], int(values["made"]), int(values["dropped"]), rejected)
        except (AttributeError, LookupError, TypeError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class GenerateResult:
    """How a run ended."""

    out: Path
    made: int
    dropped: int
    rejected: Tally
    """Attempts that failed and were resampled, by reason."""
    skipped: Mapping[str, Tally]
    """What was left out before the run: words, characters, fonts, crops."""
    seconds: float
    new_samples: int
    """Samples made by this call; the others were there already."""
    remade: Tally = field(default_factory=Tally)
    """Shards that were finished, were found damaged, and were made again."""

    @property
    def images_per_second(self) -> float:
        """Samples made by this call a second, start-up and merge included."""
        return self.new_samples / max(self.seconds, 1e-9)

    def to_text(self) -> str:
        """Return the summary that ends a run."""
        lines = [f"{self.made} samples in {printable(self.out)}"]
        if self.new_samples:
            lines.append(
                f"{self.new_samples} made now in {self.seconds:.1f} s, {self.images_per_second:.1f} images/s"
            )
        else:
            lines.append("all of them were made earlier")
        if self.dropped:
            lines.append(f"{self.dropped} dropped, because every attempt failed")
        lines += [f"rejected and resampled: {line}" for line in self.rejected.lines()]
        lines += skipped_lines(self.skipped)
        lines += [f"made again: {line}" for line in self.remade.lines()]
        return "\n".join(lines)


def skipped_lines(skipped: Mapping[str, Tally]) -> list[str]:
    """Return a line for each kind of input and reason that something was left out."""
    return [f"skipped {kind}: {line}" for kind, tally in skipped.items() for line in tally.lines()]
