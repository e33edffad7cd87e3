"""Algorithm 1: draw patches, rebuild, update D, update encoder and decoder."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from siman_synth.config import to_toml
from siman_synth.crops.cache import CropCache
from siman_synth.crops.patches import PatchPair, PatchSampler
from siman_synth.crops.style_breaking import StyleBreaking
from siman_synth.errors import OutputError, TrainingError
from siman_synth.models.allocator import keep_freed_memory
from siman_synth.pretraining import losses
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.pretraining.distributed import Processes
from siman_synth.pretraining.finite import FiniteGuard
from siman_synth.pretraining.metrics import StatsWriter
from siman_synth.pretraining.reporter import Reporter
from siman_synth.pretraining.state import TrainState, checkpoints

WEIGHTS_NAME = "siman.safetensors"
_CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class PretrainResult:
    """How a run ended."""

    steps: int
    """Finished steps."""
    interrupted: bool
    """Whether Ctrl-C (or SIGTERM) ended it before the last step; `resume` goes on."""
    weights: Path
    """The exported generator."""


def pretrain(
    config: PretrainConfig,
    cache: CropCache,
    out: Path,
    peers: Processes,
    words: Sequence[np.ndarray] = (),
    resume: bool = False,
    show_progress: bool | None = None,
) -> PretrainResult:
    """Train SimAN on cached crops and export the averaged generator to `out`.

    Args:
        config: all that decides the numbers.
        cache: unlabeled crops, at `config.data.height_px`.
        out: folder of the run: checkpoints, panels, snapshots, stats.jsonl, siman.safetensors.
        peers: this process among those of the run.
        words: plain renders (uint8 (H, W, 3)) shown restyled in the panels.
        resume: go on from the last checkpoint in `out`, if there is one.
        show_progress: True, False, or None to show a bar only on a terminal.

    Raises:
        OutputError: `out` holds a run and `resume` is not set, or a run with other settings.
        TrainingError: a loss was not finite, or the batch does not divide among processes.
    """
    # Data and networks.
    device, training = peers.device, config.training
    if training.batch_size % peers.world_size:
        raise TrainingError(
            f"training.batch_size {training.batch_size} does not divide among {peers.world_size} processes."
        )
    local_batch = training.batch_size // peers.world_size
    if device.type == "cpu":
        keep_freed_memory()
    sampler = PatchSampler(cache, training.seed, device, config.data.held_out)
    breaking = StyleBreaking(config.breaking)
    state = TrainState.create(config, device)

    # Output folder and resume.
    state_folder = out / _CHECKPOINTS
    require_fresh(out, resume)
    found = checkpoints(state_folder)
    if found:
        state.load(found[-1], config, device)
    if peers.is_main:
        for folder in (out, state_folder, out / "panels", out / "snapshots"):
            folder.mkdir(parents=True, exist_ok=True)
        (out / "config.toml").write_text(to_toml(config), encoding="utf-8")
    peers.barrier()
    stats = StatsWriter(out, state.step) if peers.is_main else None
    networks = Networks.build(state, config, peers)
    report = Reporter(config, state, sampler, breaking, cache, out, words)

    # The loop. Maintenance is below the step.
    logging = config.logging
    paces = logging.stats_every, logging.panel_every, logging.checkpoint_every, logging.snapshot_every
    hidden = True if not peers.is_main else None if show_progress is None else not show_progress
    bar = tqdm(total=training.steps, initial=state.step, unit="step", disable=hidden)
    interrupted = False
    last_report, last_step = time.perf_counter(), state.step
    with stop_requests() as stop_requested:
        while state.step < training.steps and not interrupted:
            set_learning_rate(state, config)
            pair = sampler.draw(state.step, local_batch, peers.rank, peers.world_size)
            broken = breaking(pair.content, sampler.generator(device, state.step, peers.rank))
            values = train_step(networks, state, pair, broken, config)
            state.step += 1
            state.update_average(training.ema_decay)
            bar.update()

            interrupted = peers.any(stop_requested())
            last = state.step == training.steps or interrupted
            if last or any(state.step % pace == 0 for pace in paces):
                networks.guard.check()
            if not peers.is_main:
                continue
            if state.step % logging.stats_every == 0 or last:
                seconds = time.perf_counter() - last_report
                rate = (state.step - last_step) * training.batch_size / max(seconds, 1e-9)
                numbers = {name: float(value) for name, value in values.items()}
                bar.set_postfix({**{k: f"{v:.4f}" for k, v in numbers.items()}, "images/s": f"{rate:.0f}"})
                assert stats is not None
                learning_rate = state.generator_optimiser.param_groups[0]["lr"]
                stats.write(
                    state.step, {**numbers, "learning_rate": learning_rate, "images_per_second": rate}
                )
                last_report, last_step = time.perf_counter(), state.step
            if state.step % logging.panel_every == 0 or last:
                assert stats is not None
                stats.write(state.step, {"held_out_l2": report.panel()})
            if state.step % logging.checkpoint_every == 0 or last:
                state.save(state_folder, config, logging.checkpoints_kept)
                report.export(out / WEIGHTS_NAME)
            if state.step % logging.snapshot_every == 0:
                report.export(out / "snapshots" / f"siman-{state.step:08d}.safetensors")
    bar.close()
    if stats is not None:
        report.export(out / WEIGHTS_NAME)
        stats.close()
    return PretrainResult(state.step, interrupted, out / WEIGHTS_NAME)


def require_fresh(out: Path, resume: bool) -> None:
    """Refuse a folder that holds a run already, unless it is to be resumed.

    Raises:
        OutputError: it does.
    """
    found = checkpoints(out / _CHECKPOINTS)
    if found and not resume:
        raise OutputError(f"{out} holds a run of {found[-1].stem}. Pass --resume, or choose another --out.")


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks as the step calls them, wrapped for several processes and maybe compiled."""

    generator: Callable[[Tensor, Tensor], Tensor]
    discriminator: Callable[[Tensor], Tensor]
    judge: Callable[[Tensor], Tensor]
    """The discriminator again, for the generator's step: its gradients are not synchronised."""
    autocast: torch.dtype | None
    guard: FiniteGuard

    @classmethod
    def build(cls, state: TrainState, config: PretrainConfig, peers: Processes) -> "Networks":
        """Wrap the state's networks for this process."""
        compile_them = config.training.compile
        precision = config.training.precision
        bf16 = precision == "bf16" or (precision == "auto" and peers.device.type == "cuda")
        optimisers = state.generator_optimiser, state.discriminator_optimiser
        return cls(
            generator=_compiled(peers.wrap(state.generator), compile_them),
            discriminator=_compiled(peers.wrap(state.discriminator), compile_them),
            judge=_compiled(state.discriminator, compile_them),
            autocast=torch.bfloat16 if bf16 else None,
            guard=FiniteGuard(peers, optimisers, at_once=peers.device.type == "cpu"),
        )


