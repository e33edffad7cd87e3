"""What a layout is, and what its settings must offer."""

from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from siman_synth.render.outlines import Points
from siman_synth.render.shaping import TextLine

if TYPE_CHECKING:
    from siman_synth.render.layouts.config import LayoutConfig

Units = npt.NDArray[np.int64]

TYPICAL_ADVANCE_EM = 0.55
"""Width of a letter when a layout is drawn, before anybody knows the font."""


class Layout(Protocol):
    """What every layout offers; its fields are numbers, so that a plan can become JSON."""

    kind: ClassVar[str]
    """Its name, which is also the name of its settings in `LayoutConfig`."""

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Return where `points` (P, 2) of the line, each belonging to one of `units` (P,), go."""
        ...


class LayoutSettings(Protocol):
    """The settings of one layout: a frozen dataclass that draws layouts of its kind."""

    makes: ClassVar[type[Layout]]
    """The class of what `draw` returns."""

    @property
    def weight(self) -> float:
        """How often this layout is drawn, beside the weights of the others."""
        ...

    def draw(self, text: str, config: "LayoutConfig", rng: np.random.Generator) -> Layout:
        """Draw a layout that suits `text`; `config` holds the settings of all layouts."""
        ...
