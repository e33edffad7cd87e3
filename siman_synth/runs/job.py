"""What a worker needs to know to make any shard of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import siman_synth
from siman_synth.config import to_mapping
from siman_synth.errors import ConfigError
from siman_synth.limits import require_whole
from siman_synth.models.bundled import weights_file
from siman_synth.recognition.own_ocr import PPOCR
from siman_synth.runs.versions import library_versions
from siman_synth.several import Names, several
from siman_synth.synthesis.config import GenerateConfig

ALGORITHM_VERSION = 5
"""Raised whenever the same settings begin to give other bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """The inputs of a run, picklable, by name: every worker opens them for itself."""

    count: int
    """How many samples."""
    corpus: tuple[str, ...] = ("default",)
    """Bundled corpora, patterns or files, each with ":WEIGHT" or not; one or several."""
    styles: tuple[str, ...] = ("bundled",)
    """Folders, lists or LMDBs of crops, or the bundled ones; one or several."""
    fonts: tuple[str, ...] = ("all",)
    """Bundled families, files or folders; one or several."""
    weights: Path = field(default_factory=weights_file)
    """A weights file, a run of `pretrain`, or bundled weights by name; None is "small"."""
    device: str = "cpu"
    """A torch device; only its kind decides bytes."""
    seed: int = 0
    """Decides every sample."""
    config: GenerateConfig = field(default_factory=GenerateConfig)
    """All other settings."""

    if TYPE_CHECKING:
        # What may be given, where the fields say what is then there.
        def __init__(
            self,
            *,
            count: int,
            corpus: Names = ("default",),
            styles: Names = ("bundled",),
            fonts: Names = ("all",),
            weights: str | Path | None = None,
            device: str = "cpu",
            seed: int = 0,
            config: GenerateConfig = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        for name, least in (("count", 1), ("seed", 0)):
            require_whole(name, getattr(self, name), least)
        # Whether it is there is another question: of the machines that make the shards.
        if str(self.device).split(":")[0] not in ("auto", "cpu", "cuda"):
            raise ConfigError(f"Unknown device '{self.device}'. Use auto, cpu or cuda.")
        # Plain names, so that equal jobs are equal, whichever way they were written.
        for name in ("corpus", "styles", "fonts"):
            object.__setattr__(self, name, tuple(map(str, several(getattr(self, name)))))
        object.__setattr__(self, "weights", weights_file(self.weights))
        if not isinstance(self.config, GenerateConfig):
            raise ConfigError(f"config must be a GenerateConfig, found {type(self.config).__name__}.")

    @property
    def shard_count(self) -> int:
        """How many shards the run has."""
        return -(-self.count // self.config.execution.shard_size)

    def shard_range(self, shard: int) -> range:
        """Return the sample indices (from 0) of a shard."""
        size = self.config.execution.shard_size
        return range(shard * size, min((shard + 1) * size, self.count))

    def identity(self, contents: Mapping[str, str]) -> dict[str, Any]:
        """Return all that decides the bytes of the output, as plain values.

        `contents` are fingerprints of what is behind the names: corpus, styles, fonts, weights.
        """
        return {
            "algorithm": ALGORITHM_VERSION,
            "siman_synth": siman_synth.__version__,
            "seed": self.seed,
            "n": self.count,
            "device": self.device.split(":")[0],
            **{f"{name}_fingerprint": value for name, value in contents.items()},
            "versions": library_versions(self.config.gate.ocr == PPOCR),
            "config": to_mapping(self.config),
        }


def require_job(value: object, what: str, count: int) -> None:
    """Check that a caller gave a job.

    Args:
        what: what needs it, as the message begins.
        count: of the job that the message shows.

    Raises:
        ConfigError: it is none.
    """
    if not isinstance(value, Job):
        raise ConfigError(f"{what} needs a Job, found {type(value).__name__}. Make one: Job(count={count}).")
