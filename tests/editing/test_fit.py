"""A word that lies a little off is moved onto the ink."""

import numpy as np
import pytest

from siman_synth.editing.fit import laid_over, refined
from siman_synth.editing.lettering import box_matrix, fill_mapped, set_line
from siman_synth.editing.target import UPRIGHT, Target
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.shaping import shape_line

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
