"""Without knowing a word, its font is found among a few by how strokes look to the network."""

import numpy as np

from siman_synth.editing.looks import FontLooks
from siman_synth.editing.morphing import Morph, framed
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.shaping import shape_line
from siman_synth.synthesis.synthesizer import Synthesizer


def test_most_of_five_fonts_are_found(editing_fonts: FontLibrary) -> None:
    looks = FontLooks(editing_fonts, Synthesizer.load(None, "cpu", editing_fonts))
    by_family = list({font.family: font for font in editing_fonts.fonts}.values())
    names = [font.id for font in by_family]
    right = 0
    for font in by_family:
        line = shape_line("Market", editing_fonts.face(font), font.family)
        mask = framed([Morph(line, line).ends(0)[0]], 64, 4)[0]
        ranking = looks.ranking(mask.astype(np.float32) / 255, names)
        assert sorted(ranking) == sorted(names)
        right += ranking[0] == font.id
    assert right >= 4
