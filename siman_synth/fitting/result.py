"""What a fit found, for a terminal and for the recipe's heading."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from siman_synth.runs.result import skipped_lines
from siman_synth.tally import Tally

_SHOWN = {
    "imagenet": ("KID, ImageNet features, x 1000", 1000.0),
    "ocr": ("KID, OCR features, x 1000", 1000.0),
    "spectrum": ("spectrum, dB", 1.0),
    "looks": ("histograms of looks, %", 100.0),
}
_PAINTED = 0.5
"""From this share of the distance on, it is the painting that is worth the next effort."""
_FAR = 1.25
"""What is this much nearer to the guiding crops than to the others was learned by heart."""


@dataclass(frozen=True, slots=True)
class FitResult:
    """Distances before and after, to crops that did not guide the search and to those that did."""

    out: Path
    trials: int
    """How many recipes were tried."""
    of: tuple[int, ...]
    """Which of them the recipe is the mean of, the best first; 0 is the default recipe."""
    before: Mapping[str, float]
    after: Mapping[str, float]
    guide_before: Mapping[str, float]
    guide_after: Mapping[str, float]
    floor: Mapping[str, float]
    """Real crops against real crops."""
    painting: Mapping[str, float] = field(default_factory=dict)
    """Guiding crops as the network repaints them, against the others, by features.

    Empty if unknown, and after pretraining on the crops.
    """
    scene_share: float = 0.0
    """Share of the words that are drawn as the recipe `scene` draws them."""
    skipped: Mapping[str, Tally] = field(default_factory=dict)
    """What was left out before the search: words, characters, fonts, crops."""

    def rows(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield what is compared, and before, after and floor as text."""
        for part, (shown, scale) in _SHOWN.items():
            if part in self.after:
                values = (self.before[part], self.after[part], self.floor[part])
                before, after, floor = (f"{scale * max(value, 0.0):.4g}" for value in values)
                yield shown, before, after, floor

    def warnings(self) -> list[str]:
        """Return what speaks against the recipe: parts that fit only the crops that guided, or got worse."""
        found = []
        for part, (shown, _) in _SHOWN.items():
            if part not in self.after:
                continue
            guide = max(self.guide_after[part], 0.0) / max(self.guide_before[part], 1e-9)
            checked = max(self.after[part], 0.0) / max(self.before[part], 1e-9)
            if checked > 1.02:
                found.append(f"{shown}: farther from the crops than before ({checked:.0%} of the distance).")
            elif checked > _FAR * guide + 0.05:
                found.append(
                    f"{shown}: {guide:.0%} of the distance to the crops that guided, {checked:.0%} to the "
                    "others. Part of it was learned by heart; give more crops."
                )
        return found

    def hints(self) -> list[str]:
        """Return what else would bring words nearer to the crops."""
        painted, after = self.painting.get("imagenet", 0.0), self.after.get("imagenet", 0.0)
        if painted <= 0 or painted < _PAINTED * after:
            return []
        return [
            f"Crops that these weights merely repaint are {1000 * painted:.4g} away (KID, ImageNet "
            "features): a good part of what is left is painting, which no recipe mends. A thousand steps "
            "of pretraining on the crops may."
        ]

    def variety(self) -> str:
        """Return how many words are drawn as `scene` draws them, and why; where there are any."""
        return (
            f"{self.scene_share:.0%} of the words are drawn as the recipe scene draws them, for variety; no "
            "distance grows by more than a tenth. scene_share = 0 leaves them out."
        )

    @property
    def is_default(self) -> bool:
        """Whether no recipe was better than the default one."""
        return self.of == (0,)

    def tried(self) -> str:
        """Return how many recipes were tried, and which of them were taken."""
        if self.is_default:
            return f"{self.trials} recipes tried"
        which = ", ".join(map(str, self.of))
        taken = f"mean of the best {len(self.of)}: {which}" if len(self.of) > 1 else f"the best: {which}"
        return f"{self.trials} recipes tried ({taken})"

    def summary(self) -> str:
        """Return a line for each of what is compared."""
        return "\n".join(
            f"  {shown}: {before} before, {after} now, {floor} among real crops"
            for shown, before, after, floor in self.rows()
        )

    def to_text(self) -> str:
        """Return lines for a terminal."""
        lines = [f"{self.tried()}; distance to crops that did not guide the search:"]
        lines.append(self.summary())
        if self.scene_share:
            lines.append(f"  {self.variety()}")
        lines += [f"  {line}" for line in (*self.warnings(), *self.hints())]
        lines += [f"  {line}" for line in skipped_lines(self.skipped)]
        if self.is_default:
            lines.append(
                "  None was nearer than the default recipe by more than chance; the folder holds that one."
            )
        return "\n".join(lines)
