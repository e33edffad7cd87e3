"""A checkpoint is on the disk before an older one goes, and a damaged one is passed over."""

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from siman_synth.errors import OutputError, TrainingError
from siman_synth.files import is_full_disk
from siman_synth.training.checkpoints import Checkpoints, Stateful

IDENTITY = {"learning_rate": 0.1, "contents": "abc"}


def parts(value: float) -> dict[str, Stateful]:
    network = nn.Linear(40, 40)
    nn.init.constant_(network.weight, value)
    return {"network": network, "optimiser": torch.optim.Adam(network.parameters())}


def value_of(restored: dict[str, Stateful]) -> float:
    network = restored["network"]
    assert isinstance(network, nn.Linear)
    return network.weight[0, 0].item()


@pytest.fixture
def saved(tmp_path: Path) -> Checkpoints:
    """Two checkpoints, of steps 5 and 10, whose weights are their steps."""
    checkpoints = Checkpoints(tmp_path)
    for step in (5, 10):
        checkpoints.save(step, parts(step), IDENTITY)
    return checkpoints


def restored(checkpoints: Checkpoints) -> tuple[int, float, list[str]]:
    said: list[str] = []
    found = parts(0.0)
    step = checkpoints.restore(found, IDENTITY, said.append)
    return step, value_of(found), said


def test_the_newest_comes_back(saved: Checkpoints) -> None:
    assert restored(saved) == (10, 10.0, [])
    assert saved.last_step() == 10


def test_without_any_nothing_changes(tmp_path: Path) -> None:
    assert restored(Checkpoints(tmp_path / "none")) == (0, 0.0, [])


def test_a_million_steps_sort_behind_a_thousand(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for step in (99_999_999, 100_000_000):
        checkpoints.save(step, parts(1.0), IDENTITY)
    assert checkpoints.last_step() == 100_000_000


@pytest.mark.parametrize("damage", ["cut", "zeroed", "one bit", "empty", "other file"])
def test_a_damaged_one_is_passed_over_with_a_word(saved: Checkpoints, damage: str) -> None:
    path = saved.files()[-1]
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for trial in range(1 if damage in ("empty", "other file") else 12):
        data = bytearray(whole)
        place = int(rng.integers(len(whole)))
        if damage == "cut":
            del data[place:]
        elif damage == "zeroed":
            place = min(place, len(whole) // 2)
            data[place:] = bytes(len(whole) - place)
        elif damage == "one bit":
            # Within the weights; elsewhere in an archive there are bytes that mean nothing.
            place = whole.index(np.full(40, 10.0, np.float32).tobytes()) + trial
            data[place] ^= 1
        else:
            data = bytearray(b"" if damage == "empty" else b"not a checkpoint\n" * 100)
        path.write_bytes(data)
        step, value, said = restored(saved)
        assert (step, value) == (5, 5.0), (damage, place)
        assert len(said) == 1
        assert said[0].startswith(f"Checkpoint {path} is damaged (")
        assert said[0].endswith("); looking for an older one.")
        assert "\n" not in said[0]
    saved.save(7, parts(7.0), IDENTITY)
    assert [file.name for file in saved.files()] == ["state-00000005.pt", "state-00000007.pt"]


def test_all_damaged_is_one_sentence(saved: Checkpoints) -> None:
    for path in saved.files():
        path.write_bytes(b"")
    with pytest.raises(TrainingError, match=r"^None of the 2 checkpoints in .* can be read\. Remove them"):
        restored(saved)


def test_another_identity_is_refused(saved: Checkpoints) -> None:
    with pytest.raises(OutputError, match=r"other settings or inputs: contents: 'abc' there, 'xyz' here\. "):
        saved.restore(parts(0.0), IDENTITY | {"contents": "xyz"}, print)


def test_files_of_others_stay(saved: Checkpoints) -> None:
    for name in ("notes.txt", "state-5.pt", "state-00000005.pt.partial-me", "state-00000003.pt.bak"):
        (saved.folder / name).write_text("mine")
    (saved.folder / "state-00000011.pt.partial-4242").write_text("of a process that was killed")
    saved.save(15, parts(15.0), IDENTITY)
    assert sorted(path.name for path in saved.folder.iterdir()) == [
        "notes.txt", "state-00000003.pt.bak", "state-00000005.pt.partial-me", "state-00000010.pt",
        "state-00000015.pt", "state-5.pt",
    ]  # fmt: skip


def test_the_older_goes_only_when_the_newer_is_on_the_disk(
    saved: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order of what a power cut sees: bytes, name, folder, and only then the removal."""
    calls: list[tuple[str, str]] = []

    def recording(name: str) -> Callable[..., object]:
        real = getattr(os, name)

        def call(target: int | str | Path, *more: object, **named: object) -> object:
            path = os.readlink(f"/proc/self/fd/{target}") if isinstance(target, int) else str(target)
            calls.append((name, Path(path).name.split(".partial")[0]))
            return real(target, *more, **named)

        return call

    for name in ("fsync", "replace", "rename", "unlink", "remove"):
        monkeypatch.setattr(os, name, recording(name))
    saved.save(15, parts(15.0), IDENTITY)
    monkeypatch.undo()
    folder = saved.folder.name
    assert calls == [
        ("fsync", "state-00000015.pt"),
        ("replace", "state-00000015.pt"),
        ("fsync", folder),
        ("unlink", "state-00000005.pt"),
        ("fsync", folder),
    ]


@contextmanager
def largest_file(bytes_: int) -> Iterator[None]:
    """Let no file grow beyond a size, which fails as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_older_ones_and_nothing_half(saved: Checkpoints) -> None:
    size = saved.files()[-1].stat().st_size
    for limit in (0, 100, size // 2, size - 1):
        with pytest.raises(OSError) as caught, largest_file(limit):
            saved.save(15, parts(15.0), IDENTITY)
        assert is_full_disk(caught.value), limit
        assert [file.name for file in saved.folder.iterdir() if "15" in file.name] == []
    assert restored(saved) == (10, 10.0, [])
