"""What a job takes, and what `generate` gives back to the program that called it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from siman_synth import CorpusMixture, CropPool, FontLibrary, Job, LmdbReader, LmdbWriter, generate
from siman_synth.errors import ConfigError
from siman_synth.models.bundled import weights_file


def test_one_name_is_as_good_as_a_list_of_one(tmp_path: Path) -> None:
    one = Job(count=3, corpus="english", fonts="roboto", styles=tmp_path, weights=None)
    other = Job(count=3, corpus=["english"], fonts=("roboto",), styles=str(tmp_path), weights=weights_file())
    assert one == other
    assert hash(one) == hash(other)
    assert (one.corpus, one.fonts, one.styles) == (("english",), ("roboto",), (str(tmp_path),))
    assert Job(count=1, corpus=tmp_path / "words.txt").corpus == (f"{tmp_path}/words.txt",)
    assert replace(one, count=4).corpus == ("english",)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"count": 0}, "count must be a whole number of 1 or more, found 0."),
        ({"count": "7"}, "count must be a whole number of 1 or more, found '7'."),
        ({"count": 1, "seed": -1}, "seed must be a whole number of 0 or more, found -1."),
    ],
)
def test_a_job_says_what_it_cannot_take(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Job(**wrong)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_libraries_take_one_name_too(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("one\ntwo\n")
    assert [font.family for font in FontLibrary.open("Roboto").fonts][:1] == ["Roboto"]
    assert CorpusMixture.open(words).names == CorpusMixture.open(str(words)).names == ("words.txt",)


def test_every_path_may_be_a_text(make_job: Callable[..., Job], crop_folder: Path, tmp_path: Path) -> None:
    assert len(CropPool.open(str(crop_folder))) == 24
    job = replace(make_job(), count=3, styles=str(crop_folder), weights=str(make_job().weights))  # type: ignore[arg-type]
    generate(job, str(tmp_path / "out"), show_progress=False)
    with LmdbReader.open(str(tmp_path / "out")) as reader, LmdbWriter.create(str(tmp_path / "copy")) as copy:
        for sample in reader:
            copy.write(sample)
    assert (tmp_path / "copy" / "data.mdb").is_file()


_PROGRAM = """
import ctypes, os, resource, sys
import cv2, torch
from siman_synth import GenerateConfig, Job, generate
from siman_synth.config import load_config
from siman_synth.models.allocator import keep_freed_memory
torch.set_num_threads(3)
cv2.setNumThreads(2)
before = dict(os.environ), os.getcwd()
job = Job(count=3, corpus=sys.argv[1], styles=sys.argv[2], weights=sys.argv[3], fonts="roboto",
          config=load_config(GenerateConfig, overrides=["gate.ink=false"]))
generate(job, sys.argv[4], show_progress=False)
assert (dict(os.environ), os.getcwd()) == before, "environment"
assert (torch.get_num_threads(), cv2.getNumThreads()) == (3, 2), "threads"
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
def pages_fetched():
    start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [libc.malloc(12 << 20) for _ in range(4)]
    for block in held:
        ctypes.memset(block, 1, 12 << 20)
    for block in held:
        libc.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start
pages_fetched()
given_back = pages_fetched()
keep_freed_memory()
pages_fetched()
kept = pages_fetched()
assert given_back > 5000 > 500 > kept, (given_back, kept)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at glibc's memory")
def test_generate_leaves_the_process_as_it_found_it(
    crop_folder: Path, tiny_weights: Path, tmp_path: Path
) -> None:
    words = tmp_path / "words.txt"
    words.write_text("one\ntwo\nthree\n")
    arguments = [str(words), str(crop_folder), str(tiny_weights), str(tmp_path / "out")]
    run = subprocess.run([sys.executable, "-c", _PROGRAM, *arguments], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("names", [7, [None], {"all": 1, 3: 2}])
def test_what_is_no_name_is_refused_in_a_sentence(names: object) -> None:
    for take in (FontLibrary.open, CorpusMixture.open, lambda given: Job(count=1, fonts=given)):
        with pytest.raises(ConfigError, match=r"^A name, a file or a list of these is needed, found "):
            take(names)  # type: ignore[arg-type]
