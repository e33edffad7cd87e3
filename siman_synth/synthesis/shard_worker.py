"""Making one shard: plan, render, restyle, encode, write."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch

from siman_synth.crops.pool import CropPool
from siman_synth.errors import CropError, FontError, GenerationError
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.word import ContentImage, WordRenderer
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.synthesis.finish import add_noise, encode
from siman_synth.synthesis.inputs import styles_path
from siman_synth.synthesis.job import Job
from siman_synth.synthesis.plan import Planner, SamplePlan
from siman_synth.synthesis.style_bank import Style, StyleBank
from siman_synth.synthesis.synthesizer import Synthesizer
from siman_synth.tally import Tally
from siman_synth.text.mixture import CorpusMixture


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What a finished shard holds; its marker file says the same."""

    shard: int
    made: int
    dropped: int
    rejected: Tally

    def to_json(self) -> str:
        """Return the marker's text."""
        values = {"shard": self.shard, "made": self.made, "dropped": self.dropped}
        return json.dumps({**values, "rejected": self.rejected.to_json()}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "ShardReport":
        """Read a marker."""
        values = json.loads(text)
        return cls(values["shard"], values["made"], values["dropped"], Tally.from_json(values["rejected"]))


@dataclass(frozen=True, slots=True)
class _Draft:
    """A sample that is planned and rendered, and waits for the network."""

    plan: SamplePlan
    content: ContentImage
    style: Style


class Workshop:
    """The opened inputs of a job, kept by a worker for all of its shards."""

    def __init__(self, job: Job, usable_styles: np.ndarray | None) -> None:
        config = job.config
        fonts = FontLibrary.open(job.fonts)
        pool = CropPool.open(styles_path(job.styles))
        self.styles = StyleBank(pool, config.style, config.height_px, usable_styles)
        self.renderer = WordRenderer(fonts, config.render)
        mixture = CorpusMixture.open(job.corpus, config.text)
        self.planner = Planner(job.seed, mixture, fonts, len(self.styles), config)
        self.synthesizer = Synthesizer.load(job.weights, job.device, fonts, config)

    def draft(self, index: int, attempt: int) -> _Draft:
        """Plan and render sample `index`.

        Raises:
            FontError, CropError: this attempt cannot be made; another may.
        """
        plan = self.planner.plan(index, attempt)
        return _Draft(plan, self.renderer.render(plan.content), self.styles[plan.style])


@lru_cache(maxsize=1)
def _workshop(job: Job, usable: bytes | None) -> Workshop:
    return Workshop(job, None if usable is None else np.frombuffer(usable, np.int64))


def make_shard(job: Job, shard: int, folder: Path, usable: bytes | None) -> ShardReport:
    """Make shard `shard` of a job in `folder` and leave its marker last.

    Args:
        job: the run.
        shard: which part of it.
        folder: the run's shard folder.
        usable: the style bank's usable indices as int64 bytes, None for all.

    Raises:
        OutputError: the disk refused the samples.
    """
    # One thread: other workers use the other cores, and thread counts may decide last bits.
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    workshop = _workshop(job, usable)
    rejected = Tally()
    drafts, dropped = _draft_all(workshop, job, shard, rejected)
    partial = folder / f"{shard:06d}.partial-{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    with LmdbWriter.create(partial) as writer:
        for sample in _paint(workshop, drafts, job):
            writer.write(sample)
    final = shard_folder(folder, shard)
    shutil.rmtree(final, ignore_errors=True)
    partial.replace(final)
    report = ShardReport(shard, len(drafts), dropped, rejected)
    _write_marker(marker_file(folder, shard), report)
    return report


def shard_folder(folder: Path, shard: int) -> Path:
    """Where the samples of a finished shard lie."""
    return folder / f"{shard:06d}.lmdb"


def marker_file(folder: Path, shard: int) -> Path:
    """The file whose presence says that a shard is finished."""
    return folder / f"{shard:06d}.json"


def _draft_all(workshop: Workshop, job: Job, shard: int, rejected: Tally) -> tuple[list[_Draft], int]:
    drafts: list[_Draft] = []
    dropped = 0
    for index in job.shard_range(shard):
        for attempt in range(job.config.execution.max_attempts):
            try:
                drafts.append(workshop.draft(index, attempt))
                break
            except FontError as error:
                rejected.add("word that cannot be drawn", str(error))
            except CropError as error:
                rejected.add(f"style {error.reason}", str(error))
        else:
            dropped += 1
    return drafts, dropped


def _paint(workshop: Workshop, drafts: Sequence[_Draft], job: Job) -> Iterator[Sample]:
    """Yield the samples in order, painted in batches of like width."""
    order = sorted(range(len(drafts)), key=lambda i: (drafts[i].content.mask.shape[1], i))
    size = job.config.execution.batch_size
    images: list[np.ndarray | None] = [None] * len(drafts)
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        painted = workshop.synthesizer.restyle(
            [drafts[i].content.mask for i in batch], [drafts[i].style for i in batch]
        )
        for i, image in zip(batch, painted, strict=True):
            images[i] = image
    for draft, image in zip(drafts, images, strict=True):
        if image is None:
            raise GenerationError(f"Sample {draft.plan.index} was not painted; please report this.")
        yield _sample(draft, image, job)


def _sample(draft: _Draft, image: np.ndarray, job: Job) -> Sample:
    plan = draft.plan
    data = encode(add_noise(image, plan.finish), plan.finish, job.config.finish)
    meta = {
        "font": plan.content.font,
        "style": draft.style.id,
        "corpus": plan.corpus,
        "seed": plan.seed,
        "index": plan.index,
        "attempt": plan.attempt,
        "layout": plan.content.to_json()["layout"],
        "boxes": [box.to_json() for box in draft.content.boxes],
    }
    return Sample(
        image=data,
        label=plan.content.text,
        width_px=image.shape[1],
        height_px=image.shape[0],
        meta=meta,
    )


def _write_marker(path: Path, report: ShardReport) -> None:
    partial = path.with_suffix(".json.partial")
    partial.write_text(report.to_json(), encoding="utf-8")
    partial.replace(path)
