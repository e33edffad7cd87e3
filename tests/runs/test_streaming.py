"""A stream is what `generate` writes, whoever shares it and wherever it goes on."""

import io
import itertools
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from siman_synth import LmdbReader, StreamingWords, generate
from siman_synth.errors import ConfigError, CropError, InputChangedError
from siman_synth.runs.job import Job
from siman_synth.training.distributed import process_group, processes
from tests.runs.processes import Processes, alive, wait_until

MakeJob = Callable[..., Job]
Pair = tuple[str, bytes]
BLOCK = 6


def key(sample: tuple[np.ndarray, str]) -> Pair:
    return sample[1], sample[0].tobytes()


def take(words: Any, count: int) -> list[Pair]:
    return [key(sample) for sample in itertools.islice(words, count)]


def stream(job: Job, **options: Any) -> StreamingWords:
    return StreamingWords(job, **({"block_size": BLOCK} | options))


def loader(words: StreamingWords, workers: int, batch: int = BLOCK, **options: Any) -> DataLoader[Any]:
    return DataLoader(words, batch_size=batch, num_workers=workers, collate_fn=list, **options)


def batches(loaded: DataLoader[Any], count: int) -> list[Pair]:
    """Return the samples of some batches; the workers end with the iterator."""
    iterator = iter(loaded)
    return [key(sample) for _ in range(count) for sample in next(iterator)]


@pytest.fixture(scope="module")
def words(make_job: MakeJob) -> StreamingWords:
    """A stream that several tests begin; each iteration is one from its start."""
    return stream(make_job())


