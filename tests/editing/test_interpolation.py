"""Between two looks and two fonts: the ends are the ends, the middle is in the middle, steps are even."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from siman_synth.editing.errors import EditError
from siman_synth.editing.interpolation import Interpolator
from siman_synth.editing.morphing import Morph, framed
from siman_synth.editing.strips import told
from siman_synth.models.siman import SimilarityAwareNorm, align, instance_norm
from siman_synth.ocr.ppocr import PpOcr
from siman_synth.ocr.recognizer import Reading
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.shaping import TextLine, shape_line
from siman_synth.synthesis.painter import StyledContent, blended
from siman_synth.synthesis.style import Style
from tests.drawn_crops import drawn_crop

# mypy: disable-error-code="no-untyped-def"

THIN, BLACK = "roboto/Roboto_400Regular", "roboto/Roboto_900Black"
OTHER = "oswald/Oswald_400Regular"


@pytest.fixture(scope="module")
def fonts() -> FontLibrary:
    return FontLibrary.open(["roboto", "oswald"])


@pytest.fixture(scope="module")
def interpolator(fonts: FontLibrary, tiny_weights: Path) -> Interpolator:
    return Interpolator.load(tiny_weights, fonts, "cpu")


@pytest.fixture(scope="module")
def looks() -> tuple[Style, Style]:
    return Style.from_image(drawn_crop(1), "one"), Style.from_image(drawn_crop(2), "two")


def line(fonts: FontLibrary, name: str, text: str = "Harbour") -> TextLine:
    return shape_line(text, fonts.face(fonts.font(name)), name)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_blending_is_denormalising_with_blended_statistics(share: float) -> None:
    torch.manual_seed(0)
    norm = SimilarityAwareNorm(5)
    content = torch.randn(1, 5, 4, 6)
    styles = [norm.encode_style(torch.randn(1, 5, 4, width)) for width in (7, 9)]
    with torch.inference_mode():
        ends = [norm(content, style)[0] for style in styles]
        queries = instance_norm(content).flatten(2).transpose(1, 2)
        (mean, deviation), (mean2, deviation2) = (
            align(queries * norm.log_scale.exp(), style).chunk(2, dim=-1) for style in styles
        )
        expected = queries * torch.lerp(deviation, deviation2, share) + torch.lerp(mean, mean2, share)
    found = blended(StyledContent((ends[0],), 24), StyledContent((ends[1],), 24), share)
    assert torch.allclose(found.levels[0].flatten(2).transpose(1, 2), expected, atol=1e-5)


def test_looks_pass_from_one_crop_to_the_other(interpolator: Interpolator, looks) -> None:
    strip = interpolator.strip("Harbour", looks, (THIN, THIN), steps=5)
    assert len(strip.images) == 5
    assert strip.outlines is None
    assert (strip.shares[0], strip.shares[-1]) == (0, 1)
    assert list(strip.shares) == sorted(strip.shares)
    same = [interpolator.strip("Harbour", (look, look), (THIN, THIN), steps=2).images[0] for look in looks]
    assert np.array_equal(strip.images[0], same[0])
    assert np.array_equal(strip.images[-1], same[1])


def test_chosen_shares_are_more_even_than_equal_ones(interpolator: Interpolator, looks) -> None:
    even = interpolator.strip("Harbour", looks, (THIN, THIN), steps=6)
    equal = interpolator.strip("Harbour", looks, (THIN, THIN), steps=6, even=False)
    assert equal.shares == (0, 0.2, 0.4, 0.6, 0.8, 1)
    assert even.unevenness < 1.3
    assert even.unevenness < equal.unevenness
    assert even.detour >= 1


def test_weights_of_a_family_are_mixed_as_outlines(interpolator: Interpolator, looks) -> None:
    strip = interpolator.strip("Harbour", (looks[0], looks[0]), (THIN, BLACK), steps=3)
    assert strip.outlines is True
    assert strip.readings == ()


@pytest.mark.slow
def test_every_step_is_read(fonts: FontLibrary, looks) -> None:
    trained = Interpolator.load(None, fonts, "cpu", PpOcr.load())
    for pair in ((THIN, BLACK), (THIN, OTHER)):
        strip = trained.strip("Harbour", (looks[0], looks[0]), pair, steps=4)
        assert strip.are_read == (True,) * 4


class Unaccented:
    """A reader that can write accents and never does."""

    name = "unaccented"
    alphabet = frozenset("Musée")
    separates = frozenset("Muse")

    def read(self, images: Sequence[np.ndarray]) -> list[Reading]:
        return [Reading(text, 1.0) for text in ("Musee", "Musée", "Muse")][: len(images)]


def test_accents_that_the_ocr_does_not_separate_do_not_count(fonts, tiny_weights, looks) -> None:
    """What `edit` and the quality gate take for read is read in a strip, too."""
    strip = Interpolator.load(tiny_weights, fonts, "cpu", Unaccented()).strip(
        "Musée", looks, (THIN, THIN), steps=3, even=False
    )
    assert strip.are_read == (True, True, False)
    assert told(strip, "Musée")[-1] == "OCR reads 2 of 3 as 'Musée'"


def test_other_fonts_are_mixed_as_features(interpolator: Interpolator, looks) -> None:
    strip = interpolator.strip("Harbour", (looks[0], looks[0]), (THIN, OTHER), steps=3)
    assert strip.outlines is False
    with pytest.raises(EditError) as caught:
        interpolator.strip("Harbour", looks, (THIN, OTHER), way="outlines")
    assert str(caught.value) == (
        f"The outlines of 'Harbour' differ too much between '{THIN}' and '{OTHER}' to be mixed. "
        "Mix their features."
    )


def test_outlines_between_two_weights(fonts: FontLibrary) -> None:
    morph = Morph(line(fonts, THIN), line(fonts, BLACK))
    assert morph.compatible
    masks = framed([morph.outline(share) for share in (0.0, 0.5, 1.0)], 64, 4)
    ink = [int(mask.astype(int).sum()) for mask in masks]
    assert ink[0] < ink[1] < ink[2]
    straight = framed([Morph(line(fonts, THIN), line(fonts, THIN)).ends(0)[0], morph.outline(1.0)], 64, 4)[0]
    assert np.abs(straight.astype(int) - masks[0]).mean() < 6


def test_letters_stand_in_the_same_boxes_in_both_fonts(fonts: FontLibrary) -> None:
    morph = Morph(line(fonts, THIN, "Hi"), line(fonts, OTHER, "Hi"))
    one, other = morph.ends(0.5)
    assert one.box == pytest.approx(other.box)
    alone = Morph(line(fonts, THIN, "Hi"), line(fonts, THIN, "Hi")).ends(0)[0]
    assert morph.ends(0)[0].box == pytest.approx(alone.box)


def test_a_font_that_is_not_there(interpolator: Interpolator, looks, tmp_path: Path) -> None:
    from siman_synth.errors import FontError

    with pytest.raises(FontError, match="No font 'nothing'"):
        interpolator.strip("A", looks, ("nothing", THIN))
