"""Photos with words whose places are known."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from siman_synth.photos.run import _make_part
from siman_synth.resources import resource_folder

WORDS = {"Harbour": (30, 40), "Street": (330, 40), "Open daily": (60, 160), "7.50": (420, 250)}
SIZE_PX = 48


def drawn_photo(words: dict[str, tuple[int, int]] = WORDS, size: tuple[int, int] = (600, 340)) -> np.ndarray:
    """Return a photo with words at places, uint8 (H, W, 3)."""
    image = Image.new("RGB", size, (232, 226, 214))
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(str(next(resource_folder("fonts").glob("roboto/*400Regular.ttf"))), SIZE_PX)
    for text, place in words.items():
        draw.text(place, text, font=font, fill=(40, 30, 60))
    return np.asarray(image)


def save(path: Path, photo: np.ndarray) -> Path:
    cv2.imwrite(str(path), photo[..., ::-1])
    return path


@contextmanager
def stopped(monkeypatch: pytest.MonkeyPatch, at: Callable[[], bool]) -> Iterator[None]:
    """Stop what runs inside as Ctrl-C does, before the first part for which `at` is true."""

    def stops(*arguments: object) -> object:
        if at():
            raise KeyboardInterrupt
        return _make_part(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr("siman_synth.photos.run._make_part", stops)
        with pytest.raises(KeyboardInterrupt):
            yield


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a photo, its copy, a photo that stands upright, a broken one, and a text."""
    folder = tmp_path_factory.mktemp("photos")
    save(folder / "a.png", drawn_photo())
    save(folder / "b.png", drawn_photo())
    standing = drawn_photo({"Weekend": (20, 40)}, (360, 130))
    save(folder / "c.png", np.ascontiguousarray(np.rot90(standing)))
    (folder / "d.jpg").write_bytes((folder / "a.png").read_bytes()[:900])
    (folder / "notes.md").write_text("no photo")
    return folder
