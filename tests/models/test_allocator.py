"""Freed memory stays with the process."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
from siman_synth.models.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def pages_fetched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [bytes([1]) * (12 << 20) for _ in range(4)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
pages_fetched()
print(pages_fetched())
"""


def pages_of_the_second_round(policy: str) -> int:
    run = subprocess.run([sys.executable, "-c", PROGRAM, policy], check=True, capture_output=True, text=True)
    return int(run.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_a_second_round_of_allocations_fetches_no_pages() -> None:
    assert pages_of_the_second_round("as it is") > 1000
    assert pages_of_the_second_round("keep") < 50
