"""Names on the command line turned into opened inputs, checked before any work starts."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from siman_synth.config import fingerprint
from siman_synth.crops.pool import CropPool
from siman_synth.errors import CropError, FontError, GenerationError
from siman_synth.models.checkpoint import load_generator
from siman_synth.models.generator import Generator
from siman_synth.reading.comparison import comparable
from siman_synth.render.fonts import FontLibrary
from siman_synth.resources import resource_folder
from siman_synth.synthesis.job import Job
from siman_synth.synthesis.plan import Planner
from siman_synth.synthesis.quality import QualityGate
from siman_synth.synthesis.style_bank import Choice, StyleBank
from siman_synth.tally import Tally
from siman_synth.text.mixture import CorpusMixture

BUNDLED_STYLES = "bundled"
_PROBES = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """What the process that leads found in the inputs, for the workers that open them again."""

    fingerprint: str = ""
    """Of all contents: a worker that opened others under the same names must not use those."""
    styles: bytes | None = None
    """The style bank's choice of crops as bytes, None for all: need not be made twice."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that samples are made from, opened."""

    fonts: FontLibrary
    mixture: CorpusMixture
    styles: StyleBank
    generator: Generator
    """On the CPU, in evaluation mode."""
    gate: QualityGate

    @classmethod
    def open(cls, job: Job, seen: Seen | None = None) -> Self:
        """Open what a job names; with `seen`, crops that were looked at already are not looked at again.

        Raises:
            SimanError: an input cannot be used; the message says which and why.
        """
        config = job.config
        generator = load_generator(job.weights).generator
        fonts = FontLibrary.open(job.fonts)
        mixture = CorpusMixture.open(job.corpus, config.text)
        pool = CropPool.open(styles_path(job.styles))
        if seen is None:
            styles = StyleBank.build(pool, config.style, config.height_px)
        else:
            choice = None if seen.styles is None else Choice.from_bytes(seen.styles)
            styles = StyleBank(pool, config.style, config.height_px, choice)
        return cls(fonts, mixture, styles, generator, QualityGate.open(config.gate))


@dataclass(frozen=True, slots=True)
class CheckedInputs:
    """Opened inputs, and what the process that leads a run found out about them."""

    opened: Inputs
    contents: dict[str, str]
    """Fingerprints by input."""
    unjudged: Tally
    """Characters that the quality gate's reader cannot write: words with them pass unread."""

    @property
    def seen(self) -> Seen:
        """What workers are told."""
        choice = self.opened.styles.choice
        return Seen(fingerprint(self.contents), None if choice is None else choice.to_bytes())

    @property
    def skipped(self) -> dict[str, Tally]:
        """What is left out, by kind of input: a bad crop must not stop a run, nor pass in silence."""
        styles, fonts, mixture = self.opened.styles, self.opened.fonts, self.opened.mixture
        crops, characters = Tally(), Tally()
        crops.merge(styles.pool.skipped)
        crops.merge(styles.skipped)
        for character in fonts.missing(mixture.characters()):
            characters.add("that no font draws", f"'{character}' (U+{ord(character):04X})")
        return {
            "lines": mixture.skipped,
            "characters": characters,
            "fonts": fonts.skipped,
            "crops": crops,
            "reading of words with": self.unjudged,
        }


def styles_path(styles: str) -> Path:
    """Return the path behind --styles: a folder, list or LMDB, or the bundled crops.

    Raises:
        CropError: it is neither a path nor a bundled name.
    """
    if Path(styles).exists():
        return Path(styles)
    if styles == BUNDLED_STYLES:
        try:
            return resource_folder("styles") / "crops"
        except FileNotFoundError as error:
            raise CropError(f"{error} Or name crops of your own with --styles.", "missing") from error
    raise CropError(
        f"No styles '{styles}': there is no such folder, list file or LMDB. "
        f"Name one, or '{BUNDLED_STYLES}' for the crops that ship with siman-synth.",
        "missing",
    )


def check_inputs(job: Job) -> CheckedInputs:
    """Open and check what a job names, so that mistakes show before work starts.

    Raises:
        SimanError: an input cannot be used; the message says which and why.
    """
    opened = Inputs.open(job)
    _require_drawable(job, opened)
    contents = {
        "corpus": opened.mixture.fingerprint(),
        "fonts": opened.fonts.fingerprint(),
        "styles": opened.styles.pool.fingerprint(),
        "weights": hashlib.sha256(job.weights.read_bytes()).hexdigest()[:16],
    }
    unjudged = Tally()
    if reader := opened.gate.reader:
        contents["reader"] = reader.name
        for character in sorted(opened.mixture.characters() - reader.alphabet):
            if comparable(character):
                unjudged.add("a character that the reader does not know", character)
    return CheckedInputs(opened, contents, unjudged)


def planner(job: Job, inputs: Inputs) -> Planner:
    """Return what decides the samples of a job."""
    return Planner(job.seed, inputs.mixture, inputs.fonts, inputs.styles, job.config)


def _require_drawable(job: Job, inputs: Inputs) -> None:
    """Fail at once when none of the first words can be drawn: no attempt would help."""
    plans = planner(job, inputs)
    first: FontError | None = None
    for index in range(_PROBES):
        try:
            plans.plan(index)
            return
        except FontError as error:
            first = first or error
        except CropError:  # of a pool that is too large to be scanned
            return
    raise GenerationError(f"None of the first {_PROBES} words can be drawn. The first: {first}")
