"""One step of a recognizer's training: read a batch of words, move the weights."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

from siman_synth import stopping
from siman_synth.recognition.ctc import ctc_total
from siman_synth.recognition.images import to_batch
from siman_synth.recognition.recognizer import Recognizer
from siman_synth.recognizer_training.config import RecognizerTrainingConfig
from siman_synth.recognizer_training.sources import Mixture, Word
from siman_synth.training.average import MovingAverage
from siman_synth.training.checkpoints import Stateful
from siman_synth.training.distributed import Processes
from siman_synth.training.finite import FiniteGuard
from siman_synth.training.precision import autocast, autocast_type


@dataclass(frozen=True, slots=True)
class RecognizerState:
    """All that training changes. Which words a step sees is a function of the seed and the step."""

    recognizer: Recognizer
    beside: nn.Linear | None
    """A layer that writes with CTC beside an attention decoder, while it is trained."""
    average: MovingAverage
    optimiser: torch.optim.AdamW

    @classmethod
    def create(
        cls,
        recognizer: Recognizer,
        config: RecognizerTrainingConfig,
        device: torch.device,
        pretrained: bool = False,
    ) -> "RecognizerState":
        """Put a recognizer on a device and begin its average and its optimiser.

        Args:
            recognizer: what is trained.
            config: how.
            device: where.
            pretrained: whether its encoder alone knows something, and learns more slowly than the rest,
                which would else lead it astray.
        """
        recognizer.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        training = config.training
        if training.freeze_encoder:
            recognizer.freeze_encoder()
        recognizer.train()
        # Apart in any case: a resumed run does not know yet what it began with, and its checkpoint does.
        encoder = set() if config.model.encoder == "crnn" else set(recognizer.encoder.parameters())
        beside = _beside(recognizer, training.seed).to(device) if training.ctc_share > 0 else None
        trained = _trained(recognizer, beside)
        share = training.pretrained_rate if pretrained else 1.0
        groups = [
            {"params": [one for one in trained if one not in encoder], "share": 1.0},
            {"params": [one for one in trained if one in encoder], "share": share},
        ]
        # Fused, because `FiniteGuard` stops only fused optimisers.
        optimiser = torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=training.learning_rate,
            betas=training.betas,
            weight_decay=training.weight_decay,
            fused=True,
        )
        average = MovingAverage(recognizer, training.average_half_life, training.batch_size)
        return cls(recognizer, beside, average, optimiser)

    @property
    def averaged(self) -> Recognizer:
        """The averaged recognizer, which is what is tested and exported."""
        module = self.average.module
        assert isinstance(module, Recognizer)
        return module

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """What a checkpoint holds, by name."""
        parts: dict[str, Stateful] = {
            "recognizer": self.recognizer,
            "average": self.average,
            "optimiser": self.optimiser,
        }
        return parts if self.beside is None else {**parts, "beside": self.beside}


class RecognizerTraining:
    """A recognizer in training, as the training loop takes it.

    The words of the next step are made ready in a thread while the networks work on this one's.

    Args:
        config: all settings.
        state: recognizer and optimiser.
        mixture: where words come from.
        peers: this process among those of the run.
        extra: further parts of the checkpoint.
    """

    def __init__(
        self,
        config: RecognizerTrainingConfig,
        state: RecognizerState,
        mixture: Mixture,
        peers: Processes,
        extra: Mapping[str, Stateful],
    ) -> None:
        self._config, self._state, self._mixture, self._peers = config, state, mixture, peers
        self._extra = extra
        summed = peers.wrap(_SummedLoss(state.recognizer, state.beside, config.training.ctc_share))
        self._loss: nn.Module = torch.compile(summed) if config.training.compile else summed  # type: ignore[assignment]
        self._precision = autocast_type(config.training.precision, peers.device)
        self.guard = FiniteGuard(peers, [state.optimiser], at_once=peers.device.type == "cpu")
        self._thread = ThreadPoolExecutor(1)
        self._next: tuple[int, Future[list[Word]]] | None = None

    @property
    def average(self) -> MovingAverage:
        """The moving average of the recognizer."""
        return self._state.average

    @property
    def optimisers(self) -> Sequence[torch.optim.Optimizer]:
        """The one there is."""
        return (self._state.optimiser,)

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """What a checkpoint holds."""
        return {**self._state.parts, **self._extra}

    def close(self) -> None:
        """Let the thread and the processes that make words end."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._mixture.close()

    def take_step(self, step: int) -> Mapping[str, Tensor]:
        """Learn the words of a step and return the mean loss of those of this process.

        Raises:
            Stopped: a signal came, here or in another process, before the words of the step were there.
        """
        training, recognizer = self._config.training, self._state.recognizer
        parts = _parts(self._agreed(step), recognizer, training.accumulate)
        counted = self._total(sum(part.weight for part in parts))
        self._state.optimiser.zero_grad(set_to_none=True)
        summed = []
        for number, part in enumerate(parts):
            with self._synchronised(number == len(parts) - 1):
                with autocast(self._peers.device, self._precision):
                    loss = self._loss(part.images.to(self._peers.device), part.labels) * part.usable
                # Over processes gradients are averaged, and here the mean is over all their words.
                (loss * (self._peers.world_size / counted)).backward()
            summed.append(loss.detach())
        mean = torch.stack(summed).sum() / max(sum(part.weight for part in parts), 1)
        self.guard.watch(step + 1, {"loss": mean})
        trained = _trained(recognizer, self._state.beside)
        torch.nn.utils.clip_grad_norm_(trained, training.clip)
        self._state.optimiser.step()
        return {"loss": mean}

    def _agreed(self, step: int) -> list[Word]:
        """Return the words of a step unless some process was stopped before it had its own."""
        words: list[Word] | None
        try:
            words = self._words(step)
        except stopping.Stopped:
            words = None
        if self._peers.any(words is None):
            raise stopping.Stopped
        assert words is not None
        return words

    def _words(self, step: int) -> list[Word]:
        make = self._next[1] if self._next and self._next[0] == step else self._ordered(step)
        words = make.result()
        last = step + 1 >= self._config.training.steps
        self._next = None if last else (step + 1, self._ordered(step + 1))
        return words

    def _ordered(self, step: int) -> "Future[list[Word]]":
        return self._thread.submit(self._mixture.batch, step, self._peers.rank, self._peers.world_size)

    def _total(self, count: int) -> int:
        """Return the sum over processes, 1 at least."""
        if self._peers.world_size == 1:
            return max(count, 1)
        total = torch.tensor(count)
        distributed.all_reduce(total)
        return max(int(total), 1)

    def _synchronised(self, last: bool) -> AbstractContextManager[object]:
        apart: Callable[[], AbstractContextManager[object]] = getattr(self._loss, "no_sync", nullcontext)
        return nullcontext() if last else apart()


