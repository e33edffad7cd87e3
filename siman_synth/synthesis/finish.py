"""From the network's pixels to the bytes that are stored."""

import cv2
import numpy as np

from siman_synth.synthesis.config import FinishConfig
from siman_synth.synthesis.plan import FinishPlan


def add_noise(image: np.ndarray, plan: FinishPlan) -> np.ndarray:
    """Add a sensor's noise to uint8 (H, W, 3): the same at every run, most of it shared by the channels."""
    if plan.noise_sigma < 0.25:
        return image
    rng = np.random.default_rng(plan.noise_seed)
    height, width = image.shape[:2]
    shared = rng.standard_normal((height, width, 1), dtype=np.float32)
    own = rng.standard_normal((height, width, 3), dtype=np.float32)
    noise = plan.noise_sigma * (0.8 * shared + 0.6 * own)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


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
