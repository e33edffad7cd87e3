"""The example of docs/streaming.md runs, and goes on where it was stopped."""

import runpy
from pathlib import Path

import cv2
import pytest
import torch
from click.testing import CliRunner, Result

from siman_synth import stopping
from siman_synth.recognition.weights import load_recognizer
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.training.checkpoints import Checkpoints
from tests.recognizer_training.tiny import stops_after

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "train_from_stream.py"


@pytest.mark.slow
def test_the_example_trains_resumes_and_reads(crop_folder: Path, tmp_path: Path) -> None:
    main = runpy.run_path(str(EXAMPLE))["main"]
    (tmp_path / "words.txt").write_text("Harbour\nStreet\nSale\n")
    with LmdbWriter.create(tmp_path / "real") as writer:
        for path in sorted(crop_folder.iterdir()):
            image = cv2.imread(str(path))
            writer.write(Sample(path.read_bytes(), "SALE", image.shape[1], image.shape[0]))

    def run(steps: int, out: str, test: str = "real") -> Result:
        options = {
            "--styles": crop_folder, "--corpus": tmp_path / "words.txt", "--fonts": "roboto", "--seed": 1,
            "--batch-size": 4, "--workers": 1, "--steps": steps, "--out": tmp_path / out,
            "--test": tmp_path / test,
        }  # fmt: skip
        arguments = [str(part) for pair in options.items() for part in pair]
        return CliRunner().invoke(main, arguments)

    missing = run(5, "stopped", "nowhere")
    assert missing.exit_code == 1
    assert missing.output.startswith("Error: No data set at ")
    assert not (tmp_path / "stopped").exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stopping, "requested", stops_after(2))
        stopped_run = run(5, "stopped")
    assert stopped_run.exit_code == 130
    assert stopped_run.output.splitlines()[-1] == "Stopped after step 2. The same command goes on."
    assert Checkpoints(tmp_path / "stopped" / "checkpoints").last_step() == 2
    run(5, "stopped")
    assert "24 words read: Acc. " in run(5, "whole").output
    stopped, whole = (
        load_recognizer(tmp_path / name).recognizer.state_dict() for name in ("stopped", "whole")
    )
    assert all(torch.equal(stopped[name], whole[name]) for name in whole)
