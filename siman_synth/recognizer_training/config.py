"""The settings of a recognizer's training."""

from dataclasses import dataclass, field
from typing import Annotated

from siman_synth.errors import ConfigError
from siman_synth.limits import LARGEST, Between, check_settings
from siman_synth.recognition.recognizer import RecognizerConfig
from siman_synth.training.config import Count, OptimisationConfig, PaceConfig, Rate

Share = Annotated[float, Between(0, 1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecognizerOptimisationConfig(OptimisationConfig):
    """How a recognizer is optimised: AdamW, a short warm-up, then half a cosine; an image is a word."""

    steps: Count = 4_000
    """Updates of the weights."""
    learning_rate: Rate = 4e-3
    """The highest learning rate."""
    final_learning_rate: Rate = 1e-6
    """The learning rate at the last step."""
    warm_up: Share = 0.05
    """Share of the steps in which the learning rate rises."""
    weight_decay: Annotated[float, Between(0, 1)] = 0.01
    """AdamW's decay of weights."""
    clip: Annotated[float, Between(1e-6, 1e6)] = 5.0
    """Longest gradient; longer ones are shortened."""
    average_half_life: Count = 6_400
    """Half-life, in images, of the moving average of the weights, which is what is tested and exported."""
    pretrained_rate: Share = 0.1
    """Learning rate of an encoder that begins with SimAN weights, as a share of the others'."""
    ctc_share: Share = 0.0
    """Share of the loss that CTC has beside an attention decoder (Watanabe et al. 2017): columns learn sooner
    where characters are. Its layer is no part of the recognizer."""
    freeze_encoder: bool = False
    """Leave the encoder as it begins, as the probe of representations asks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WordsConfig:
    """What is done to words before they are learned."""

    augment: bool = True
    """Move, turn, shear, blur and recolour each word a little."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecognizerPaceConfig(PaceConfig):
    """How often a run reports, in steps."""

    validate_every: Count = 500
    """Reading the validation sets; the best recognizer so far is kept."""
    validation_words: Annotated[int, Between(1, LARGEST)] = 2_000
    """The most words of each validation set that are read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecognizerTrainingConfig:
    """Everything that decides a run, but for words, paths and the device."""

    model: RecognizerConfig = field(default_factory=RecognizerConfig)
    """The recognizer."""
    words: WordsConfig = field(default_factory=WordsConfig)
    """Augmentation."""
    training: RecognizerOptimisationConfig = field(default_factory=RecognizerOptimisationConfig)
    """Optimisation."""
    logging: RecognizerPaceConfig = field(default_factory=RecognizerPaceConfig)
    """Pace of reports."""

    def __post_init__(self) -> None:
        if self.training.freeze_encoder and self.model.encoder == "crnn":
            raise ConfigError(
                "training.freeze_encoder needs model.encoder = 'pyramid' or 'resnet29', found 'crnn'."
            )
        if self.training.ctc_share > 0 and self.model.decoder == "ctc":
            raise ConfigError("training.ctc_share needs model.decoder = 'attention', found 'ctc'.")
        check_settings(self)
