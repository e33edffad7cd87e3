"""Crops that look alike share their turns."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from siman_synth.crops.pool import CropPool
from siman_synth.synthesis.balance import look, lookalikes, weights
from siman_synth.synthesis.config import StyleConfig
from siman_synth.synthesis.style_bank import Choice, StyleBank

Image = npt.NDArray[np.uint8]


def sign(ground: tuple[int, int, int], ink: tuple[int, int, int], text: str, width: int = 96) -> Image:
    image = np.full((32, width, 3), ground, np.uint8)
    return np.asarray(cv2.putText(image, text, (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.8, ink, 2), np.uint8)


RED, BLUE, WHITE = (200, 30, 30), (30, 30, 200), (250, 250, 250)


def test_colour_and_shape_make_the_look_and_letters_do_not() -> None:
    crops = [
        sign(RED, WHITE, "milk"),
        sign(RED, WHITE, "oats"),
        sign(BLUE, WHITE, "milk"),
        sign(RED, WHITE, "milk", width=256),
    ]
    counts = lookalikes(np.stack([look(crop) for crop in crops]))
    assert counts.tolist() == [2, 2, 1, 1]


def test_counts_agree_with_plain_whole_numbers() -> None:
    rng = np.random.default_rng(0)
    centres = rng.integers(0, 256, (40, 97))
    looks = np.clip(centres[rng.integers(40, size=400)] + rng.integers(-18, 19, (400, 97)), 0, 255)
    looks[:, -1] += rng.integers(-60, 60, 400)
    apart = ((looks[:, None].astype(np.int32) - looks[None]) ** 2).sum(2)
    expected = (apart <= 96 * 16**2).sum(1)
    assert len(set(expected.tolist())) > 5
    assert lookalikes(looks.astype(np.int16)).tolist() == expected.tolist()


def test_balance_reaches_from_every_crop_to_every_look() -> None:
    looks = np.stack([look(sign(RED, WHITE, "milk"))] * 9 + [look(sign(BLUE, WHITE, "milk"))])
    shares = {balance: weights(looks, balance) / weights(looks, balance).sum() for balance in (0, 0.5, 1)}
    assert [round(float(share[-1]), 3) for share in shares.values()] == [0.1, 0.25, 0.5]


@pytest.mark.parametrize(("balance", "share"), [(0.0, 1 / 9), (1.0, 1 / 2)])
def test_a_bank_draws_by_its_weights(tmp_path: Path, balance: float, share: float) -> None:
    for number in range(8):
        carton = sign(RED, WHITE, "milk")
        carton[0, number] = 0
        cv2.imwrite(str(tmp_path / f"carton{number}.png"), carton)
    cv2.imwrite(str(tmp_path / "other.png"), sign(BLUE, WHITE, "shop"))
    pool = CropPool.open(tmp_path)
    bank = StyleBank.build(pool, StyleConfig(balance=balance))
    rng = np.random.default_rng(1)
    drawn = [bank[bank.draw(rng)].id for _ in range(2000)]
    assert drawn.count("other.png") / 2000 == pytest.approx(share, abs=0.04)
    assert len(set(drawn)) == 9
    assert bank.choice is not None
    other = StyleBank(pool, StyleConfig(), choice=Choice.from_bytes(bank.choice.to_bytes()), height_px=32)
    rng = np.random.default_rng(1)
    assert [other[other.draw(rng)].id for _ in range(2000)] == drawn
