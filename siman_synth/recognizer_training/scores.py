"""How well words were read: the three figures of the field, with their intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from siman_synth.ocr.comparison import edit_distance, edit_similarity

_Z = 1.96
"""Of a normal distribution: 95 %."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares over `words` words, from 0 to 1."""

    words: int
    right: float
    """Acc.: words read without an edit."""
    within_one_edit: float
    """E.D. 1 of the literature on representations: at most one edit."""
    edit_similarity: float
    """NED of ICDAR 2019: the mean of 1 - edits / length of the longer of label and reading."""
    edit_similarity_error: float
    """Its standard error."""

    @classmethod
    def of(cls, labels: Sequence[str], readings: Sequence[str]) -> "Scores":
        """Compare labels with readings, both cleaned by the recognizer's charset.

        Raises:
            ValueError: there is none.
        """
        if not labels:
            raise ValueError("Scores need at least one word.")
        edits = [edit_distance(label, found) for label, found in zip(labels, readings, strict=True)]
        alike = [edit_similarity(label, found) for label, found in zip(labels, readings, strict=True)]
        count = len(labels)
        mean = math.fsum(alike) / count
        spread = math.fsum((value - mean) ** 2 for value in alike) / max(count - 1, 1)
        return cls(
            words=count,
            right=sum(edit == 0 for edit in edits) / count,
            within_one_edit=sum(edit <= 1 for edit in edits) / count,
            edit_similarity=mean,
            edit_similarity_error=math.sqrt(spread / count),
        )

    @property
    def right_interval(self) -> Interval:
        """The 95 % interval of `right`."""
        return wilson(self.right, self.words)

    @property
    def within_one_edit_interval(self) -> Interval:
        """The 95 % interval of `within_one_edit`."""
        return wilson(self.within_one_edit, self.words)

    @property
    def edit_similarity_interval(self) -> Interval:
        """The 95 % interval of `edit_similarity`, by the normal distribution."""
        half = _Z * self.edit_similarity_error
        return max(self.edit_similarity - half, 0.0), min(self.edit_similarity + half, 1.0)

    def to_text(self) -> str:
        """Return them as a line, in percent."""
        figures = (
            ("Acc.", self.right, self.right_interval),
            ("E.D. 1", self.within_one_edit, self.within_one_edit_interval),
            ("NED", self.edit_similarity, self.edit_similarity_interval),
        )
        return "  ".join(
            f"{name} {100 * value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
            for name, value, (low, high) in figures
        )


def wilson(share: float, count: int) -> Interval:
    """Return the 95 % interval of a share that was found in `count` trials (Wilson, 1927)."""
    centre = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return max(centre - half, 0.0), min(centre + half, 1.0)