@pytest.fixture(scope="module")
def written(make_job: MakeJob, tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    """What `generate` writes for the same job, as a reader decodes it with Pillow."""
    out = tmp_path_factory.mktemp("written") / "words"
    generate(make_job(count=36), out, show_progress=False)
    with LmdbReader.open(out) as reader:
        return [
            (sample.label or "", np.asarray(Image.open(io.BytesIO(sample.image)).convert("RGB")).tobytes())
            for sample in reader
        ]


def test_a_sample_is_an_image_that_may_be_changed_and_its_label(words: StreamingWords) -> None:
    image, label = next(iter(words))
    assert (image.dtype, image.shape[0], image.shape[2], type(label)) == (np.uint8, 32, 3, str)
    assert image.flags.writeable


def test_the_stream_is_what_generate_writes(words: StreamingWords, written: list[Pair]) -> None:
    assert take(words, 36) == written


def test_count_does_not_end_it_and_other_blocks_hold_the_same_words(
    make_job: MakeJob, written: list[Pair]
) -> None:
    labels = [label for _, label in itertools.islice(stream(make_job(count=1), block_size=16), 36)]
    assert labels == [label for label, _ in written]


def test_another_seed_gives_other_samples(make_job: MakeJob, written: list[Pair]) -> None:
    assert set(take(stream(make_job(seed=4)), 12)).isdisjoint(written)


def test_transform_sees_each_image(make_job: MakeJob) -> None:
    words = stream(make_job(), transform=lambda image: image.shape[0])
    assert [height for height, _ in itertools.islice(words, 3)] == [32, 32, 32]


def test_every_iteration_begins_at_start(make_job: MakeJob, written: list[Pair]) -> None:
    words = stream(make_job(), start=8)
    one, other = iter(words), iter(words)
    assert [key(next(one)), key(next(other)), key(next(one))] == [written[8], written[8], written[9]]


def test_ranks_share_the_blocks_out_in_turn(make_job: MakeJob, written: list[Pair]) -> None:
    shares = [take(stream(make_job(), rank=rank, world_size=2), 12) for rank in range(2)]
    assert shares == [written[:6] + written[12:18], written[6:12] + written[18:24]]


def test_torchrun_and_torch_distributed_say_the_rank(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    words = stream(make_job())
    assert (words.rank, words.world_size) == (2, 4)
    with process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1):
        words = stream(make_job())
    assert (words.rank, words.world_size) == (0, 1)


@pytest.mark.parametrize(
    ("rank", "world_size", "message"),
    [
        ("x", "4", "RANK in the environment must be a whole number, found x"),
        ("0", "", "WORLD_SIZE in the environment must be a whole number, found nothing"),
        ("4", "4", "RANK is 4 and WORLD_SIZE is 4 in the environment"),
    ],
)
def test_an_environment_that_makes_no_sense_is_refused(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, rank: str, world_size: str, message: str
) -> None:
    """Once the first two were errors of Python, and the third gave words that belong to nobody."""
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", world_size)
    with pytest.raises(ConfigError, match=message):
        stream(make_job())
    with pytest.raises(ConfigError, match=message), processes("cpu"):
        pass


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_batches_of_one_block_come_in_order_for_any_number_of_workers(
    words: StreamingWords, written: list[Pair], workers: int
) -> None:
    assert batches(loader(words, workers), 5) == written[:30]


@pytest.mark.slow
def test_spawned_workers_and_ranks_give_the_same(make_job: MakeJob, written: list[Pair]) -> None:
    words = [stream(make_job(), rank=rank, world_size=2) for rank in range(2)]
    shares = [batches(loader(w, 2, multiprocessing_context="spawn"), 3) for w in words]
    steps = [shares[rank][at : at + BLOCK] for at in range(0, 18, BLOCK) for rank in range(2)]
    assert [pair for step in steps for pair in step] == written


@pytest.mark.slow
def test_batches_of_other_sizes_hold_each_sample_once_in_each_workers_order(
    words: StreamingWords, written: list[Pair]
) -> None:
    pairs = batches(loader(words, 2, batch=4), 6)
    even, odd = written[:6] + written[12:18], written[6:12] + written[18:24]
    assert pairs == even[:4] + odd[:4] + even[4:8] + odd[4:8] + even[8:] + odd[8:]


@pytest.mark.slow
def test_start_goes_on_exactly_with_another_number_of_workers(
    words: StreamingWords, make_job: MakeJob, written: list[Pair]
) -> None:
    consumed = batches(loader(words, 2), 3)
    for workers in (0, 1):
        again = loader(stream(make_job(), start=len(consumed)), workers)
        assert consumed + batches(again, 3) == written


def test_a_state_goes_on_where_it_was_taken(
    words: StreamingWords, make_job: MakeJob, written: list[Pair]
) -> None:
    states = [words.state_dict() for _ in zip(range(7), words, strict=False)]
    again = stream(make_job())
    for consumed in (1, 5, 6):
        again.load_state_dict(json.loads(json.dumps(states[consumed - 1])))
        assert take(again, 3) == written[consumed : consumed + 3]


def test_the_state_of_one_among_several_goes_on_there_and_nowhere_else(
    make_job: MakeJob, written: list[Pair]
) -> None:
    first = stream(make_job(), rank=1, world_size=2)
    iterator = iter(first)
    assert [key(next(iterator)) for _ in range(6)] == written[6:12]
    same, other = stream(make_job(), rank=1, world_size=2), stream(make_job(), rank=0, world_size=2)
    same.load_state_dict(first.state_dict())
    assert take(same, 6) == written[18:24]
    other.load_state_dict(first.state_dict())
    with pytest.raises(ConfigError) as error:
        iter(other)
    assert str(error.value) == (
        "This state belongs to consumer 1 of 2, and was loaded in consumer 0 of 2 (workers x ranks). "
        "Use as many workers and ranks."
    )


def test_the_state_of_another_stream_is_refused(words: StreamingWords, make_job: MakeJob) -> None:
    state = words.state_dict()
    for other in (stream(make_job(seed=4)), stream(make_job(), block_size=7)):
        with pytest.raises(ConfigError, match="other inputs, settings, seed or block size"):
            other.load_state_dict(state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "A stream's state holds next, consumer, consumers, fingerprint, found {}. Give what"),
        ({"next": -1}, "next in the state must be a whole number of 0 or more, found -1."),
        ({"next": "7"}, "next in the state must be a whole number of 0 or more, found '7'."),
        ({"consumers": 0}, "consumers in the state must be a whole number of 1 or more, found 0."),
        ({"consumer": 1}, "consumer in the state must be 0 at most, found 1."),
    ],
)
def test_what_is_no_state_is_refused(
    words: StreamingWords, change: dict[str, Any] | None, message: str
) -> None:
    state = {} if change is None else words.state_dict() | change
    with pytest.raises(ConfigError) as error:
        words.load_state_dict(state)
    assert str(error.value).startswith(message)


