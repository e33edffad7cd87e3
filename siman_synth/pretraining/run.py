"""A pretraining run from end to end: inputs, folder, cache, networks, the loop, the weights."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from siman_synth import stopping
from siman_synth.config import to_mapping, to_toml
from siman_synth.crops.cache import CropCache
from siman_synth.crops.pool import CropPool, require_apart
from siman_synth.errors import ConfigError
from siman_synth.files import write_text
from siman_synth.models.allocator import keep_freed_memory
from siman_synth.models.bundled import RUN_WEIGHTS
from siman_synth.pretraining.augmentation import StyleAugmentation
from siman_synth.pretraining.batches import Batches, PatchBatches
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.pretraining.patches import PatchSampler
from siman_synth.pretraining.plain_words import plain_words
from siman_synth.pretraining.preview_words import preview_words
from siman_synth.pretraining.previews import Previews
from siman_synth.pretraining.state import TrainState
from siman_synth.pretraining.step import SimanTraining
from siman_synth.pretraining.teacher import TaughtBatches, Teacher
from siman_synth.pretraining.weights import Start, export
from siman_synth.several import Names
from siman_synth.tally import Tally
from siman_synth.text.mixture import CorpusMixture, TextConfig
from siman_synth.training.checkpoints import Checkpoints
from siman_synth.training.distributed import Processes, processes
from siman_synth.training.folder import RunFolder, disk_errors
from siman_synth.training.history import history, other_library, refuse_another_start
from siman_synth.training.loop import Loop, Report
from siman_synth.training.schedule import LinearSchedule
from siman_synth.training.summary import count_gflop, parameter_lines

_CACHE, _PANELS, _SNAPSHOTS, _SETTINGS = "cache", "panels", "snapshots", "config.toml"
_WRITTEN = frozenset({RUN_WEIGHTS, _CACHE, _PANELS, _SNAPSHOTS, _SETTINGS, "stats.jsonl", "tensorboard"})

_TWO_PATCHES = 2

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PretrainResult:
    """How a run ended."""

    steps: int
    """Finished steps."""
    interrupted: bool
    """Whether Ctrl-C or SIGTERM ended it; `resume` goes on."""
    weights: Path | None
    """The exported generator, if there is one already."""
    is_main: bool
    """Whether this is the process that reports, among several."""


def pretrain(
    config: PretrainConfig,
    crops: Names,
    out: str | Path,
    *,
    resume: bool = False,
    init: str | Path | None = None,
    teacher: str | Path | None = None,
    cache: str | Path | None = None,
    device: str = "auto",
    show_progress: bool | None = None,
    say: Say = lambda _line: None,
) -> PretrainResult:
    """Train SimAN on unlabeled crops and leave the averaged generator in `out`.

    Under torchrun every process calls it; they share the work.

    Args:
        config: all that decides the numbers, but for the crops.
        crops: a folder tree, a list, an LMDB or an image, or several; see `CropPool.open`.
        out: folder of the run: checkpoints, panels, snapshots, stats.jsonl, siman.safetensors.
        resume: go on from the last checkpoint in `out`, if there is one.
        init: weights to start from: a file, or "bundled". Not together with `resume`, which goes on
            with what the run began with.
        teacher: weights, as `init` takes them, of a network that paints for this one: it then learns to
            paint plain words in the styles of the crops as the teacher does (`config.distillation`),
            instead of rebuilding patches. To be given again with `resume`.
        cache: folder of the decoded crops; None is `out`/cache.
        device: "auto", "cpu", "cuda", "cuda:1".
        show_progress: True, False, or None to show a bar only on a terminal.
        say: takes a line about what was found and what is done.

    Raises:
        ConfigError: `resume` and `init` together, or a device that is not there.
        CropError: there are no crops, or none can be used.
        OutputError: `out` is not free for this run, belongs to a run with other settings or other
            crops, is worked on by another process, or the disk is full.
        WeightsError: `init` or `teacher` cannot be read, or `init` holds another network.
        TrainingError: a loss was not finite, no checkpoint can be read, or the batch does not divide
            among the processes.
    """
    with stopping.stops_at_checks(), processes(device) as peers, ExitStack() as stack:
        where = Path(cache) if cache is not None else None
        run = _Run(config, Path(out), crops, where, peers, say, teacher)
        try:
            with disk_errors(run.folder):
                loop = run.prepare(resume, init, stack)
                first = loop.resume(run.say)
                steps = loop.run_in(run.folder.path, first, show_progress)
        except stopping.Stopped:
            steps = Checkpoints(run.folder.checkpoints).last_step()
        weights = run.folder.path / RUN_WEIGHTS
        interrupted = peers.any(stopping.requested())
        return PretrainResult(steps, interrupted, weights if weights.exists() else None, peers.is_main)


def check_inputs(
    config: PretrainConfig,
    crops: Names,
    out: str | Path,
    resume: bool = False,
    init: str | Path | None = None,
    teacher: str | Path | None = None,
) -> CropPool:
    """Look whether a run could begin, change nothing, and return the crops.

    Raises:
        ConfigError, CropError, OutputError, WeightsError: as `pretrain` would.
    """
    refuse_another_start(resume, init)
    if teacher is None and config.data.min_aspect < _TWO_PATCHES:
        raise ConfigError(
            "Without a teacher crops must hold two patches: found data.min_aspect = "
            f"{config.data.min_aspect:g}, {_TWO_PATCHES} is the least."
        )
    _folder(Path(out)).require_usable(resume)
    require_apart(Path(out), crops)
    pool = CropPool.open(crops)
    if init is not None:
        Start.read(init, config)
    if teacher is not None:
        Teacher.read(teacher, config.data.height_px)
        CorpusMixture.open(config.distillation.corpora, TextConfig())
    return pool


class _Run:
    """One call of `pretrain` in this process."""

    def __init__(
        self,
        config: PretrainConfig,
        out: Path,
        crops: Names,
        cache: Path | None,
        peers: Processes,
        say: Say,
        teacher: str | Path | None = None,
    ) -> None:
        self.folder = _folder(out)
        self.say: Say = say if peers.is_main else lambda _line: None
        self._config, self._crops, self._peers = config, crops, peers
        self._cache = cache or out / _CACHE
        self._history: Mapping[str, Any] = {}
        self._teacher = None if teacher is None else Teacher.read(teacher, config.data.height_px)

    def prepare(self, resume: bool, init: str | Path | None, stack: ExitStack) -> Loop:
        """Check the inputs, take the folder, decode the crops, build the networks."""
        config, peers = self._config, self._peers
        local_batch = peers.share_of(config.training.batch_size, config.training.accumulate)
        contents = peers.on_main(lambda: self._claim(resume, init, stack))
        data = config.data
        cache = CropCache.open(self._cache, data.height_px, data.min_aspect, contents)
        if peers.device.type == "cpu":
            keep_freed_memory()
        sampler = PatchSampler(cache, config.training.seed, peers.device, data.held_out)
        state = TrainState.create(config, peers.device)
        if init is not None:
            start = Start.read(init, config)
            start.put_into(state)
            self.say(str(start))
        batches = self._batches(sampler)
        training = SimanTraining(config, state, batches, peers, local_batch)
        self._describe(state, sampler, cache)
        return Loop(
            trained=training,
            optimisation=config.training,
            pace=config.logging,
            schedule=LinearSchedule(
                config.training.learning_rate, config.training.final_learning_rate, config.training.steps
            ),
            guard=training.guard,
            peers=peers,
            checkpoints=Checkpoints(self.folder.checkpoints, config.logging.checkpoints_kept),
            identity=self._identity(contents),
            reports=self._reports(state, batches, sampler, cache) if peers.is_main else (),
            export=lambda step: self._export(self.folder.path / RUN_WEIGHTS, state, step),
        )

    def _claim(self, resume: bool, init: str | Path | None, stack: ExitStack) -> str:
        """In the main process: check, hold and mark the folder, decode the crops; return their hash."""
        config = self._config
        teacher = self._teacher
        named = None if teacher is None else teacher.path
        pool = check_inputs(config, self._crops, self.folder.path, resume, init, named)
        stack.enter_context(self.folder.held(resume))
        contents = pool.fingerprint()
        stopping.check()
        start = None if init is None else Start.read(init, config).record
        taught = None if teacher is None else teacher.record
        self._history = self.folder.begin(self._identity(contents), history(start, taught), resume)
        if sentence := other_library(self._history):
            self.say(sentence)
        write_text(self.folder.path / _SETTINGS, to_toml(config))
        for name in (_PANELS, _SNAPSHOTS):
            self.folder.make(name)
        cache = CropCache.build(
            pool, self._cache, config.data.height_px, config.data.min_aspect, contents, stopping.check
        )
        skipped = Tally()
        skipped.merge(pool.skipped)
        skipped.merge(cache.skipped)
        self.say(f"{len(cache)} crops for training, {skipped.total} skipped")
        for line in skipped.lines():
            self.say(f"  skipped: {line}")
        return contents

    def _batches(self, sampler: PatchSampler) -> Batches:
        config = self._config
        if self._teacher is None:
            return PatchBatches(sampler, StyleAugmentation(config.augmentation), self._peers)
        skipped = Tally()
        words = plain_words(
            config.distillation, config.data.height_px, config.training.seed, skipped, stopping.check
        )
        self.say(
            f"{len(words)} plain words for {self._teacher.record['file']} to paint, {skipped.total} skipped"
        )
        for line in skipped.lines():
            self.say(f"  skipped: {line}")
        return TaughtBatches(self._teacher, sampler, words, config, self._peers)

    def _identity(self, contents: str) -> dict[str, Any]:
        taught = {} if self._teacher is None else {"teacher": self._teacher.record["sha256"]}
        return {**_identity(self._config, contents), **taught}

    def _describe(self, state: TrainState, sampler: PatchSampler, cache: CropCache) -> None:
        if not self._peers.is_main:
            return
        if len(sampler.held_out):
            self.say(
                f"{len(sampler.held_out)} of the crops are held out, for the held-out error and the panels"
            )
        else:
            self.say("No crops are held out: there is no held-out error")
        for line in parameter_lines({"generator": state.generator, "discriminator": state.discriminator}):
            self.say(line)
        height = cache.height_px
        patch = torch.zeros(1, 3, height, height, device=self._peers.device)
        with torch.no_grad():
            self.say(
                f"rebuilding a patch takes {count_gflop(lambda: state.averaged(patch, patch)):.3g} GFLOP"
            )

    def _reports(
        self, state: TrainState, batches: Batches, sampler: PatchSampler, cache: CropCache
    ) -> list[Report]:
        words = preview_words(self._config.data.height_px)
        panels, snapshots = (self.folder.path / name for name in (_PANELS, _SNAPSHOTS))
        shown = sampler.held_out if len(sampler.held_out) else range(len(cache))
        styles = [cache.crop(int(index)) for index in shown[: len(words)]]
        previews = Previews(state.averaged, batches.held_out(), styles, words, panels)

        def snapshot(step: int) -> Mapping[str, float]:
            self._export(snapshots / f"siman-{step:08d}.safetensors", state, step)
            return {}

        logging = self._config.logging
        return [
            Report(logging.panel_every, previews.make),
            Report(logging.snapshot_every, snapshot, at_end=False),
        ]

    def _export(self, path: Path, state: TrainState, step: int) -> None:
        export(path, state, self._config, step, self._history)


def _folder(out: Path) -> RunFolder:
    return RunFolder(out, "pretraining", _WRITTEN)


def _identity(config: PretrainConfig, contents: str) -> dict[str, Any]:
    """Return what decides a run's numbers, as plain values.

    How often a run reports does not decide them, and a run may be prolonged.
    """
    values = to_mapping(config)
    training = {key: value for key, value in values["training"].items() if key != "steps"}
    decisive = {key: value for key, value in values.items() if key != "logging"}
    return {**decisive, "training": training, "contents of the crops": contents}
