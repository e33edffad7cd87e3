"""Names on the command line turned into opened inputs, checked before any work starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from siman_synth.config import first_difference
from siman_synth.crops.pool import CropPool
from siman_synth.errors import CropError, FontError, GenerationError, InputChangedError
from siman_synth.models.checkpoint import load_generator
from siman_synth.models.generator import Generator
from siman_synth.ocr.comparison import comparable
from siman_synth.recognition.own_ocr import ocr_file
from siman_synth.render.font_files import bundled_families
from siman_synth.render.fonts import FontLibrary
from siman_synth.resources import own_path, resource_folder
from siman_synth.runs.font_reading import NOT_READ, UNREADABLE, unreadable_fonts
from siman_synth.runs.job import Job
from siman_synth.seeding import sample_rng
from siman_synth.suggestions import did_you_mean, one_name
from siman_synth.synthesis.gate import QualityGate
from siman_synth.synthesis.plan import Planner
from siman_synth.synthesis.style_bank import Choice, StyleBank
from siman_synth.tally import Tally
from siman_synth.text.mixture import CorpusMixture
from siman_synth.text.writing import writing_systems
from siman_synth.watched import WatchedFile

BUNDLED_STYLES = "bundled"
_PROBES = 64
_JUDGED, _FEWEST_JUDGED = 200, 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """What the process that leads found in the inputs, for the workers that open them again."""

    contents: tuple[tuple[str, str], ...]
    """Fingerprints by input: a worker that opened others under the same names must not use those."""
    crops: bytes = field(compare=False, repr=False)
    """See `CropPool.digests`: each crop is compared when it is read."""
    styles: bytes | None = field(compare=False, repr=False)
    """The style bank's choice of crops as bytes, None for all: need not be made twice."""
    unreadable: tuple[str, ...] | None = ()
    """See `Inputs.unreadable`: fonts that were looked at need not be again."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that samples are made from, opened."""

    fonts: FontLibrary
    mixture: CorpusMixture
    styles: StyleBank
    generator: Generator
    """On the CPU, in evaluation mode."""
    gate: QualityGate
    unreadable: tuple[str, ...] | None
    """Fonts, by id, that were left out because OCR cannot read them; None: there is no OCR to ask."""
    contents: Mapping[str, str]
    """Fingerprints of what was opened, by input."""
    watched: tuple[WatchedFile, ...]
    """Files that are read again later, or by other processes; crops are compared one by one."""

    @classmethod
    def open(cls, job: Job, seen: Seen | None = None) -> Self:
        """Open what a job names; with `seen`, crops that were looked at already are not looked at again.

        Raises:
            SimanError: an input cannot be used; the message says which and why.
            InputChangedError: with `seen`, an input is not what it was.
        """
        config = job.config
        weights = WatchedFile(job.weights)
        generator = load_generator(job.weights).generator
        generator.check_height(config.height_px)
        mixture = CorpusMixture.open(job.corpus, config.text)
        systems = writing_systems(mixture.characters(), mixture.language(config.text.language))
        fonts = FontLibrary.open(job.fonts, systems)
        pool = CropPool.open(map(styles_path, job.styles))
        if seen is None:
            unreadable = unreadable_fonts(fonts)
            crops = pool.fingerprint()
            styles = StyleBank.build(pool, config.style, config.height_px)
        else:
            crops = dict(seen.contents)["styles"]
            pool.expect(seen.crops)
            choice = None if seen.styles is None else Choice.from_bytes(seen.styles)
            styles = StyleBank(pool, config.style, config.height_px, choice)
            unreadable = seen.unreadable
        fonts = fonts.without(map(fonts.font, unreadable or ()), UNREADABLE)
        gate = QualityGate.open(config.gate)
        contents = {
            "corpus": mixture.fingerprint(),
            "fonts": fonts.fingerprint(),
            "styles": crops,
            "weights": weights.sha256[:16],
        }
        watched = [weights, *mixture.watched, *fonts.watched]
        if gate.ocr:
            model = WatchedFile(ocr_file(config.gate.ocr))
            watched.append(model)
            contents["ocr"] = f"{gate.ocr.name} {model.sha256[:16]}"
        if seen is not None:
            _require_same(dict(seen.contents), contents)
        return cls(fonts, mixture, styles, generator, gate, unreadable, contents, tuple(watched))

    def require_unchanged(self) -> None:
        """Compare the files with what they were when they were opened; crops are compared when read.

        Raises:
            InputChangedError: one holds something else, or is gone.
        """
        for file in self.watched:
            file.require_same()


