"""A recognizer's training from end to end: words, folder, network, the loop, the weights."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siman_synth import stopping
from siman_synth.config import to_mapping, to_toml
from siman_synth.errors import ConfigError
from siman_synth.files import write_text
from siman_synth.limits import require_whole
from siman_synth.models.allocator import keep_freed_memory
from siman_synth.recognition.file_names import RECOGNIZER_FILE
from siman_synth.recognition.recognizer import Recognizer
from siman_synth.recognition.weights import save_recognizer
from siman_synth.recognizer_training.config import RecognizerTrainingConfig
from siman_synth.recognizer_training.labeled_words import LabeledWords
from siman_synth.recognizer_training.sources import DatasetSource, Mixture, Source, StreamSource, check_weight
from siman_synth.recognizer_training.start import Start
from siman_synth.recognizer_training.step import RecognizerState, RecognizerTraining
from siman_synth.recognizer_training.validation import Best, Validation
from siman_synth.runs.job import Job, require_job
from siman_synth.runs.streaming import StreamingWords
from siman_synth.several import Names, several
from siman_synth.training.checkpoints import Checkpoints
from siman_synth.training.distributed import Processes, processes
from siman_synth.training.folder import RunFolder, disk_errors
from siman_synth.training.history import history, other_library, provenance, refuse_another_start
from siman_synth.training.loop import Loop, Report
from siman_synth.training.schedule import CosineSchedule
from siman_synth.training.summary import parameter_lines

LAST_FILE = "last.safetensors"
"""The recognizer of the last checkpoint."""
_SETTINGS = "config.toml"
_WRITTEN = frozenset({RECOGNIZER_FILE, LAST_FILE, _SETTINGS, "stats.jsonl", "tensorboard"})

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """A labeled data set to learn from."""

    path: str | Path
    weight: float = 1.0
    """How many of its words are seen, compared with the other sources."""
    most: int | None = None
    """No more than so many of its usable words, the first ones."""

    def __post_init__(self) -> None:
        check_weight(str(self.path), self.weight)


@dataclass(frozen=True, slots=True)
class TrainingStream:
    """Words to learn from that are made while the recognizer trains."""

    job: Job
    """What they are made from; its count is not looked at."""
    weight: float = 1.0
    """How many of them are seen, compared with the other sources."""
    workers: int = 1
    """Processes that make them; 0 makes them in the one that trains."""

    def __post_init__(self) -> None:
        require_job(self.job, "A stream", count=1)
        require_whole("workers", self.workers, 0)
        check_weight("the stream", self.weight)


Parts = TrainingSet | TrainingStream | str | Path | Sequence[TrainingSet | TrainingStream | str | Path]
"""What to learn from: one source or several, a path being a labeled data set of weight 1."""


@dataclass(frozen=True, slots=True)
class RecognizerResult:
    """How a run ended."""

    steps: int
    """Finished steps."""
    interrupted: bool
    """Whether Ctrl-C or SIGTERM ended it; `resume` goes on."""
    best_step: int
    """The step of the exported recognizer: the best on the validation sets, the last without any."""
    best_share: float | None
    """The share of validation words that it reads right, None without validation sets."""
    weights: Path | None
    """The exported recognizer, if there is one already."""
    is_main: bool
    """Whether this is the process that reports, among several."""


def train_recognizer(
    config: RecognizerTrainingConfig,
    train: Parts,
    out: str | Path,
    *,
    validation: Names = (),
    resume: bool = False,
    init: str | Path | None = None,
    device: str = "auto",
    show_progress: bool | None = None,
    say: Say = lambda _line: None,
) -> RecognizerResult:
    """Train a recognizer on labeled words and leave the best one in `out`.

    Under torchrun every process calls it; they share each batch.

    Args:
        config: all that decides the numbers, but for the words.
        train: what to learn from, mixed by weight: data sets and streams, one or several; a path is a
            data set of weight 1.
        out: folder of the run: checkpoints, stats.jsonl, recognizer.safetensors, last.safetensors.
        validation: labeled LMDBs that choose the best step; without any it is the last one.
        resume: go on from the last checkpoint in `out`, if there is one.
        init: what to start from: a recognizer's file or run, SimAN weights or their run, or "bundled"
            for the SimAN weights that ship with siman-synth. A resumed run goes on with what it began with.
        device: "auto", "cpu", "cuda", "cuda:1".
        show_progress: True, False, or None to show a bar only on a terminal.
        say: takes a line about what was found and what is done.

    Raises:
        ConfigError: there is nothing to learn from, or `resume` and `init` come together.
        DatasetError: a data set cannot be read, or holds no word that can be learned.
        OutputError: `out` is not free for this run, belongs to a run with other settings or words, is
            worked on by another process, or the disk is full.
        WeightsError: `init` cannot be read, or holds another network.
        TrainingError: a loss was not finite, no checkpoint can be read, or the batch does not divide
            among the processes.
    """
    with stopping.stops_at_checks(), processes(device) as peers, ExitStack() as stack:
        run = _Run(config, Path(out), peers, say)
        best = Best()
        try:
            with disk_errors(run.folder):
                loop = run.prepare(train, validation, resume, init, best, stack)
                first = loop.resume(run.say)
                steps = loop.run_in(run.folder.path, first, show_progress)
        except stopping.Stopped:
            steps = Checkpoints(run.folder.checkpoints).last_step()
        weights = run.folder.path / RECOGNIZER_FILE
        return RecognizerResult(
            steps=steps,
            interrupted=peers.any(stopping.requested()),
            best_step=best.step or steps,
            best_share=best.share if best.step else None,
            weights=weights if weights.exists() else None,
            is_main=peers.is_main,
        )


def check_inputs(
    config: RecognizerTrainingConfig,
    train: Parts,
    out: str | Path,
    *,
    validation: Names = (),
    resume: bool = False,
    init: str | Path | None = None,
) -> list[str]:
    """Check what `train_recognizer` would begin with, and write nothing; returns what it found, in lines.

    Raises:
        SimanError: what `train_recognizer` raises before its first step.
    """
    found: list[str] = []
    with processes("cpu") as peers:
        run = _Run(config, Path(out), peers, found.append)
        _, _, mixture, sets = run.open(train, validation, resume, init)
        run.tell(mixture, sets)
        mixture.close()
    return found


class _Run:
    """One call of `train_recognizer` in this process."""

    def __init__(self, config: RecognizerTrainingConfig, out: Path, peers: Processes, say: Say) -> None:
        self.folder = RunFolder(out, "recognizer", _WRITTEN)
        self.say: Say = say if peers.is_main else lambda _line: None
        self._config, self._peers = config, peers
        self._history: Mapping[str, Any] = {}

    def prepare(
        self,
        train: Parts,
        validation: Names,
        resume: bool,
        init: str | Path | None,
        best: Best,
        stack: ExitStack,
    ) -> Loop:
        """Check and open the words, take the folder, build the network."""
        config, peers = self._config, self._peers
        keep_freed_memory()
        start, recognizer, mixture, sets = self.open(train, validation, resume, init)
        identity = _identity(config, mixture, sets)
        peers.on_main(lambda: self._claim(resume, start, identity, stack))
        self.tell(mixture, sets)
        if peers.is_main:
            for line in parameter_lines({"recognizer": recognizer}):
                self.say(line)
            if init is not None:
                self.say(str(start))
        state = RecognizerState.create(recognizer, config, peers.device, start.encoder is not None)
        training = RecognizerTraining(config, state, mixture, peers, {"best": best})
        stack.callback(training.close)
        return Loop(
            trained=training,
            optimisation=config.training,
            pace=config.logging,
            schedule=CosineSchedule(
                config.training.learning_rate,
                config.training.final_learning_rate,
                config.training.steps,
                config.training.warm_up,
            ),
            guard=training.guard,
            peers=peers,
            checkpoints=Checkpoints(self.folder.checkpoints, config.logging.checkpoints_kept),
            identity=identity,
            reports=self._reports(state, sets, best) if peers.is_main else (),
            export=lambda step: self._export_last(state, step, bool(sets)),
        )

    def open(
        self,
        train: Parts,
        validation: Names,
        resume: bool,
        init: str | Path | None,
    ) -> tuple[Start, Recognizer, Mixture, list[LabeledWords]]:
        """Check all that was given; nothing is written."""
        config = self._config
        self._peers.share_of(config.training.batch_size, config.training.accumulate)
        refuse_another_start(resume, init)
        self.folder.require_usable(resume)
        start = Start.read(init, config.model)
        recognizer = start.recognizer(config.model, config.training.seed)
        mixture = self._mixture(train, recognizer)
        sets = [
            LabeledWords(path, recognizer.charset, most=config.logging.validation_words)
            for path in several(validation)
        ]
        return start, recognizer, mixture, sets

    def _mixture(self, train: Parts, recognizer: Recognizer) -> Mixture:
        training = self._config.training
        sources: list[tuple[Source, float]] = []
        for number, part in enumerate(_parts(train)):
            if isinstance(part, TrainingSet):
                source: Source = DatasetSource(str(part.path), recognizer, training.seed + number, part.most)
            else:
                words = StreamingWords(part.job, rank=self._peers.rank, world_size=self._peers.world_size)
                source = StreamSource(words, recognizer, part.workers)
            sources.append((source, part.weight))
        return Mixture(sources, training.seed, training.batch_size, self._config.words.augment)

    def _claim(self, resume: bool, start: Start, identity: Mapping[str, Any], stack: ExitStack) -> None:
        """In the main process: hold and mark the folder."""
        stack.enter_context(self.folder.held(resume))
        stopping.check()
        self._history = self.folder.begin(identity, history(start.record), resume)
        if sentence := other_library(self._history):
            self.say(sentence)
        write_text(self.folder.path / _SETTINGS, to_toml(self._config))

    def tell(self, mixture: Mixture, sets: Sequence[LabeledWords]) -> None:
        for source in mixture.sources:
            count = f"{len(source)} words" if isinstance(source, DatasetSource) else "words without end"
            self.say(f"{source.name}: {count} to learn, {source.left_out.total} left out")
            for line in source.left_out.lines():
                self.say(f"  left out: {line}")
        for words in sets:
            self.say(f"{words.path}: {len(words)} words for validation, {words.left_out.total} left out")
            for line in words.left_out.lines():
                self.say(f"  left out: {line}")
        if not sets:
            self.say("No validation set: the recognizer of the last step is what is left")

    def _reports(self, state: RecognizerState, sets: Sequence[LabeledWords], best: Best) -> list[Report]:
        if not sets:
            return []
        path = self.folder.path / RECOGNIZER_FILE
        validation = Validation(
            state.averaged, sets, best, lambda step: self._export(path, state.averaged, step)
        )
        return [Report(self._config.logging.validate_every, validation.make)]

    def _export_last(self, state: RecognizerState, step: int, validated: bool) -> None:
        self._export(self.folder.path / LAST_FILE, state.averaged, step)
        if not validated:
            self._export(self.folder.path / RECOGNIZER_FILE, state.averaged, step)

    def _export(self, path: Path, recognizer: Recognizer, step: int) -> None:
        made = provenance(self._config, step, self._peers.device, self._history)
        save_recognizer(path, recognizer, made)


def _parts(train: Parts) -> list[TrainingSet | TrainingStream]:
    given = train if isinstance(train, Sequence) and not isinstance(train, str) else [train]
    parts: list[TrainingSet | TrainingStream] = []
    for part in given:
        if not isinstance(part, (TrainingSet, TrainingStream, str, Path)):
            raise ConfigError(
                "What to learn from is a TrainingSet, a TrainingStream or a path, found "
                f"{type(part).__name__}."
            )
        parts.append(TrainingSet(part) if isinstance(part, (str, Path)) else part)
    return parts


def _identity(
    config: RecognizerTrainingConfig, mixture: Mixture, sets: Sequence[LabeledWords]
) -> dict[str, Any]:
    """Return what decides a run's numbers, as plain values.

    How often a run reports does not decide them, and a run may be prolonged.
    """
    values = to_mapping(config)
    training = {key: value for key, value in values["training"].items() if key != "steps"}
    decisive = {key: value for key, value in values.items() if key != "logging"}
    validated = {str(number): words.fingerprint() for number, words in enumerate(sets)}
    return {**decisive, "training": training, "words to learn": mixture.identity(), "validation": validated}
