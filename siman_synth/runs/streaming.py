"""Fresh labeled words for a trainer, made while it trains: no file, no end."""

import copy
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from torch import distributed
from torch.utils.data import IterableDataset, get_worker_info

from siman_synth.config import fingerprint
from siman_synth.errors import ConfigError, GenerationError
from siman_synth.imaging.codec import decode
from siman_synth.limits import field_types, limits_of, require_whole, shown
from siman_synth.models.device import resolve_device
from siman_synth.runs.inputs import Inputs, check_inputs
from siman_synth.runs.job import Job, require_job
from siman_synth.runs.parent import end_with_parent_process
from siman_synth.runs.process import one_thread
from siman_synth.runs.samples import Workshop, make_samples, worker_workshop
from siman_synth.storage.lmdb_format import Sample
from siman_synth.synthesis.config import ExecutionConfig
from siman_synth.tally import Tally
from siman_synth.torchrun import announced

_ENDLESS = 1 << 62
_BARREN = 64
_STATE = ("next", "consumer", "consumers", "fingerprint")


def _check_call(job: object, start: object, block_size: object, transform: object) -> None:
    require_job(job, "A stream", count=1)
    require_whole("start", start, 0, _ENDLESS - 1)
    limits = limits_of(field_types(ExecutionConfig)["shard_size"])
    assert limits is not None
    require_whole("block_size", block_size, int(limits.least), int(limits.most))
    if transform is not None and not callable(transform):
        raise ConfigError(f"transform must be a function or None, found {type(transform).__name__}.")


