"""Where a training's words come from: labeled data sets and streams, mixed by weight.

Which words a step sees is a function of the seed and the step, so that a resumed run sees the same.
"""

import itertools
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from siman_synth import stopping
from siman_synth.errors import ConfigError, DatasetError, GenerationError
from siman_synth.limits import HEAVIEST, is_weight
from siman_synth.recognition.images import squeeze
from siman_synth.recognition.recognizer import Recognizer
from siman_synth.recognizer_training.augmentation import augmented
from siman_synth.recognizer_training.labeled_words import NO_CHARACTER, TOO_LONG, LabeledWords
from siman_synth.runs.streaming import StreamingWords
from siman_synth.runs.workers import WorkerDiedError, workers
from siman_synth.seeding import sample_rng
from siman_synth.tally import Tally

_BLOCK = 64
_AHEAD = 2
"""Blocks that each process is asked for before the first of them is taken."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word to learn: uint8 (H, W, 3) of the recognizer's size, and its label as classes."""

    image: np.ndarray
    label: list[int]


class Source(Protocol):
    """Words without end, by position."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def left_out(self) -> Tally:
        """What could not be used so far."""
        ...

    def identity(self) -> Mapping[str, Any]:
        """Plain values that decide its words."""
        ...

    def word(self, position: int) -> Word:
        """Return the word at a position, which counts from 0; positions come in rising order."""
        ...


class DatasetSource:
    """A labeled data set: every word once, in an order of its own, again and again."""

    def __init__(self, path: str, recognizer: Recognizer, seed: int, most: int | None = None) -> None:
        self.name = path
        self._recognizer, self._seed = recognizer, seed
        self._words = LabeledWords(path, recognizer.charset, recognizer.fits, most)
        self._epoch, self._order = -1, np.zeros(0, np.int64)

    @property
    def left_out(self) -> Tally:
        """Labels that cannot be learned, images that cannot be decoded."""
        return self._words.left_out

    def __len__(self) -> int:
        return len(self._words)

    def identity(self) -> Mapping[str, Any]:
        """Return the hash of the file, and how many of its words are taken."""
        return {"data set": self._words.fingerprint(), "words": len(self._words)}

    def word(self, position: int) -> Word:
        """Return the word at a position; for one that cannot be decoded, the next that can.

        Raises:
            DatasetError: none can.
        """
        epoch, place = divmod(position, len(self._words))
        if epoch != self._epoch:
            rng = sample_rng(self._seed, "order", epoch)
            self._epoch, self._order = epoch, rng.permutation(len(self._words))
        for step in range(len(self._words)):
            number = int(self._order[(place + step) % len(self._words)])
            image = self._words.image(number)
            if image is not None:
                config = self._recognizer.config
                label = self._recognizer.charset.encode(self._words.label(number))
                return Word(squeeze(image, config.height_px, config.width_px), label)
        raise DatasetError(f"None of the images of {self.name} can be decoded.")


class StreamSource:
    """Words made while the recognizer trains; each is seen once.

    Several processes get words of their own. After words that could not be made were left out, a
    resumed run is a few words behind an uninterrupted one.

    Args:
        words: the stream, of blocks of 64, from its beginning.
        recognizer: whose labels they must be.
        workers: processes that make words; 0 makes them in this one.
    """

    def __init__(self, words: StreamingWords, recognizer: Recognizer, workers: int) -> None:
        self.name = "stream"
        self.left_out = Tally()
        self._stream, self._recognizer, self._workers = words, recognizer, workers
        self._next = 0
        self._words: Generator[Word, None, None] | None = None

    def identity(self) -> Mapping[str, Any]:
        """Return the fingerprint of the stream."""
        return {"stream": self._stream.fingerprint}

    def word(self, position: int) -> Word:
        """Return the word at a position; going back, or far ahead, begins the stream anew there.

        Raises:
            GenerationError: nothing can be made, or a process that makes words died.
        """
        if self._words is None or position != self._next:
            self._words, self._next = self._from(position), position
        self._next += 1
        return next(self._words)

    def close(self) -> None:
        """Let the processes that make words end."""
        if self._words is not None:
            self._words.close()
            self._words = None

    def _from(self, position: int) -> Generator[Word, None, None]:
        block, passed = divmod(position, _BLOCK)
        config = self._recognizer.config
        with closing(self._made(block * self._stream.world_size)) as made:
            for image, text in itertools.islice(made, passed, None):
                label = self._recognizer.charset.encode(text)
                if not label or not self._recognizer.fits(label):
                    self.left_out.add(NO_CHARACTER if not label else TOO_LONG, text)
                    label = []
                yield Word(squeeze(image, config.height_px, config.width_px), label)

    def _made(self, first: int) -> Generator[tuple[Any, str], None, None]:
        """Yield this process's samples from a block on; what makes them ends with the generator."""
        if not self._workers:
            yield from self._stream.beginning_at(first * _BLOCK)
            return
        blocks = itertools.count(first + self._stream.rank, self._stream.world_size)
        with workers(self._workers, self._stream.block) as crew:
            flying = deque(crew.submit(next(blocks)) for _ in range(_AHEAD * self._workers))
            while True:
                try:
                    samples = stopping.result(flying.popleft())
                except WorkerDiedError as error:
                    raise GenerationError(
                        "A process that makes words died: it was killed, or memory ran out. Go on from the "
                        "last checkpoint, with fewer workers if memory is short."
                    ) from error
                flying.append(crew.submit(next(blocks)))
                yield from samples


