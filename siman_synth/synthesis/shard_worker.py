"""Making one shard: plan, render, restyle, encode, write."""

import json
import os
import shutil
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from siman_synth.errors import CropError, FontError, SimanError
from siman_synth.models.allocator import keep_few_kernels, keep_freed_memory
from siman_synth.models.device import resolve_device
from siman_synth.render.errors import RenderError
from siman_synth.render.layout import layout_to_json
from siman_synth.render.word import ContentImage, WordRenderer
from siman_synth.seeding import sample_rng
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.synthesis.finish import add_noise, decode, encode
from siman_synth.synthesis.inputs import Inputs, Seen, planner
from siman_synth.synthesis.job import Job
from siman_synth.synthesis.plan import SamplePlan
from siman_synth.synthesis.quality import Candidate
from siman_synth.synthesis.run_folder import read_json, write_whole
from siman_synth.synthesis.sharpness import soften
from siman_synth.synthesis.style_bank import Style
from siman_synth.synthesis.synthesizer import Synthesizer
from siman_synth.tally import Tally

_REJECTS_SHOWN, _SHARDS_SHOWN = 4, 64
"""How many rejected pictures a shard keeps for the sheet of rejects, and how many shards do."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A picture that the quality gate refused."""

    reason: str
    label: str
    image: bytes


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What a finished shard holds; its marker file says the same."""

    shard: int
    made: int
    dropped: int
    rejected: Tally
    rejects: tuple[Reject, ...] = ()
    """A few of the pictures that were rejected."""

    def to_json(self) -> str:
        """Return the marker's text."""
        rejects = [(one.reason, one.label, b64encode(one.image).decode()) for one in self.rejects]
        values = {"shard": self.shard, "made": self.made, "dropped": self.dropped, "rejects": rejects}
        return json.dumps({**values, "rejected": self.rejected.to_json()}, indent=1)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ShardReport":
        """Restore what a marker holds."""
        rejects = tuple(Reject(reason, label, b64decode(image)) for reason, label, image in values["rejects"])
        rejected = Tally.from_json(values["rejected"])
        return cls(values["shard"], values["made"], values["dropped"], rejected, rejects)


