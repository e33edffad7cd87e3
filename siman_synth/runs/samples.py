"""Making samples by their indices: plan, draft, make, and again what fails."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from siman_synth import stopping
from siman_synth.config import fingerprint
from siman_synth.errors import CropError, FontError, SimanError
from siman_synth.models.device import resolve_device
from siman_synth.render.errors import RenderError
from siman_synth.render.layouts import layout_to_json
from siman_synth.render.vertical import ACROSS
from siman_synth.render.word import WordRenderer
from siman_synth.runs.inputs import Inputs, Seen, planner
from siman_synth.runs.job import Job
from siman_synth.runs.process import settle
from siman_synth.seeding import sample_rng
from siman_synth.storage.lmdb_format import Sample
from siman_synth.synthesis.painter import Painter
from siman_synth.synthesis.plan import SamplePlan
from siman_synth.synthesis.word_maker import Draft, Word, WordMaker, WordPlan
from siman_synth.tally import Tally


@dataclass(frozen=True, slots=True)
class Reject:
    """A picture that the quality gate rejected."""

    reason: str
    label: str
    image: bytes


@dataclass(slots=True)
class MadeSamples:
    """The samples of a shard, in the order of their indices, and what did not become one."""

    samples: list[Sample] = field(default_factory=list)
    dropped: int = 0
    """Indices of which every attempt failed."""
    rejected: Tally = field(default_factory=Tally)
    """Attempts that failed, by reason."""
    rejects: list[Reject] = field(default_factory=list)
    """Pictures that the gate rejected."""


class Workshop:
    """What makes the samples of a job, kept by a worker for all of its shards."""

    def __init__(self, job: Job, inputs: Inputs) -> None:
        device = resolve_device(job.device)
        config = job.config
        self.job = job
        self.inputs = inputs
        self.run = fingerprint(job.identity(inputs.contents))
        """Fingerprint of the identity of the run."""
        self.gate = inputs.gate
        self._styles = inputs.styles
        self._planner = planner(job, inputs)
        renderer = WordRenderer(inputs.fonts, config.render)
        painter = Painter(inputs.generator.to(device), device, config.execution)
        self._maker = WordMaker(renderer, painter, config.finish, inputs.gate)

    def draft(self, index: int, attempt: int) -> tuple[SamplePlan, Draft]:
        """Plan and render sample `index`.

        Raises:
            FontError, CropError: this attempt cannot be made; another may.
        """
        plan = self._planner.plan(index, attempt)
        style = self._styles[plan.style]
        other = None if plan.other_style is None else self._styles[plan.other_style]
        word = WordPlan(plan.content, style, plan.finish, self._may_be_hard(index), other, plan.style_share)
        return plan, self._maker.draft(word)

    def make(self, drafts: Sequence[Draft]) -> list[Word]:
        """Paint, finish and judge."""
        return self._maker.make(drafts)

    def _may_be_hard(self, index: int) -> bool:
        share = self.job.config.gate.hard_share
        return share > 0 and sample_rng(self.job.seed, "gate", index).random() < share


@lru_cache(maxsize=1)
def worker_workshop(job: Job, seen: Seen) -> Workshop:
    """Return the workshop of a process that makes samples for a leader and does nothing else, opened once."""
    settle()
    return Workshop(job, Inputs.open(job, seen))


def make_samples(workshop: Workshop, shard: int) -> MadeSamples:
    """Make the samples of a shard; what the gate rejects is resampled, together, up to the last attempt."""
    job = workshop.job
    made = MadeSamples()
    accepted: dict[int, Sample] = {}
    pending = [(index, 0) for index in job.shard_range(shard)]
    while pending:
        drafted = [found for index, attempt in pending if (found := _draft(workshop, index, attempt, made))]
        pending = []
        words = workshop.make([draft for _, draft in drafted])
        for (plan, draft), word in zip(drafted, words, strict=True):
            if word.problem is None:
                accepted[plan.index] = _sample(plan, draft, word)
                continue
            made.rejected.add(word.problem, word.label)
            made.rejects.append(Reject(word.problem, word.label, word.encoded or b""))
            if plan.attempt + 1 < job.config.execution.max_attempts:
                pending.append((plan.index, plan.attempt + 1))
            else:
                made.dropped += 1
    made.samples = [accepted[index] for index in sorted(accepted)]
    return made


def _draft(
    workshop: Workshop, index: int, attempt: int, made: MadeSamples
) -> tuple[SamplePlan, Draft] | None:
    """Plan and render a sample, from `attempt` on; None when every attempt failed."""
    for number in range(attempt, workshop.job.config.execution.max_attempts):
        stopping.check()
        try:
            return workshop.draft(index, number)
        except RenderError as error:
            made.rejected.add(f"word: {error.reason}", _short(error))
        except FontError as error:
            made.rejected.add("word that no font draws", _short(error))
        except CropError as error:
            made.rejected.add(f"crop: {error.reason}", _short(error))
    made.dropped += 1
    return None


def _short(error: SimanError) -> str:
    """Return what was found; what to do about it would be said once for each example."""
    return str(error).split(". ")[0].rstrip(".")


def _sample(plan: SamplePlan, draft: Draft, word: Word) -> Sample:
    assert word.encoded is not None, "a sample's plan asks for an encoding"
    meta = {
        "font": plan.content.font,
        "style": draft.plan.style.id,
        "corpus": plan.corpus,
        "seed": plan.seed,
        "index": plan.index,
        "attempt": plan.attempt,
        "layout": layout_to_json(plan.content.layout),
        "boxes": [box.to_json() for box in word.boxes],
    }
    if draft.plan.other_style is not None:
        meta["other_style"] = draft.plan.other_style.id
        meta["style_share"] = draft.plan.style_share
    if plan.content.writing != ACROSS:
        meta["writing"] = plan.content.writing
    height, width = word.image.shape[:2]
    return Sample(image=word.encoded, label=word.label, width_px=width, height_px=height, meta=meta)
