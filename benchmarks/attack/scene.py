"""What an attack works with: a small sound input of every kind, and files of a user that nobody may touch."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from siman_synth.models.checkpoint import save_generator
from siman_synth.models.generator import Generator, GeneratorConfig
from siman_synth.resources import resource_folder

WORDS = ("Harbour", "Street", "GARAGE", "No. 42", "sale", "Quay", "Market", "it's", "OPEN", "station")
QUICK = ("--seed", "3", "--set", "gate.ink=false", "--set", "execution.shard_size=8")
"""Small shards, and no judgment of a network that was never trained."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Sound inputs in `work/sound`, a user's files in `work/mine`."""

    work: Path
    crops: Path
    corpus: Path
    font: Path
    weights: Path

    @classmethod
    def prepare(cls, work: Path) -> "Scene":
        """Write them."""
        sound = work / "sound"
        crops = sound / "crops"
        crops.mkdir(parents=True)
        formats = (".png", ".jpg", ".webp", ".tiff", ".bmp")
        for number in range(20):
            picture = _crop(number)
            cv2.imwrite(str(crops / f"crop{number:02d}{formats[number % len(formats)]}"), picture)
        corpus = sound / "words.txt"
        corpus.write_text("\n".join(WORDS), encoding="utf-8")
        font = sound / "font.ttf"
        shutil.copy(sorted(resource_folder("fonts").glob("roboto/*.ttf"))[0], font)
        weights = sound / "tiny.safetensors"
        torch.manual_seed(0)
        small = GeneratorConfig(widths=(8, 8, 8), decoder_widths=(8, 8), paint_width=4)
        save_generator(weights, Generator(small), {})
        mine = work / "mine"
        mine.mkdir()
        (mine / "thesis.txt").write_text("Years of work.\n", encoding="utf-8")
        (mine / "pictures").mkdir()
        shutil.copy(crops / "crop00.png", mine / "pictures" / "only-copy.png")
        return cls(work, crops, corpus, font, weights)

    def generate(self, out: Path, count: int, *more: str, workers: int = 1, **changed: Path) -> list[str]:
        """Return the arguments of a small run."""
        inputs = {"corpus": self.corpus, "styles": self.crops, "fonts": self.font, "weights": self.weights}
        named = [part for name, path in (inputs | changed).items() for part in (f"--{name}", str(path))]
        size = ("--n", str(count), "--workers", str(workers))
        return ["generate", *size, "--out", str(out), *named, *QUICK, *more]


def state(folder: Path) -> dict[str, str]:
    """Return the content of every file below a folder, links as what they lead to."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            found[name] = "folder"
    return found


def remove(path: Path) -> None:
    """Remove what an attack left."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_run(out: Path) -> None:
    """Remove a data set, its run and its side files."""
    for path in out.parent.glob(f"{out.name}*"):
        remove(path)


def _crop(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = np.full((40, 150, 3), rng.integers(0, 90, 3), np.uint8)
    text = "".join(rng.choice(list("ABCDEFGHKLMNPRSTXYZ"), 6))
    colour = [int(value) for value in rng.integers(160, 256, 3)]
    cv2.putText(image, text, (6, 30), cv2.FONT_HERSHEY_SIMPLEX, 1.0, colour, 2)
    return image