@dataclass(slots=True)
class MadeSamples:
    """The samples of a shard, in the order of their indices, and what did not become one."""

    samples: list[Sample] = field(default_factory=list)
    dropped: int = 0
    """Indices of which every attempt failed."""
    rejected: Tally = field(default_factory=Tally)
    """Attempts that failed, by reason."""
    rejects: list[Reject] = field(default_factory=list)
    """Pictures that the gate refused."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """A sample that is planned and rendered, and waits for the network."""

    plan: SamplePlan
    content: ContentImage
    style: Style


class Workshop:
    """What makes the samples of a job, kept by a worker for all of its shards."""

    def __init__(self, job: Job, inputs: Inputs) -> None:
        device = resolve_device(job.device)
        self.job = job
        self.styles = inputs.styles
        self.gate = inputs.gate
        self.renderer = WordRenderer(inputs.fonts, job.config.render)
        self.planner = planner(job, inputs)
        self.synthesizer = Synthesizer(inputs.generator.to(device), device, inputs.fonts, job.config)

    def draft(self, index: int, attempt: int) -> _Draft:
        """Plan and render sample `index`.

        Raises:
            FontError, CropError: this attempt cannot be made; another may.
        """
        plan = self.planner.plan(index, attempt)
        return _Draft(plan, self.renderer.render(plan.content), self.styles[plan.style])


@lru_cache(maxsize=1)
def worker_workshop(job: Job, seen: Seen) -> Workshop:
    """Return the workshop of a process that makes shards for a leader, opened once."""
    return Workshop(job, Inputs.open(job, seen))


def make_shard(workshop: Workshop, shard: int, folder: Path) -> ShardReport:
    """Make shard `shard` of the workshop's job in `folder` and leave its marker last.

    Raises:
        OutputError, OSError: the disk refused the samples.
    """
    # One thread: other workers use the other cores, and thread counts may decide last bits.
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    keep_freed_memory()
    keep_few_kernels()
    marker = marker_file(folder, shard)
    marker.unlink(missing_ok=True)
    made = make_samples(workshop, shard)
    partial = folder / f"{shard:06d}.partial-{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    with LmdbWriter.create(partial) as writer:
        for sample in made.samples:
            writer.write(sample)
    final = shard_folder(folder, shard)
    shutil.rmtree(final, ignore_errors=True)
    partial.replace(final)
    shown = made.rejects[:_REJECTS_SHOWN] if shard < _SHARDS_SHOWN else ()
    report = ShardReport(shard, len(made.samples), made.dropped, made.rejected, tuple(shown))
    write_whole(marker, report.to_json())
    return report


def make_samples(workshop: Workshop, shard: int) -> MadeSamples:
    """Make the samples of a shard; what the gate rejects is drawn anew, together, up to the last attempt."""
    job = workshop.job
    made = MadeSamples()
    accepted: dict[int, Sample] = {}
    pending = [(index, 0) for index in job.shard_range(shard)]
    while pending:
        drafts = [draft for index, attempt in pending if (draft := _draft(workshop, index, attempt, made))]
        pending = []
        samples = _paint(workshop, drafts)
        for draft, sample, reason in zip(drafts, samples, _judged(workshop, drafts, samples), strict=True):
            index, attempt = draft.plan.index, draft.plan.attempt
            if reason is None:
                accepted[index] = sample
                continue
            made.rejected.add(reason, sample.label)
            made.rejects.append(Reject(reason, sample.label or "", sample.image))
            if attempt + 1 < job.config.execution.max_attempts:
                pending.append((index, attempt + 1))
            else:
                made.dropped += 1
    made.samples = [accepted[index] for index in sorted(accepted)]
    return made


def shard_folder(folder: Path, shard: int) -> Path:
    """Where the samples of a finished shard lie."""
    return folder / f"{shard:06d}.lmdb"


def marker_file(folder: Path, shard: int) -> Path:
    """The file whose presence says that a shard is finished."""
    return folder / f"{shard:06d}.json"


def read_marker(folder: Path, shard: int) -> ShardReport | None:
    """Return the report of a finished shard, None if it is not finished."""
    values = read_json(marker_file(folder, shard))
    try:
        return None if values is None else ShardReport.from_json(values)
    except (KeyError, TypeError, ValueError):
        return None


def _draft(workshop: Workshop, index: int, attempt: int, made: MadeSamples) -> _Draft | None:
    """Plan and render a sample, from `attempt` on; None when every attempt failed."""
    for number in range(attempt, workshop.job.config.execution.max_attempts):
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


def _paint(workshop: Workshop, drafts: Sequence[_Draft]) -> list[Sample]:
    images = workshop.synthesizer.restyle(
        [draft.content.mask for draft in drafts], [draft.style for draft in drafts]
    )
    return [_sample(draft, image, workshop.job) for draft, image in zip(drafts, images, strict=True)]


def _judged(workshop: Workshop, drafts: Sequence[_Draft], samples: Sequence[Sample]) -> list[str | None]:
    """Return for each sample why it is rejected, or None."""
    if workshop.gate.passes_all:
        return [None] * len(samples)
    job = workshop.job
    hard_share = job.config.gate.hard_share
    return workshop.gate.judge(
        [
            Candidate(
                image=decode(sample.image),
                content=draft.content,
                label=draft.plan.content.text,
                may_be_hard=hard_share > 0
                and sample_rng(job.seed, "gate", draft.plan.index).random() < hard_share,
            )
            for draft, sample in zip(drafts, samples, strict=True)
        ]
    )


def _sample(draft: _Draft, image: np.ndarray, job: Job) -> Sample:
    plan = draft.plan
    image = add_noise(image, plan.finish)
    if job.config.finish.match_sharpness:
        image = soften(image, draft.style.sharpness)
    data = encode(image, plan.finish, job.config.finish)
    meta = {
        "font": plan.content.font,
        "style": draft.style.id,
        "corpus": plan.corpus,
        "seed": plan.seed,
        "index": plan.index,
        "attempt": plan.attempt,
        "layout": layout_to_json(plan.content.layout),
        "boxes": [box.to_json() for box in draft.content.boxes],
    }
    return Sample(
        image=data,
        label=plan.content.text,
        width_px=image.shape[1],
        height_px=image.shape[0],
        meta=meta,
    )
