"""The example of docs/streaming.md runs, and goes on where it was stopped."""

import runpy
from pathlib import Path

import cv2
import pytest
import torch
from click.testing import CliRunner

from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "train_from_stream.py"


@pytest.mark.slow
def test_the_example_trains_resumes_and_reads(crop_folder: Path, tmp_path: Path) -> None:
    main = runpy.run_path(str(EXAMPLE))["main"]
    (tmp_path / "words.txt").write_text("Harbour\nStreet\nSale\n")
    with LmdbWriter.create(tmp_path / "real") as writer:
        for path in sorted(crop_folder.iterdir()):
            image = cv2.imread(str(path))
            writer.write(Sample(path.read_bytes(), "SALE", image.shape[1], image.shape[0]))

    def run(steps: int, checkpoint: str) -> str:
        options = {
            "--styles": crop_folder, "--corpus": tmp_path / "words.txt", "--fonts": "roboto", "--seed": 1,
            "--batch-size": 4, "--workers": 1, "--steps": steps, "--checkpoint": tmp_path / checkpoint,
            "--test": tmp_path / "real",
        }  # fmt: skip
        arguments = [str(part) for pair in options.items() for part in pair]
        return CliRunner().invoke(main, arguments, catch_exceptions=False).output

    run(2, "stopped.pt")
    assert "step 5  loss" in run(5, "stopped.pt")
    assert "of 24 words read right" in run(5, "whole.pt")
    stopped, whole = (torch.load(tmp_path / name)["crnn"] for name in ("stopped.pt", "whole.pt"))
    assert all(torch.equal(stopped[name], whole[name]) for name in whole)