class _SummedLoss(nn.Module):
    """A recognizer's loss as a module, which is what is wrapped for several processes."""

    def __init__(self, recognizer: Recognizer, beside: nn.Linear | None, share: float) -> None:
        super().__init__()
        self.recognizer, self.beside, self.share = recognizer, beside, share

    def forward(self, images: Tensor, labels: Sequence[Sequence[int]]) -> Tensor:
        """Return the sum over what `weight` counts."""
        columns = self.recognizer(images)
        loss = self.recognizer.loss_of(columns, labels) * self.recognizer.weight(labels)
        if self.beside is None:
            return loss
        log_probabilities = functional.log_softmax(self.beside(columns).float(), dim=2).transpose(0, 1)
        return (1 - self.share) * loss + self.share * ctc_total(log_probabilities, labels)


def _trained(recognizer: Recognizer, beside: nn.Linear | None) -> list[nn.Parameter]:
    """Return what an optimiser moves."""
    parameters = [*recognizer.parameters(), *(beside.parameters() if beside is not None else ())]
    return [parameter for parameter in parameters if parameter.requires_grad]


def _beside(recognizer: Recognizer, seed: int) -> nn.Linear:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(recognizer.context.channels, recognizer.charset.classes)


@dataclass(frozen=True, slots=True)
class _Part:
    """What of a batch goes through the recognizer at once."""

    images: Tensor
    labels: list[list[int]]
    weight: int
    usable: float
    """0 where no word can be learned: the part goes through for the other processes' sake."""


def _parts(words: Sequence[Word], recognizer: Recognizer, count: int) -> list[_Part]:
    size = -(-len(words) // count)
    return [_part(words[start : start + size], recognizer) for start in range(0, len(words), size)]


def _part(words: Sequence[Word], recognizer: Recognizer) -> _Part:
    usable = [word for word in words if word.label]
    config = recognizer.config
    images = to_batch([word.image for word in usable or words[:1]], config.height_px, config.width_px)
    if not usable:
        return _Part(images, [[1]], 0, 0.0)
    labels = [word.label for word in usable]
    return _Part(images, labels, recognizer.weight(labels), 1.0)
