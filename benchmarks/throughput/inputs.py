"""What the runs read: words, fonts, large corpora, large pools, backgrounds. Made once, not timed."""

import json
import shutil
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import cv2
import lmdb
import numpy as np
from fontTools.ttLib import TTFont
from tqdm import tqdm

from siman_synth.resources import resource_folder
from siman_synth.storage.lmdb_format import COUNT_KEY, image_key

_VARIANTS = 2000
_CHUNK = 10_000


class Inputs:
    """Files in `folder`, made when they are first asked for and kept for a later benchmark."""

    def __init__(self, folder: Path, words: Path | None) -> None:
        self.folder = folder
        self._words = words

    @cached_property
    def words(self) -> Path:
        """A file of dictionary words, one a line: ASCII letters, so that every generator has them all."""
        if self._words is not None:
            return self._words.resolve()
        lines = (resource_folder("corpora") / "english.txt").read_text(encoding="utf-8").split("\n")
        path = self.folder / "words.txt"
        path.write_text("".join(f"{w}\n" for w in lines if w.isascii() and w.isalpha() and len(w) <= 25))
        return path

    @cached_property
    def fonts(self) -> Path:
        """The bundled font files, each beside a text file of its characters, as SynthTIGER wants it."""
        folder = self.folder / "fonts"
        if not folder.exists():
            partial = _empty(folder.with_name("fonts.partial"))
            for source in sorted(resource_folder("fonts").rglob("*.ttf")):
                shutil.copy(source, partial)
                characters = sorted(
                    chr(code) for code in TTFont(source, lazy=True).getBestCmap() if code > 32
                )
                (partial / source.name).with_suffix(".txt").write_text("".join(characters), encoding="utf-8")
            partial.rename(folder)
        return folder

    @cached_property
    def backgrounds(self) -> Path:
        """Twenty soft coloured pictures for the generators that write on pictures."""
        folder = self.folder / "backgrounds"
        folder.mkdir(exist_ok=True)
        rng = np.random.default_rng(0)
        for number in range(20):
            blotches = rng.integers(90, 256, (6, 8, 3)).astype(np.uint8)
            picture = cv2.resize(blotches, (800, 600), interpolation=cv2.INTER_CUBIC)
            grain = rng.normal(0, 6, picture.shape)
            picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / f"{number:02d}.jpg"), picture)
        return folder

    def corpus(self, lines: int) -> Path:
        """A word list of so many lines."""
        path = self.folder / f"corpus-{lines}.txt"
        if not path.exists():
            words = self.words.read_text(encoding="utf-8").split()
            partial = path.with_suffix(".partial")
            with partial.open("w", encoding="utf-8") as file:
                for start in range(0, lines, len(words)):
                    suffix = _letters(start // len(words))
                    file.writelines(f"{word[:12]}{suffix}\n" for word in words[: lines - start])
            partial.rename(path)
        return path

    def pool(self, crops: int) -> Path:
        """An LMDB of so many crops: slight variations of the bundled ones, over and over."""
        folder = self.folder / f"pool-{crops}.lmdb"
        if not folder.exists():
            partial = _empty(folder.with_suffix(".partial"))
            images = list(_variations(min(crops, _VARIANTS)))
            room = sum(map(len, images)) * (crops // len(images) + 1) + 8192 * crops + (64 << 20)
            with lmdb.open(str(partial), map_size=room, sync=False) as environment:
                for start in tqdm(range(0, crops, _CHUNK), "pool", unit=f"{_CHUNK} crops", disable=None):
                    with environment.begin(write=True) as transaction:
                        for number in range(start + 1, min(start + _CHUNK, crops) + 1):
                            transaction.put(image_key(number), images[number % len(images)], append=True)
                with environment.begin(write=True) as transaction:
                    transaction.put(COUNT_KEY, str(crops).encode())
                environment.sync(True)
            partial.rename(folder)
        return folder

    def request(self, out: Path, count: int, variant: str, checkout: Path | None) -> Path:
        """A file that tells a peer's driver what to make."""
        values = {
            "words": str(self.words),
            "fonts": str(self.fonts),
            "backgrounds": str(self.backgrounds),
            "out": str(out),
            "count": count,
            "variant": variant,
            "checkout": str(checkout) if checkout else None,
        }
        path = self.folder / "request.json"
        path.write_text(json.dumps(values, indent=1))
        return path


def _variations(count: int) -> Iterator[bytes]:
    """Yield JPEGs of the bundled crops with other brightness and contrast."""
    files = sorted((resource_folder("styles") / "crops").glob("*.jpg"))
    crops = [image for file in files if (image := cv2.imread(str(file))) is not None]
    rng = np.random.default_rng(0)
    for number in range(count):
        crop = crops[number % len(crops)]
        image = cv2.convertScaleAbs(crop, alpha=rng.uniform(0.85, 1.0), beta=rng.uniform(0, 30))
        image = cv2.resize(image, (max(32, round(image.shape[1] * 32 / image.shape[0])), 32))
        yield cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def _letters(number: int) -> str:
    """Return 0 as "", 1 as "a", 27 as "aa": suffixes that make a word another word."""
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
