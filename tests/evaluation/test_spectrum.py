"""The spectrum finds a grid that was laid, and grain that was added, and nothing in noise alone."""

import numpy as np
import pytest

from siman_synth.evaluation.charts import spectrum_chart
from siman_synth.evaluation.spectrum import Spectrum


def grounds(count: int = 60, width: int = 130, deviation: float = 4.0) -> list[np.ndarray]:
    """Noisy grey grounds, float (32, W, 3)."""
    rng = np.random.default_rng(0)
    return [120.0 + deviation * rng.standard_normal((32, width, 3)) for _ in range(count)]


def spectrum(images: list[np.ndarray]) -> Spectrum:
    found = Spectrum.of([image.round().clip(0, 255).astype(np.uint8) for image in images])
    assert found is not None
    return found


def test_white_noise_has_no_peak_and_a_quarter_of_its_power_up_there() -> None:
    found = spectrum(grounds())
    assert found.tiles == 2 * 60
    assert list(found.peaks) == ["x, 2 px", "x, 4 px", "y, 2 px", "y, 4 px"]
    assert all(value == pytest.approx(1, abs=0.2) for value in found.peaks.values())
    # 31 of 64 columns and 15 of 32 rows of the spectrum lie above a quarter.
    assert found.high_share == pytest.approx(31 * 15 / (64 * 32), rel=0.03)


@pytest.mark.parametrize("period", [2, 4])
@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_grid_of_one_level_shows_at_its_period_and_axis_alone(axis: str, period: int) -> None:
    ramp = np.arange(130)[None, :, None] if axis == "x" else np.arange(32)[:, None, None]
    found = spectrum([image + 2.0 * np.cos(2 * np.pi * ramp / period) for image in grounds()])
    assert found.peaks[f"{axis}, {period} px"] > 1.5
    others = {at: value for at, value in found.peaks.items() if at != f"{axis}, {period} px"}
    assert all(value < 1.25 for value in others.values()), others


def test_a_blur_takes_the_high_frequencies_away() -> None:
    smooth = [(image + np.roll(image, 1, 0) + np.roll(image, 1, 1)) / 3 for image in grounds(deviation=20.0)]
    assert spectrum(smooth).high_share < 0.5 * spectrum(grounds(deviation=20.0)).high_share


def test_narrow_and_flat_images_have_no_spectrum() -> None:
    assert Spectrum.of([np.zeros((32, 63, 3), np.uint8)]) is None
    assert Spectrum.of([np.full((32, 90, 3), 200, np.uint8)]) is None
    assert Spectrum.of([]) is None


def test_the_chart_names_both_sets_figures() -> None:
    rough, real = spectrum(grounds()), spectrum(grounds(width=70))
    text = spectrum_chart("y", real, rough).text
    assert f"at 4 px {rough.peaks['y, 4 px']:.2f} (real {real.peaks['y, 4 px']:.2f})" in text
