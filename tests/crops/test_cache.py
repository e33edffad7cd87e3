"""The cache of crops: whole to the last bit or made again, and never in the place of anything else."""

import json
import resource
import shutil
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from siman_synth.crops.cache import CropCache
from siman_synth.crops.pool import CropPool
from siman_synth.errors import CropError, OutputError
from siman_synth.files import is_full_disk, locked

FILES = ["cache.json", "lock", "offsets.npy", "pixels.npy"]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> CropPool:
    folder = tmp_path_factory.mktemp("pool")
    rng = np.random.default_rng(0)
    for index, width in enumerate((100, 90, 250, 40, 130)):
        cv2.imwrite(str(folder / f"{index}.png"), rng.integers(0, 256, (32, width, 3), np.uint8))
    return CropPool.open(folder)


def build(pool: CropPool, folder: Path) -> CropCache:
    return CropCache.build(pool, folder, 32, 2.0)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_holds_the_crops(pool: CropPool, tmp_path: Path) -> None:
    cache = build(pool, tmp_path / "c")
    assert cache.height_px == 32
    assert [cache.crop(index).shape for index in range(len(cache))] == [
        (32, 100, 3), (32, 90, 3), (32, 250, 3), (32, 130, 3),
    ]  # fmt: skip
    for index, source in enumerate((0, 1, 2, 4)):
        assert np.array_equal(cache.crop(index), pool.decode(source))
    assert list(cache.skipped.lines()) == ["1 not wider than 2 heights (3.png)"]
    assert names(tmp_path / "c") == FILES


def test_is_used_again_and_made_again_for_other_settings(pool: CropPool, tmp_path: Path) -> None:
    build(pool, tmp_path)
    before = (tmp_path / "pixels.npy").stat()
    again = build(pool, tmp_path)
    assert (tmp_path / "pixels.npy").stat().st_ino == before.st_ino
    assert list(again.skipped.lines()) == ["1 not wider than 2 heights (3.png)"]
    assert CropCache.build(pool, tmp_path, 16, 2.0).height_px == 16
    with pytest.raises(OutputError, match="was changed by another run"):
        CropCache.open(tmp_path, 32, 2.0, pool.fingerprint())


def damages(folder: Path) -> Iterator[str]:
    """Damage the cache in one way after another."""
    for name in ("pixels.npy", "offsets.npy", "cache.json"):
        path = folder / name
        whole = path.read_bytes()
        for what, data in {
            "cut": whole[: len(whole) // 2],
            "cut in the header": whole[:20],
            "empty": b"",
            "zeroed": bytes(len(whole)),
            "zeroed at the end": whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2),
            "longer": whole + b"\0",
            "one bit": whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:],
        }.items():
            path.write_bytes(data)
            yield f"{name} {what}"
        path.unlink()
        if name != "cache.json":
            yield f"{name} missing"
            path.write_bytes(whole)
    path.write_bytes(whole)
    for text in ("[]", "null", '{"fingerprint": 3}', '{"sha256": []}'):
        path.write_text(text)
        yield text
    header = json.loads(whole)
    changes: tuple[dict[str, Any], ...] = ({"sha256": {}}, {"sha256": None}, {"fingerprint": None})
    for change in changes:
        path.write_text(json.dumps(header | change))
        yield str(change)
    np.save(folder / "offsets.npy", np.array([0, 10**9]))
    yield "wrong offsets"


def test_a_damaged_one_is_made_again(pool: CropPool, tmp_path: Path) -> None:
    good = build(pool, tmp_path / "good")
    build(pool, tmp_path / "c")
    count = 0
    for what in damages(tmp_path / "c"):
        cache = build(pool, tmp_path / "c")
        assert np.array_equal(cache.columns, good.columns), what
        assert np.array_equal(cache.offsets, good.offsets), what
        assert list(cache.skipped.lines()) == list(good.skipped.lines()), what
        assert names(tmp_path / "c") == FILES, what
        count += 1
    assert count == 31


@pytest.mark.parametrize("name", ["holiday.jpg", "pixels.npy", "offsets.npy"])
def test_a_folder_with_other_files_is_not_replaced(pool: CropPool, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(
        OutputError, match=f"holds other files \\({name}, …\\), which a cache of crops must not"
    ):
        build(pool, tmp_path)
    assert names(tmp_path) == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_links_and_files_are_refused(pool: CropPool, tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    build(pool, target)
    link.symlink_to(target)
    with pytest.raises(OutputError, match="link is a link; a cache of crops needs a folder of its own"):
        build(pool, link)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file is not a folder"):
        build(pool, tmp_path / "file")
    (target / "pixels.npy").unlink()
    (tmp_path / "thesis").write_text("mine")
    (target / "pixels.npy").symlink_to(tmp_path / "thesis")
    with pytest.raises(OutputError, match=r"holds other files \(pixels\.npy"):
        build(pool, target)
    assert (tmp_path / "thesis").read_text() == "mine"


def test_a_second_process_gets_a_sentence(pool: CropPool, tmp_path: Path) -> None:
    with (
        locked(tmp_path / "lock", "the first"),
        pytest.raises(OutputError, match="Another process is working on"),
    ):
        build(pool, tmp_path)


@contextmanager
def largest_file(bytes_: int) -> Iterator[None]:
    """Let no file grow beyond a size, which fails as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_nothing_half_and_room_lets_it_finish(pool: CropPool, tmp_path: Path) -> None:
    size = (32 * 3) * (100 + 90 + 250 + 130)
    for limit in (0, 10, 100, 1000, size // 2, size):
        with pytest.raises(OSError) as caught, largest_file(limit):
            build(pool, tmp_path)
        assert is_full_disk(caught.value), limit
        assert set(names(tmp_path)) <= {"lock", "cache.json"}, limit
    assert len(build(pool, tmp_path)) == 4


def test_stopped_between_crops_it_leaves_nothing_half(pool: CropPool, tmp_path: Path) -> None:
    for after in range(1, 6):
        calls = iter(range(1, 100))

        def pulse(calls: Iterator[int] = calls, after: int = after) -> None:
            if next(calls) == after:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            CropCache.build(pool, tmp_path / "c", 32, 2.0, pulse=pulse)
        assert names(tmp_path / "c") == ["cache.json", "lock"]
    (tmp_path / "c" / "pixels.npy.partial-4242").write_text("of a process that was killed")
    assert len(build(pool, tmp_path / "c")) == 4
    assert names(tmp_path / "c") == FILES


def test_nothing_usable_is_a_sentence_and_the_next_call_may_do_better(pool: CropPool, tmp_path: Path) -> None:
    with pytest.raises(CropError, match="No usable crop among 5: 5 not wider than 10 heights"):
        CropCache.build(pool, tmp_path, 32, 10.0)
    assert len(build(pool, tmp_path)) == 4


def test_memory_holds_one_crop_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "pool").mkdir()
    image = np.random.default_rng(0).integers(0, 256, (32, 2000, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "0.png"), image)
    for index in range(100):  # 19 MB in all
        shutil.copy(tmp_path / "0.png", tmp_path / "pool" / f"{index}.png")
    pool = CropPool.open(tmp_path / "pool")
    tracemalloc.start()
    build(pool, tmp_path / "c")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6
