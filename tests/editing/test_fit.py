"""A word that lies a little off is moved onto the ink."""

import dataclasses

import cv2
import numpy as np
import pytest

from siman_synth.editing.fit import laid_over, refined
from siman_synth.editing.lettering import box_matrix, fill_mapped, set_line
from siman_synth.editing.target import UPRIGHT, Target
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.shaping import TextLine, shape_line

FONT = "roboto/Roboto_400Regular"


@pytest.mark.parametrize("frame", [(48, 160), (47, 161)])
def test_a_word_is_moved_turned_and_scaled_onto_the_ink(
    editing_fonts: FontLibrary, frame: tuple[int, int]
) -> None:
    font = editing_fonts.font(FONT)
    line = shape_line("Harbour", editing_fonts.face(font), font.family)
    outline = set_line(line, 0.0, 0.0)
    true = np.array([[1.01, 0.03, -1.2], [0.02, 0.99, 0.8], [0, 0, 1]]) @ box_matrix(
        outline.box, (16, 8, 144, 40)
    )
    target = Target.of(fill_mapped(outline, true, *frame).astype(np.float32) / 255)
    assert target is not None
    off = laid_over(FONT, line, target, UPRIGHT, shift=np.array([[1, 0, 1.5], [0, 1, -1.0], [0, 0, 1]]))
    found = refined(off, target)
    assert off.overlap < 0.9
    assert found.overlap > 0.995
    corners = np.array([[0, 0, 1], [outline.box[2], outline.box[3], 1]])
    apart = (corners @ (found.lettering.matrix - true).T)[:, :2]
    assert np.abs(apart).max() < 0.6


def test_what_cannot_win_is_not_made_heavier(editing_fonts: FontLibrary) -> None:
    font = editing_fonts.font(FONT)
    line = shape_line("Harbour", editing_fonts.face(font), font.family)
    bold = set_line(line, 0.02, 0.0)
    matrix = box_matrix(bold.box, (16, 8, 144, 40))
    target = Target.of(fill_mapped(bold, matrix, 48, 160).astype(np.float32) / 255)
    assert target is not None
    fit = laid_over(FONT, line, target, UPRIGHT)
    assert refined(fit, target).lettering.weight_em > 0
    hopeless = refined(fit, target, rival=1.5)
    assert hopeless.lettering.weight_em == 0
    assert hopeless.likeness < 1.5


@pytest.mark.parametrize("sigma", [0.0, 1.0, 1.4])
def test_softness_is_that_of_the_ink(editing_fonts: FontLibrary, sigma: float) -> None:
    font = editing_fonts.font(FONT)
    outline = set_line(shape_line("HILL", editing_fonts.face(font), font.family), 0.03, 0.0)
    alpha = fill_mapped(outline, box_matrix(outline.box, (10, 6, 110, 42)), 48, 120).astype(np.float32) / 255
    target = Target.of(cv2.GaussianBlur(alpha, (0, 0), sigma) if sigma else alpha)
    assert target is not None
    assert target.softness_px == pytest.approx(min(sigma, 48 / 40), abs=0.35)


def test_a_blurred_serif_is_compared_with_blurred_renderings() -> None:
    fonts = FontLibrary.open(["libre-baskerville"])

    def line(name: str) -> TextLine:
        font = fonts.font(f"libre-baskerville/{name}")
        return shape_line("Harbour", fonts.face(font), font.family)

    true, heavy = "LibreBaskerville_400Regular", "LibreBaskerville_700Bold"
    outline = set_line(line(true), 0.0, 0.0)
    mask = fill_mapped(outline, box_matrix(outline.box, (12, 8, 160, 40)), 48, 172)
    target = Target.of(cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 1.6))
    assert target is not None
    sharp = dataclasses.replace(target, softness_px=0.0)
    seen = {
        name: [laid_over(name, line(name), one, UPRIGHT).likeness for one in (target, sharp)]
        for name in (true, heavy)
    }
    assert seen[true][0] > seen[true][1] + 0.01
    # The heavy one gains from blurred ink beside sharp renderings.
    assert seen[true][0] - seen[heavy][0] > seen[true][1] - seen[heavy][1] + 0.005