class StreamingWords(IterableDataset[tuple[Any, str]]):
    """(image, label) forever: the samples that `generate` would write, in the order of their indices.

    The image is what a reader of the LMDB would decode: uint8 (H, W, 3) RGB, after noise and JPEG.

    Indices are made in blocks, which are dealt in turn to all workers of all ranks: the block after
    rank 0's goes to rank 1, and worker 0 of every rank has its block before worker 1 has one. So a
    `DataLoader` whose batch is one block gives the samples in order, whatever its `num_workers`.
    Inputs are opened, and mistakes in them raised, at once.

    Args:
        job: inputs, seed and settings. `count` and `execution.shard_size` are not looked at.
        start: the index to begin with. After n samples of a stream that began at 0, n goes on.
        block_size: indices made together; a part of what decides the last bit of a pixel, like
            `execution.shard_size`. The trainer's batch size is a good choice.
        transform: applied to each image.
        rank, world_size: this process among those that train together; both or neither. By default
            what torch.distributed says if it is initialised, else what torchrun said.

    Raises:
        SimanError: an input or argument cannot be used; the message says which and why.
    """

    def __init__(
        self,
        job: Job,
        *,
        start: int = 0,
        block_size: int = 64,
        transform: Callable[[np.ndarray], Any] | None = None,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        super().__init__()
        _check_call(job, start, block_size, transform)
        execution = replace(job.config.execution, shard_size=block_size)
        self._job = replace(job, count=_ENDLESS, config=replace(job.config, execution=execution))
        self._transform = transform
        self._start = start
        self._state: Mapping[str, Any] | None = None
        self._next = start
        self.rank, self.world_size = _place(rank, world_size)
        resolve_device(job.device)
        inputs = check_inputs(self._job)
        self._seen = inputs.seen
        self._fingerprint = fingerprint(self._job.identity(inputs.contents))
        self.skipped = inputs.skipped
        """What is left out of the inputs, by kind."""
        self.rejected = Tally()
        """Attempts of this process that were rejected and resampled, by reason."""
        self.dropped = 0
        """Indices that this process left out, because every attempt failed."""

    @property
    def block_size(self) -> int:
        """How many indices are made together."""
        return self._job.config.execution.shard_size

    @property
    def fingerprint(self) -> str:
        """The hash of all that decides the samples: inputs, settings, seed, block size."""
        return self._fingerprint

    def beginning_at(self, start: int) -> "StreamingWords":
        """Return the same stream from another index on.

        Raises:
            ConfigError: it is no index.
        """
        require_whole("start", start, 0, _ENDLESS - 1)
        other = copy.copy(self)
        other._start, other._next, other._state = start, start, None
        return other

    def __iter__(self) -> Iterator[tuple[Any, str]]:
        """Begin at `start`, or where a loaded state says, each time anew.

        Raises:
            ConfigError: the state that was loaded belongs to another worker or rank.
            GenerationError: none of the last 64 indices or more could be made.
        """
        if get_worker_info() is not None:
            end_with_parent_process()
        consumer, consumers = self._consumer()
        self._next = self._first(consumer, consumers)
        return self._samples(self._next, consumers)

    def block(self, number: int) -> list[tuple[Any, str]]:
        """Return the samples of one block, in a process that makes blocks for a leader and does nothing else.

        Raises:
            GenerationError: the block has 64 indices or more, and none could be made.
        """
        samples = self._make(worker_workshop(self._job, self._seen), number)
        self._require_some(0 if samples else self.block_size)
        return [self._pair(sample) for sample in samples]

    def state_dict(self) -> dict[str, Any]:
        """Return the position of this process: plain values, as torchdata's StatefulDataLoader asks."""
        consumer, consumers = self._consumer()
        return {
            "next": self._next,
            "consumer": consumer,
            "consumers": consumers,
            "fingerprint": self._fingerprint,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Let the next iteration go on at a position that `state_dict` returned.

        The state of a lone process can be taken up by any number of workers and ranks; that of one
        among several by the same one among as many.

        Raises:
            ConfigError: it is the state of another stream, or none.
        """
        _check_state(state_dict)
        if state_dict["fingerprint"] != self._fingerprint:
            raise ConfigError(
                "This state belongs to a stream of other inputs, settings, seed or block size "
                f"(fingerprint {state_dict['fingerprint']} there, {self._fingerprint} here). "
                "Use what it was made with, or begin at a start of your own."
            )
        self._next = state_dict["next"]
        if state_dict["consumers"] == 1:
            self._start, self._state = self._next, None
        else:
            self._state = dict(state_dict)

    def _consumer(self) -> tuple[int, int]:
        """Return which of how many processes that share the stream this is."""
        worker = get_worker_info()
        number, workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
        return number * self.world_size + self.rank, workers * self.world_size

    def _first(self, consumer: int, consumers: int) -> int:
        """Return the index that a consumer begins with."""
        state = self._state
        if state is None:
            block = self._start // self.block_size + consumer
            return max(self._start, block * self.block_size)
        if (state["consumer"], state["consumers"]) != (consumer, consumers):
            raise ConfigError(
                f"This state belongs to consumer {state['consumer']} of {state['consumers']}, and was "
                f"loaded in consumer {consumer} of {consumers} (workers x ranks). "
                "Use as many workers and ranks."
            )
        return int(state["next"])

    def _samples(self, position: int, consumers: int) -> Iterator[tuple[Any, str]]:
        workshop = Workshop(self._job, Inputs.open(self._job, self._seen))
        barren = 0
        while True:
            block = position // self.block_size
            samples = self._make(workshop, block)
            barren = 0 if samples else barren + self.block_size
            self._require_some(barren)
            wanted = [sample for sample in samples if _index(sample) >= position]
            position = (block + consumers) * self.block_size
            for sample in wanted:
                # Before the sample goes out: a state that is asked for meanwhile counts it as given.
                self._next = position if sample is wanted[-1] else _index(sample) + 1
                yield self._pair(sample)

    def _pair(self, sample: Sample) -> tuple[Any, str]:
        image = decode(sample.image)
        return image if self._transform is None else self._transform(image), sample.label or ""

    def _require_some(self, barren: int) -> None:
        """Check that not too many words in a row could not be made.

        Raises:
            GenerationError: they are.
        """
        if barren >= _BARREN:
            raise GenerationError(
                f"None of the last {barren} words could be made: {'; '.join(self.rejected.lines())}. "
                "Mend the inputs."
            )

    def _make(self, workshop: Workshop, block: int) -> list[Sample]:
        with one_thread():
            made = make_samples(workshop, block)
        workshop.inputs.require_unchanged()
        self.rejected.merge(made.rejected)
        if made.dropped:
            self.dropped += made.dropped
            first = block * self.block_size
            warnings.warn(
                f"{made.dropped} of the words {first} to {first + self.block_size - 1} are left out, "
                f"because every attempt failed: {'; '.join(made.rejected.lines())}.",
                stacklevel=2,
            )
        return made.samples


def _check_state(state: object) -> None:
    """Check that a caller gave what `state_dict` returns.

    Raises:
        ConfigError: it is something else.
    """
    if not isinstance(state, Mapping) or any(name not in state for name in _STATE):
        raise ConfigError(
            f"A stream's state holds {', '.join(_STATE)}, found {shown(state)}. "
            "Give what state_dict() of a stream returned."
        )
    require_whole("next in the state", state["next"], 0, _ENDLESS - 1)
    require_whole("consumers in the state", state["consumers"], 1)
    require_whole("consumer in the state", state["consumer"], 0, state["consumers"] - 1)


def _place(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """Return (rank, world size) as told, as torch.distributed knows them, or as torchrun said."""
    if rank is None and world_size is None:
        if distributed.is_available() and distributed.is_initialized():
            return distributed.get_rank(), distributed.get_world_size()
        return announced()
    if type(rank) is not int or type(world_size) is not int or not 0 <= rank < world_size:
        raise ConfigError(
            f"rank must be in 0..world_size - 1, found {rank!r} and {world_size!r}. Give both or none."
        )
    return rank, world_size


def _index(sample: Sample) -> int:
    return int((sample.meta or {})["index"])
