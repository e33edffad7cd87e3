"""The settings of all layouts, a table for each. To add a layout, add a field here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Annotated, ClassVar

from siman_synth.errors import ConfigError
from siman_synth.limits import Between, check_settings
from siman_synth.render.layouts.base import LayoutSettings
from siman_synth.render.layouts.combined import CombinedSettings
from siman_synth.render.layouts.curved import CurvedSettings
from siman_synth.render.layouts.letter_spaced import LetterSpacedSettings
from siman_synth.render.layouts.perspective import PerspectiveSettings
from siman_synth.render.layouts.rotated import RotatedSettings
from siman_synth.render.layouts.slanted import SlantedSettings
from siman_synth.render.layouts.straight import StraightSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class LayoutConfig:
    """How the line of a word lies; how often and how far each layout bends it."""

    straight: StraightSettings = field(default_factory=StraightSettings)
    slanted: SlantedSettings = field(default_factory=SlantedSettings)
    letter_spaced: LetterSpacedSettings = field(default_factory=LetterSpacedSettings)
    curved: CurvedSettings = field(default_factory=CurvedSettings)
    perspective: PerspectiveSettings = field(default_factory=PerspectiveSettings)
    rotated: RotatedSettings = field(default_factory=RotatedSettings)
    combined: CombinedSettings = field(default_factory=CombinedSettings)
    most_rise_em: Annotated[float, Between(0.001, 5)] = 0.4
    """About how far arcs, slopes and rotations may lift a part of the line; long words get flatter ones."""

    moved: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "straight": "straight.weight",
            "slanted": "slanted.weight",
            "letter_spaced": "letter_spaced.weight",
            "curved": "curved.weight",
            "perspective": "perspective.weight",
            "rotated": "rotated.weight",
            "combined": "combined.weight",
            "slant_deg": "slanted.angle_deg",
            "letter_spacing_em": "letter_spaced.spacing_em",
            "arc_deg": "curved.arc_deg",
            "arc_up": "curved.up",
            "foreshortening": "perspective.foreshortening",
            "slope_deg": "perspective.slope_deg",
            "rotation_deg": "rotated.angle_deg",
        }
    )
    """Where the settings of version 0.1 are now; `config.py` tells whoever still uses those."""

    def __post_init__(self) -> None:
        check_settings(self)
        if not any(settings.weight for settings in self.layouts.values()):
            raise ConfigError(f"the weights of {', '.join(self.layouts)} must not all be 0.")

    @property
    def layouts(self) -> dict[str, LayoutSettings]:
        """Return the settings of each layout by its kind."""
        values = {found.name: getattr(self, found.name) for found in fields(self)}
        return {name: value for name, value in values.items() if hasattr(value, "makes")}
