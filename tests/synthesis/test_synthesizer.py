"""Any text in any style: sizes fit, and neighbours in a batch or a cache change nothing."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siman_synth.crops.pool import CropPool
from siman_synth.errors import ConfigError, FontError, SimanError, WeightsError
from siman_synth.render.fonts import FontLibrary
from siman_synth.synthesis.painter import StyledContent
from siman_synth.synthesis.style import Style
from siman_synth.synthesis.style_bank import StyleBank
from siman_synth.synthesis.synthesizer import Synthesizer
from siman_synth.text.spaces import plain_spaces


@pytest.fixture(scope="module")
def synthesizer(tiny_weights: Path) -> Synthesizer:
    return Synthesizer.load(tiny_weights, "cpu", FontLibrary.open(["roboto"]))


@pytest.fixture(scope="module")
def bank(crop_folder: Path) -> StyleBank:
    return StyleBank.build(CropPool.open(crop_folder))


@settings(max_examples=25, deadline=None)
@given(
    text=st.text(st.sampled_from("aAbgjQ0179.,'!-é ß"), min_size=1, max_size=25).filter(str.strip),
    style=st.integers(0, 23),
    seed=st.integers(0, 99),
)
def test_writes_any_text(synthesizer: Synthesizer, bank: StyleBank, text: str, style: int, seed: int) -> None:
    word = synthesizer.synthesize(text, bank[style], seed)
    assert word.label == plain_spaces(text).strip()
    assert word.image.dtype == np.uint8
    assert (word.image.shape[0], word.image.shape[2]) == (32, 3)
    assert word.image.shape[1] % 4 == 0
    assert len(word.boxes) == len(word.label)
    assert all(0 <= box.x0 <= box.x1 <= word.image.shape[1] for box in word.boxes)
    again = synthesizer.synthesize(text, bank[style], seed)
    assert np.array_equal(word.image, again.image)


def test_normalises_the_label(synthesizer: Synthesizer, bank: StyleBank) -> None:
    assert synthesizer.synthesize(" cafe\u0301\n", bank[0]).label == "café"
    assert synthesizer.synthesize("10\u00a0km  far", bank[0]).label == "10 km far"


def test_refuses_what_it_cannot_write(synthesizer: Synthesizer, bank: StyleBank) -> None:
    with pytest.raises(FontError, match=r"U\+4E00"):
        synthesizer.synthesize("\u4e00", bank[0])
    with pytest.raises(FontError, match="nothing to draw in ' '"):
        synthesizer.synthesize(" ", bank[0])
    with pytest.raises(SimanError, match="Each word needs a style, found 1 for 0"):
        synthesizer.restyle([], [bank[0]])


def masks(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [rng.integers(0, 256, (32, 4 * int(width)), np.uint8) for width in rng.integers(4, 60, count)]


def test_what_was_made_before_does_not_change_numbers(synthesizer: Synthesizer, bank: StyleBank) -> None:
    content, styles = masks(6), [bank[i] for i in (0, 1, 2, 1, 0, 3)]
    expected = synthesizer.restyle(content, styles)
    for i in reversed(range(24)):
        synthesizer.restyle(content[:1], [bank[i]])
    found = synthesizer.restyle(content, styles)
    assert all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))


def test_styles_of_one_name_are_not_mistaken(synthesizer: Synthesizer, bank: StyleBank) -> None:
    content = masks(1)
    one, other = (synthesizer.restyle(content, [Style("same", bank[i].image, 1.0)])[0] for i in (0, 1))
    assert not np.array_equal(one, other)


def test_neighbours_in_a_batch_change_a_pixel_by_rounding_alone(
    synthesizer: Synthesizer, bank: StyleBank
) -> None:
    content = masks(5)
    narrow = Style("narrow", np.ascontiguousarray(bank[2].image[:, :28]), 1.0)
    styles = [bank[0], narrow, bank[1], narrow, bank[3]]
    together = synthesizer.restyle(content, styles)
    for mask, style, image in zip(content, styles, together, strict=True):
        alone = synthesizer.restyle([mask], [style])[0]
        assert image.shape == (32, mask.shape[1], 3)
        assert np.abs(image.astype(int) - alone).max() <= 1


def test_says_why_it_cannot_load(tmp_path: Path, tiny_weights: Path) -> None:
    with pytest.raises(WeightsError, match="No weights file"):
        Synthesizer.load(tmp_path / "none.safetensors", "cpu")
    for device in ("cuda:99", "mps", "gpu"):
        with pytest.raises(ConfigError, match=r"[Dd]evice"):
            Synthesizer.load(tiny_weights, device)


def test_the_steps_taken_alone_give_the_same(synthesizer: Synthesizer, bank: StyleBank) -> None:
    content, styles = masks(6), [bank[i] for i in (0, 1, 2, 1, 0, 3)]
    codes = synthesizer.encode_style(styles)
    aligned = synthesizer.align(content, codes)
    expected = synthesizer.restyle(content, styles)
    for images in (
        synthesizer.paint(content, codes),
        synthesizer.decode(aligned),
        synthesizer.decode(aligned),
    ):
        assert all(np.array_equal(a, b) for a, b in zip(expected, images, strict=True))


def test_styles_can_be_mixed_between_the_steps(synthesizer: Synthesizer, bank: StyleBank) -> None:
    mask = masks(1)[0]
    one, other = synthesizer.align([mask, mask], synthesizer.encode_style([bank[0], bank[1]]))

    def mixed(share: float) -> np.ndarray:
        levels = (a + share * (b - a) for a, b in zip(one.levels, other.levels, strict=True))
        return synthesizer.decode([StyledContent(tuple(levels), one.width_px)])[0].astype(int)

    ends = synthesizer.restyle([mask, mask], [bank[0], bank[1]])
    assert np.abs(mixed(0.0) - ends[0]).max() <= 1
    assert np.abs(mixed(1.0) - ends[1]).max() <= 1
    assert np.abs(mixed(0.5) - ends[0]).mean() < np.abs(mixed(1.0) - ends[0]).mean()


def test_text_of_another_script_brings_its_fonts(tiny_weights: Path, bank: StyleBank) -> None:
    synthesizer = Synthesizer.load(tiny_weights, "cpu")
    for text in ("مرحبا", "こんにちは"):
        assert len(synthesizer.synthesize(text, bank[0]).boxes) == len(text)