@pytest.fixture
def spoiled(make_job: MakeJob, crop_folder: Path, tmp_path: Path) -> Callable[[int], StreamingWords]:
    """Return a function that opens a stream and then spoils its crops, but for some."""

    def make(readable: int) -> StreamingWords:
        folder = tmp_path / "crops"
        shutil.copytree(crop_folder, folder)
        words = stream(make_job("execution.max_attempts=1", styles=str(folder)))
        for path in sorted(folder.iterdir())[readable:]:
            path.write_bytes(b"")
        return words

    return make


@pytest.mark.filterwarnings("ignore:.*are left out")
@pytest.mark.parametrize("sound", [16, 0])
def test_crops_that_change_under_a_stream_stop_it(
    sound: int, spoiled: Callable[[int], StreamingWords]
) -> None:
    with pytest.raises(InputChangedError, match="was changed while it was in use"):
        list(itertools.islice(spoiled(sound), 40))


@pytest.mark.slow
def test_an_error_in_a_worker_is_the_sentence_that_it_is_without(
    spoiled: Callable[[int], StreamingWords],
) -> None:
    words = spoiled(0)
    sentences = []
    for workers in (0, 1):
        with pytest.raises(InputChangedError) as error:
            batches(loader(words, workers), 8)
        sentences.append(str(error.value))
    assert sentences[0] == sentences[1]


def test_bad_arguments_and_inputs_are_refused_at_once(make_job: MakeJob, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="start must be a whole number of 0 or more, found -1"):
        stream(make_job(), start=-1)
    with pytest.raises(ConfigError, match="start must be 4611686018427387903 at most, found 1180591620717"):
        stream(make_job(), start=1 << 70)
    with pytest.raises(ConfigError, match="start must be a whole number of 0 or more, found None"):
        stream(make_job()).beginning_at(None)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="block_size must be 100000 at most, found 100001"):
        stream(make_job(), block_size=100_001)
    with pytest.raises(ConfigError, match="Give both or none"):
        stream(make_job(), rank=1)
    with pytest.raises(CropError, match="No styles"):
        stream(make_job(styles=str(tmp_path / "nowhere")))


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_told_before_anything_is_made(make_job: MakeJob, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="torch finds no CUDA GPU here"):
        stream(make_job(device="cuda"))
    with pytest.raises(ConfigError, match="torch finds no CUDA GPU here"):
        generate(make_job(device="cuda"), tmp_path / "words")
    assert not list(tmp_path.iterdir())


_LOOP = """
import sys, time
from torch.utils.data import DataLoader
from siman_synth import GenerateConfig, Job, StreamingWords
from siman_synth.synthesis.config import GateConfig

if __name__ == "__main__":
    context, corpus, styles, weights = sys.argv[1:]
    config = GenerateConfig(gate=GateConfig(ink=False))  # the network is untrained
    job = Job(count=1, corpus=corpus, styles=styles, fonts="roboto", weights=weights, config=config)
    options = {"batch_size": 64, "num_workers": 2, "collate_fn": list, "multiprocessing_context": context}
    batches = iter(DataLoader(StreamingWords(job), **options))
    next(batches)
    print("first batch", file=sys.stderr, flush=True)
    time.sleep(1000)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("context", ["fork", "spawn", "forkserver"])
def test_no_worker_outlives_a_loop_that_was_killed(
    context: str, word_file: Path, crop_folder: Path, tiny_weights: Path, tmp_path: Path
) -> None:
    (tmp_path / "loop.py").write_text(_LOOP)
    inputs = map(str, (word_file, crop_folder, tiny_weights))
    processes = Processes()
    try:
        loop = processes.start([sys.executable, str(tmp_path / "loop.py"), context, *inputs])
        assert loop.stderr is not None
        assert any("first batch" in line for line in loop.stderr)
        assert len(alive(loop.pid)) > 2
        loop.kill()
        loop.wait()
        assert wait_until(lambda: not alive(loop.pid))
    finally:
        processes.end()


def test_threads_are_as_they_were(words: StreamingWords) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        next(iter(words))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
