"""Which words a step sees."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import lmdb
import numpy as np
import pytest

from siman_synth.config import from_mapping
from siman_synth.errors import ConfigError, DatasetError, GenerationError
from siman_synth.models.bundled import weights_file
from siman_synth.recognition.recognizer import Recognizer, RecognizerConfig
from siman_synth.recognizer_training.labeled_words import (
    NO_CHARACTER,
    NO_LABEL,
    TOO_LONG,
    LabeledWords,
    characters_of,
)
from siman_synth.recognizer_training.sources import DatasetSource, Mixture, StreamSource, Word
from siman_synth.runs.job import Job
from siman_synth.runs.streaming import StreamingWords
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.synthesis.config import GenerateConfig
from tests.recognizer_training.tiny import WORDS, write_words
from tests.runs.processes import WORKER, children


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(RecognizerConfig())


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_words(tmp_path_factory.mktemp("words") / "words")


def text(recognizer: Recognizer, word: Word) -> str:
    return recognizer.charset.decode(word.label)


def same(one: list[Word], other: list[Word]) -> bool:
    return len(one) == len(other) and all(
        left.label == right.label and np.array_equal(left.image, right.image)
        for left, right in zip(one, other, strict=True)
    )


def test_an_epoch_has_every_word_once_and_the_next_another_order(recognizer: Recognizer, words: Path) -> None:
    source = DatasetSource(str(words), recognizer, seed=3)
    first, second = (
        [text(recognizer, source.word(start + place)) for place in range(24)] for start in (0, 24)
    )
    assert Counter(first) == Counter(second) == {word.lower(): 4 for word in WORDS}
    assert first != second


def test_a_step_begun_anew_sees_the_same_words(recognizer: Recognizer, words: Path) -> None:
    def mixture() -> Mixture:
        parts = [(DatasetSource(str(words), recognizer, seed), 1.0 + seed) for seed in range(2)]
        return Mixture(parts, seed=5, batch_size=7, augment=True)

    through = mixture()
    batches = [through.batch(step) for step in range(9)]
    assert same(mixture().batch(7), batches[7])
    assert same(through.batch(2), batches[2])
    assert not same(batches[0], batches[1])


def test_ranks_share_a_batch(recognizer: Recognizer, words: Path) -> None:
    def batch(rank: int, world_size: int) -> list[Word]:
        mixture = Mixture([(DatasetSource(str(words), recognizer, 0), 1.0)], 5, 6, augment=True)
        return mixture.batch(3, rank, world_size)

    whole, parts = batch(0, 1), [batch(rank, 2) for rank in range(2)]
    assert same(whole[0::2], parts[0])
    assert same(whole[1::2], parts[1])


def test_sources_are_seen_as_often_as_they_weigh(recognizer: Recognizer, tmp_path: Path) -> None:
    left, right = (write_words(tmp_path / word, [word], repeats=3) for word in ("left", "right"))
    sources = [
        (DatasetSource(str(folder), recognizer, 0), weight) for folder, weight in ((left, 1.0), (right, 3.0))
    ]
    mixture = Mixture(sources, seed=0, batch_size=20, augment=False)
    seen = Counter(text(recognizer, word) for step in range(50) for word in mixture.batch(step))
    assert seen.total() == 1000
    assert 200 < seen["left"] < 300


def test_what_cannot_be_learned_is_counted_and_named(recognizer: Recognizer, tmp_path: Path) -> None:
    # Our own writer refuses such labels.
    with lmdb.open(str(tmp_path / "odd")) as odd, odd.begin(write=True) as transaction:
        for number, label in enumerate((b"egg", b"!?", b"o" * 20, b"", b"\xff"), 1):
            transaction.put(b"image-%09d" % number, b"no picture")
            transaction.put(b"label-%09d" % number, label)
        transaction.put(b"num-samples", b"5")
    source = DatasetSource(str(tmp_path / "odd"), recognizer, 0)
    with pytest.raises(DatasetError, match=r"None of the images of .*odd can be decoded"):
        source.word(0)
    named = source.left_out.examples
    assert named.pop(NO_CHARACTER) == ["odd 2"]
    assert named.pop(TOO_LONG) == ["odd 3"]
    assert named.pop(NO_LABEL) == ["odd 4"]
    assert named.pop("label not UTF-8") == ["odd 5"]
    assert list(named.values()) == [["odd 1"]]


def test_a_stream_that_makes_nothing_says_why(recognizer: Recognizer, stream_job: Job) -> None:
    barren = replace(
        stream_job, config=from_mapping(GenerateConfig, {"gate": {"min_contrast": 255.0}}, "test")
    )
    source = StreamSource(StreamingWords(barren), recognizer, workers=0)
    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(GenerationError, match=r"^None of the last 64 words"),
    ):
        source.word(0)


def test_a_set_without_words_says_why(recognizer: Recognizer, tmp_path: Path) -> None:
    with LmdbWriter.create(tmp_path / "signs") as writer:
        writer.write(Sample(b"x", "!?", 90, 32))
    with pytest.raises(
        DatasetError, match="holds no word to read: 1 no character of the charset in the label"
    ):
        LabeledWords(tmp_path / "signs", recognizer.charset)
    with pytest.raises(ConfigError, match="nothing to learn from"):
        Mixture([], 0, 4, augment=False)


def test_characters_are_those_of_the_labels(words: Path, tmp_path: Path) -> None:
    assert characters_of([words]) == "".join(sorted(set("".join(WORDS))))
    with LmdbWriter.create(tmp_path / "none") as writer:
        writer.write(Sample(b"x", None, 90, 32))
    with pytest.raises(DatasetError, match=r"no labels in .*none to take characters from"):
        characters_of([tmp_path / "none"])


@pytest.fixture
def stream_job(word_file: Path, crop_folder: Path, tiny_weights: Path) -> Job:
    return Job(
        count=1,
        config=from_mapping(GenerateConfig, {"gate": {"ink": False}}, "test"),
        corpus=(str(word_file),),
        styles=str(crop_folder),
        fonts=("roboto",),
        weights=tiny_weights,
        seed=4,
    )


@pytest.fixture
def stream(stream_job: Job) -> StreamingWords:
    return StreamingWords(stream_job)


def test_a_stream_goes_on_at_any_position(recognizer: Recognizer, stream: StreamingWords) -> None:
    source = StreamSource(stream, recognizer, workers=0)
    through = [source.word(position) for position in range(70)]
    again = StreamSource(stream, recognizer, workers=0)
    assert same([again.word(position) for position in range(66, 70)], through[66:])
    assert same([again.word(3)], through[3:4])
    assert source.identity() == {"stream": stream.fingerprint}


@pytest.mark.slow
def test_workers_make_the_same_words_and_end(recognizer: Recognizer, stream_job: Job) -> None:
    """Even if some cannot be made: here the network paints, and what is faint is dropped at once."""
    settings = {"gate": {"min_contrast": 100}, "execution": {"max_attempts": 1}}
    config = from_mapping(GenerateConfig, settings, "test")
    stream = StreamingWords(replace(stream_job, config=config, weights=weights_file("small")))
    alone, shared = (StreamSource(stream, recognizer, workers) for workers in (0, 2))
    with pytest.warns(UserWarning, match="left out"):
        words = [alone.word(position) for position in range(150)]
    assert same([shared.word(position) for position in range(150)], words)
    assert children(WORKER)
    shared.close()
    assert not children(WORKER)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*are left out")
def test_an_error_of_a_worker_is_its_sentence_and_leaves_none_behind(
    recognizer: Recognizer, stream_job: Job
) -> None:
    barren = replace(stream_job, config=from_mapping(GenerateConfig, {"gate": {"min_contrast": 255}}, "test"))
    sentences = []
    for workers in (0, 2):
        with pytest.raises(GenerationError) as error:
            StreamSource(StreamingWords(barren), recognizer, workers).word(0)
        sentences.append(str(error.value))
        assert not children(WORKER)
    assert sentences[0] == sentences[1]
