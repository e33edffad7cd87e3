"""A recognizer written as ONNX reads the same in onnxruntime, by the file's own description alone."""

from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
import torch

from siman_synth.recognition.images import to_batch
from siman_synth.recognition.onnx_export import export_onnx
from siman_synth.recognition.recognizer import Recognizer, RecognizerConfig
from tests.recognizer_training.tiny import written

WORDS = ("sale", "42", "egg", "gas", "all")


def read_with_onnxruntime(path: Path, images: list[np.ndarray]) -> list[str]:
    session = onnxruntime.InferenceSession(path.read_bytes())
    about = session.get_modelmeta().custom_metadata_map
    size = int(about["width_px"]), int(about["height_px"])
    pixels = np.stack([cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images])
    batch = (pixels.astype(np.float32) / 127.5 - 1).transpose(0, 3, 1, 2)
    (chances,) = session.run(["probabilities"], {"images": batch})
    np.testing.assert_allclose(chances.sum(axis=2), 1, atol=1e-4)
    texts = []
    for classes in chances.argmax(axis=2).tolist():
        if about["decoder"] == "ctc":
            kept = [number for number, _ in groupby(classes) if number]
        else:
            kept = classes[: classes.index(0)] if 0 in classes else classes
        texts.append("".join(about["characters"][number - 1] for number in kept))
    return texts


@pytest.mark.parametrize(
    "shape",
    [
        {"encoder": "crnn"},
        {"encoder": "pyramid", "decoder": "attention", "longest": 4},
        {"encoder": "crnn", "rectify": True, "decoder": "attention", "longest": 4},
    ],
    ids=["crnn", "pyramid-attention", "rectified-attention"],
)
def test_onnxruntime_reads_what_we_read(shape: dict[str, Any], tmp_path: Path) -> None:
    torch.manual_seed(1)
    recognizer = Recognizer(RecognizerConfig(hidden=32, charset="24aegls", **shape))
    size = (recognizer.config.width_px, recognizer.config.height_px)
    images = [cv2.resize(written(word, number), size) for number, word in enumerate(WORDS)]
    optimiser = torch.optim.AdamW(recognizer.parameters(), lr=0.005)
    labels = [recognizer.charset.encode(word) for word in WORDS]
    for _ in range(12):  # enough for images to be read differently, if not right
        optimiser.zero_grad()
        recognizer.loss(to_batch(images), labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    recognizer.eval()
    export_onnx(recognizer, tmp_path / "reader.onnx")
    wanted = [reading.text for reading in recognizer.read(images)]
    assert len(set(wanted)) > 1
    assert read_with_onnxruntime(tmp_path / "reader.onnx", images) == wanted
    assert not recognizer.training