@dataclass(frozen=True, slots=True)
class CheckedInputs:
    """Opened inputs, and what the process that leads a run found out about them."""

    opened: Inputs
    unjudged: Tally
    """Characters that the quality gate's OCR cannot write: words with them pass unread."""

    @property
    def contents(self) -> Mapping[str, str]:
        """Fingerprints by input."""
        return self.opened.contents

    @property
    def seen(self) -> Seen:
        """What workers are told."""
        styles = self.opened.styles
        choice = None if styles.choice is None else styles.choice.to_bytes()
        return Seen(
            tuple(sorted(self.contents.items())), styles.pool.digests(), choice, self.opened.unreadable
        )

    @property
    def skipped(self) -> dict[str, Tally]:
        """What is left out, by kind of input: a bad crop must not stop a run, nor pass in silence."""
        styles, fonts, mixture = self.opened.styles, self.opened.fonts, self.opened.mixture
        crops, characters, unread = Tally(), Tally(), Tally()
        crops.merge(styles.pool.skipped)
        crops.merge(styles.skipped)
        for character in fonts.missing(mixture.characters()):
            characters.add("that no font draws", f"'{character}' (U+{ord(character):04X})")
        if self.opened.unreadable is None:
            for font in fonts.fonts:
                if not font.bundled:
                    unread.add(NOT_READ, font.path.name)
        return {
            "lines": mixture.skipped,
            "white space": mixture.respaced,
            "characters": characters,
            "fonts": fonts.skipped,
            "a look at": unread,
            "crops": crops,
            "reading of words with": self.unjudged,
        }


def styles_path(styles: str) -> Path:
    """Return the path behind --styles: a folder, list or LMDB, or the bundled crops.

    Raises:
        CropError: it is neither a path nor a bundled name.
    """
    if own := own_path(styles):
        return own
    if styles == BUNDLED_STYLES:
        try:
            return resource_folder("styles") / "crops"
        except FileNotFoundError as error:
            raise CropError(f"{error} Or name crops of your own.", "missing") from error
    raise CropError(
        f"No styles '{styles}': there is no such folder, list file or LMDB. "
        f"Name one, or '{BUNDLED_STYLES}' for the crops that ship with siman-synth.{one_name(styles)}",
        "missing",
    )


def check_inputs(job: Job) -> CheckedInputs:
    """Open and check what a job names, so that mistakes show before work starts.

    Raises:
        SimanError: an input cannot be used; the message says which and why.
    """
    opened = Inputs.open(job)
    _require_known_families(job, opened)
    _require_drawable(job, opened)
    unjudged = Tally()
    if opened.gate.ocr:
        _require_judged(job, opened)
        for character in sorted(opened.mixture.characters()):
            if comparable(character) and not opened.gate.can_judge(character):
                unjudged.add("a character that the OCR does not know", character)
    return CheckedInputs(opened, unjudged)


def _require_judged(job: Job, inputs: Inputs) -> None:
    """Refuse a gate that would wave most words through, of which its OCR can say nothing."""
    if job.config.gate.unjudged == "pass" or inputs.gate.ocr is None:
        return
    rng = sample_rng(job.seed, "gate")
    labels = [inputs.mixture.draw(rng).text for _ in range(_JUDGED)]
    judged = sum(map(inputs.gate.can_judge, labels))
    if judged < _JUDGED * _FEWEST_JUDGED:
        raise GenerationError(
            f"{judged} of {_JUDGED} labels can be judged by {inputs.gate.ocr.name}, which has not the "
            "characters of the others. Use another OCR (gate.ocr), the ink gate alone, or let them pass "
            "unread (gate.unjudged=pass)."
        )


def planner(job: Job, inputs: Inputs) -> Planner:
    """Return what decides the samples of a job."""
    return Planner(job.seed, inputs.mixture, inputs.fonts, inputs.styles, job.config)


def _require_same(seen: Mapping[str, str], found: Mapping[str, str]) -> None:
    if difference := first_difference(seen, found):
        raise InputChangedError(
            f"An input was changed since the run began: {difference}. Put back what was there and resume "
            "the run, or begin it anew."
        )


def _require_known_families(job: Job, inputs: Inputs) -> None:
    """Refuse a weight of a family that there is not; those of bundled fonts that are not in use are left."""
    named = job.config.render.families
    if named:
        known = sorted({font.family for font in inputs.fonts.fonts}.union(bundled_families()))
        for family in named:
            if family not in known:
                raise FontError(
                    f"render.families names '{family}', and there is no such family among the fonts."
                    f"{did_you_mean(family, known)}"
                )


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
