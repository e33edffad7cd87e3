"""From the network's pixels to the picture that is stored."""

import numpy as np

from siman_synth.imaging.codec import encode_jpeg, encode_png
from siman_synth.imaging.sharpness import soften
from siman_synth.synthesis.config import FinishConfig
from siman_synth.synthesis.plan import FinishPlan


def degrade(image: np.ndarray, plan: FinishPlan | None, sharpness: float, config: FinishConfig) -> np.ndarray:
    """Add the planned noise to uint8 (H, W, 3), then blur it until it is no sharper than its crop."""
    if plan is not None:
        image = add_noise(image, plan)
    return soften(image, sharpness) if config.match_sharpness else image


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
    if config.image_format == "png":
        return encode_png(image)
    return encode_jpeg(image, plan.jpeg_quality, plan.full_chroma)
