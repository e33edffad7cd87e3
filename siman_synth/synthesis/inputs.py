"""Names on the command line turned into opened inputs, checked before any work starts."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from siman_synth.config import fingerprint
from siman_synth.crops.pool import CropPool
from siman_synth.errors import CropError, FontError, GenerationError
from siman_synth.models.checkpoint import load_generator
from siman_synth.reading.comparison import comparable
from siman_synth.render.fonts import FontLibrary
from siman_synth.resources import resource_folder
from siman_synth.synthesis.job import Job
from siman_synth.synthesis.plan import Planner
from siman_synth.synthesis.quality import open_reader
from siman_synth.synthesis.style_bank import StyleBank
from siman_synth.tally import Tally
from siman_synth.text.mixture import CorpusMixture

BUNDLED_STYLES = "bundled"
_PROBES = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """What the process that leads found in the inputs, for the workers that open them again."""

    fingerprint: str = ""
    """Of all contents: a worker that opened others under the same names must not use those."""
    usable_styles: bytes | None = None
    """The style bank's usable indices as int64 bytes, None for all: need not be checked twice."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a run reads, opened once by the process that leads it."""

    fonts: FontLibrary
    mixture: CorpusMixture
    styles: StyleBank
    contents: dict[str, str]
    """Fingerprints by input."""
    unjudged: Tally
    """Characters that the quality gate's reader cannot write: words with them pass unread."""

    @property
    def seen(self) -> Seen:
        """What workers are told."""
        return Seen(fingerprint(self.contents), self.styles.usable_bytes)

    @property
    def skipped(self) -> dict[str, Tally]:
        """What is left out, by kind of input: a bad crop must not stop a run, nor pass in silence."""
        crops, characters = Tally(), Tally()
        crops.merge(self.styles.pool.skipped)
        crops.merge(self.styles.skipped)
        for character in self.fonts.missing(self.mixture.characters()):
            characters.add("that no font draws", f"'{character}' (U+{ord(character):04X})")
        return {
            "lines": self.mixture.skipped,
            "characters": characters,
            "fonts": self.fonts.skipped,
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


def open_inputs(job: Job) -> Inputs:
    """Open and check what a job names, so that mistakes show before work starts.

    Raises:
        SimanError: an input cannot be used; the message says which and why.
    """
    load_generator(job.weights)
    fonts = FontLibrary.open(job.fonts)
    mixture = CorpusMixture.open(job.corpus, job.config.text)
    styles = StyleBank.build(CropPool.open(styles_path(job.styles)), job.config.style, job.config.height_px)
    _require_drawable(job, mixture, fonts, len(styles))
    contents = {
        "corpus": mixture.fingerprint(),
        "fonts": fonts.fingerprint(),
        "styles": styles.pool.fingerprint(),
        "weights": hashlib.sha256(job.weights.read_bytes()).hexdigest()[:16],
    }
    unjudged = Tally()
    if reader := open_reader(job.config.gate):
        contents["reader"] = reader.name
        for character in sorted(mixture.characters() - reader.alphabet):
            if comparable(character):
                unjudged.add("a character that the reader does not know", character)
    return Inputs(fonts, mixture, styles, contents, unjudged)


def _require_drawable(job: Job, mixture: CorpusMixture, fonts: FontLibrary, style_count: int) -> None:
    """Fail at once when none of the first words can be drawn: no attempt would help."""
    planner = Planner(job.seed, mixture, fonts, style_count, job.config)
    first: FontError | None = None
    for index in range(_PROBES):
        try:
            planner.plan(index)
            return
        except FontError as error:
            first = first or error
    raise GenerationError(f"None of the first {_PROBES} words can be drawn. The first: {first}")