def train_step(
    networks: Networks, state: TrainState, pair: PatchPair, broken: Tensor, config: PretrainConfig
) -> dict[str, Tensor]:
    """Take one step of algorithm 1 and return its losses.

    Raises:
        TrainingError: a loss is not finite; the optimiser that it drives has not moved. Where
            losses are not on a CPU, `networks.guard.check` raises it.
    """
    device_type = broken.device.type
    with torch.autocast(
        device_type, networks.autocast or torch.float32, enabled=networks.autocast is not None
    ):
        rebuilt = networks.generator(broken, pair.style)
        # One call for real and rebuilt: a wrapped network must not run twice before its backward.
        scores = networks.discriminator(torch.cat([pair.style, rebuilt.detach().to(pair.style.dtype)]))
        real, fake = scores.chunk(2)
        loss_d = losses.discriminator_loss(real, fake)
    reconstruction = losses.reconstruction_loss(rebuilt, pair.content)
    networks.guard.watch(state.step + 1, {"adversarial_d": loss_d, "l2": reconstruction})
    state.discriminator_optimiser.zero_grad(set_to_none=True)
    loss_d.backward()  # type: ignore[no-untyped-call]
    state.discriminator_optimiser.step()

    # D only judges from here on: its gradients are neither needed nor synchronised.
    state.discriminator.requires_grad_(False)
    with torch.autocast(
        device_type, networks.autocast or torch.float32, enabled=networks.autocast is not None
    ):
        adversarial = losses.generator_loss(networks.judge(rebuilt))
    loss_g = adversarial + config.training.reconstruction_weight * reconstruction
    networks.guard.watch(state.step + 1, {"adversarial_g": adversarial})
    state.generator_optimiser.zero_grad(set_to_none=True)
    loss_g.backward()  # type: ignore[no-untyped-call]
    state.discriminator.requires_grad_(True)
    state.generator_optimiser.step()
    return {
        "l2": reconstruction.detach(),
        "adversarial_g": adversarial.detach(),
        "adversarial_d": loss_d.detach(),
    }


def set_learning_rate(state: TrainState, config: PretrainConfig) -> None:
    """Set the linearly falling learning rate of the coming step (paper, section 4.2)."""
    training = config.training
    share = state.step / max(training.steps - 1, 1)
    rate = training.learning_rate + share * (training.final_learning_rate - training.learning_rate)
    for optimiser in (state.generator_optimiser, state.discriminator_optimiser):
        for group in optimiser.param_groups:
            group["lr"] = rate


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Turn the first SIGINT or SIGTERM into a request to stop after the step; a second one acts at once."""
    requested = False

    def request(_signal: int, _frame: FrameType | None) -> None:
        nonlocal requested
        if requested:
            raise KeyboardInterrupt
        requested = True

    try:
        previous = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: signals are somebody else's business
        previous = {}
    try:
        yield lambda: requested
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _compiled(module: nn.Module, wanted: bool) -> nn.Module:
    return torch.compile(module) if wanted else module  # type: ignore[return-value]
