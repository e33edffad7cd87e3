"""Photos and words stay where they are, and so does the fact that they are read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOLD = "; import os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
LOADS = {
    "recognizer": "from siman_synth.ocr.ppocr import PpOcr; PpOcr.load()",
    "detector": "from siman_synth.ocr.detector import PpDetector; PpDetector(None); PpDetector.load()",
}


@pytest.mark.parametrize("what", LOADS)
def test_onnxruntime_makes_no_identity_to_report_with(what: str, tmp_path: Path) -> None:
    """Builds that report write an identity of the machine into the user's cache when they are loaded."""
    without = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    child = subprocess.run(
        [sys.executable, "-c", LOADS[what] + TOLD],
        env={**without, "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert child.stdout.strip() == "1"
    assert not (tmp_path / "Microsoft").exists()


def test_a_choice_that_was_made_is_left() -> None:
    child = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{LOADS['recognizer']}; import os; print(os.environ['ORT_DISABLE_TELEMETRY'])",
        ],
        env={**os.environ, "ORT_DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert child.stdout.strip() == "true"