def check_weight(source: str, weight: float) -> None:
    """Check how often a source is drawn from.

    Raises:
        ConfigError: it is no number above 0, or too great.
    """
    if not is_weight(weight):
        raise ConfigError(f"The weight of {source} must be above 0, up to {HEAVIEST:g}, found {weight}.")


class Mixture:
    """Several sources, each as often as its weight says.

    Args:
        sources: with their weights.
        seed: of the draws.
        batch_size: words a step, over all processes together.
        augment: whether words are changed a little each time.
    """

    def __init__(
        self, sources: Sequence[tuple[Source, float]], seed: int, batch_size: int, augment: bool
    ) -> None:
        if not sources:
            raise ConfigError("There is nothing to learn from. Give a labeled data set or a stream.")
        total = sum(weight for _, weight in sources)
        self.sources = [source for source, _ in sources]
        self._shares = [weight / total for _, weight in sources]
        self._seed, self._batch_size, self._augment = seed, batch_size, augment
        self._step, self._positions = 0, np.zeros(len(sources), np.int64)

    def identity(self) -> Mapping[str, Any]:
        """Return what decides the words, as plain values."""
        return {
            str(number): {**source.identity(), "share": round(share, 9)}
            for number, (source, share) in enumerate(zip(self.sources, self._shares, strict=True))
        }

    def close(self) -> None:
        """Let processes end that make words."""
        for source in self.sources:
            if isinstance(source, StreamSource):
                source.close()

    def batch(self, step: int, rank: int = 0, world_size: int = 1) -> list[Word]:
        """Return this process's words of a step; those whose label cannot be learned have none."""
        positions = self._seek(step)
        places = [
            (source, int(start) + number)
            for source, (start, count) in enumerate(zip(positions, self._counts(step), strict=True))
            for number in range(count)
        ]
        words = []
        for slot, (source, position) in enumerate(places):
            streams = isinstance(self.sources[source], StreamSource)
            if slot % world_size == rank:
                word = self.sources[source].word(position // world_size if streams else position)
                if self._augment:
                    rng = sample_rng(self._seed, "augmentation", step, slot)
                    word = Word(augmented(word.image, rng), word.label)
                words.append(word)
        return words

    def _counts(self, step: int) -> list[int]:
        rng = sample_rng(self._seed, "sources", step)
        return [int(count) for count in rng.multinomial(self._batch_size, self._shares)]

    def _seek(self, step: int) -> np.ndarray:
        """Return the position of each source before a step: what the steps before it took."""
        if step < self._step:
            self._step, self._positions = 0, np.zeros(len(self.sources), np.int64)
        for earlier in range(self._step, step):
            self._positions = self._positions + self._counts(earlier)
        self._step = step
        return self._positions
