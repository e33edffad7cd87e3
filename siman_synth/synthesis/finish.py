"""From the network's pixels to the bytes that are stored."""

import cv2
import numpy as np

from siman_synth.synthesis.config import FinishConfig
from siman_synth.synthesis.plan import FinishPlan

_PATCH_PX = 24
_LEAST = 0.25
"""Grey levels that rounding hides."""


def weather(image: np.ndarray, plan: FinishPlan) -> np.ndarray:
    """Add light, grain and noise to uint8 (H, W, 3): the same at every run."""
    rng = np.random.default_rng(plan.seed)
    height, width = image.shape[:2]
    changed: np.ndarray | None = None
    if plan.lighting > 0:
        patches = rng.standard_normal((2, 2 + width // _PATCH_PX), dtype=np.float32)
        light = cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC)
        changed = image * (1 + plan.lighting * light)[..., None]
    if plan.grain_sigma >= _LEAST:
        step = rng.uniform(2, 5)
        shape = (max(2, round(height / step)), max(2, round(width / step)))
        grain = cv2.resize(
            rng.standard_normal(shape, dtype=np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        changed = (image if changed is None else changed) + plan.grain_sigma * grain[..., None]
    if plan.noise_sigma >= _LEAST:
        # A sensor's noise: most of it is shared by the channels.
        shared = rng.standard_normal((height, width, 1), dtype=np.float32)
        own = rng.standard_normal((height, width, 3), dtype=np.float32)
        changed = (image if changed is None else changed) + plan.noise_sigma * (0.8 * shared + 0.6 * own)
    return image if changed is None else np.clip(np.rint(changed), 0, 255).astype(np.uint8)


def encode(image: np.ndarray, plan: FinishPlan, config: FinishConfig) -> bytes:
    """Encode uint8 (H, W, 3) RGB as the JPEG that the plan asks for, or as PNG."""
    bgr = image[..., ::-1]
    if config.image_format == "png":
        _, data = cv2.imencode(".png", bgr)
        return data.tobytes()
    sampling = (
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if plan.full_chroma else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    )
    options = [cv2.IMWRITE_JPEG_QUALITY, plan.jpeg_quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, data = cv2.imencode(".jpg", bgr, options)
    return data.tobytes()


def decode(data: bytes) -> np.ndarray:
    """Decode what `encode` made, to uint8 (H, W, 3) RGB, as a reader of the data set would."""
    bgr = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
    return np.ascontiguousarray(bgr[..., ::-1])
