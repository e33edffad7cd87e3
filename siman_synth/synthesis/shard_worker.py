"""Making one shard: plan, render, restyle, encode, write."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from siman_synth.crops.pool import CropPool
from siman_synth.errors import CropError, FontError, SimanError
from siman_synth.render.errors import RenderError
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.word import ContentImage, WordRenderer
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.synthesis.finish import add_noise, encode
from siman_synth.synthesis.inputs import styles_path
from siman_synth.synthesis.job import Job
from siman_synth.synthesis.plan import Planner, SamplePlan
from siman_synth.synthesis.run_folder import read_json, write_whole
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
    def from_json(cls, values: Mapping[str, Any]) -> "ShardReport":
        """Restore what a marker holds."""
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
        OutputError, OSError: the disk refused the samples.
    """
    # One thread: other workers use the other cores, and thread counts may decide last bits.
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    marker = marker_file(folder, shard)
    marker.unlink(missing_ok=True)
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
    write_whole(marker, report.to_json())
    return report


def shard_samples(workshop: Workshop, job: Job, shard: int, rejected: Tally) -> list[Sample]:
    """Make the samples of a shard without writing them; `rejected` counts the attempts that failed.

    An index of which every attempt failed is not among them (`meta["index"]` says which are).
    """
    drafts, _ = _draft_all(workshop, job, shard, rejected)
    return list(_paint(workshop, drafts, job))


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


def _draft_all(workshop: Workshop, job: Job, shard: int, rejected: Tally) -> tuple[list[_Draft], int]:
    drafts: list[_Draft] = []
    dropped = 0
    for index in job.shard_range(shard):
        for attempt in range(job.config.execution.max_attempts):
            try:
                drafts.append(workshop.draft(index, attempt))
                break
            except RenderError as error:
                rejected.add(f"word: {error.reason}", _short(error))
            except FontError as error:
                rejected.add("word that no font draws", _short(error))
            except CropError as error:
                rejected.add(f"crop: {error.reason}", _short(error))
        else:
            dropped += 1
    return drafts, dropped


def _short(error: SimanError) -> str:
    """Return what was found; what to do about it would be said once for each example."""
    return str(error).split(". ")[0].rstrip(".")


def _paint(workshop: Workshop, drafts: Sequence[_Draft], job: Job) -> Iterator[Sample]:
    """Yield the samples in order."""
    images = workshop.synthesizer.restyle(
        [draft.content.mask for draft in drafts], [draft.style for draft in drafts]
    )
    for draft, image in zip(drafts, images, strict=True):
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
