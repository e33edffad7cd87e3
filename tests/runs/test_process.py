"""What a process gets that makes words, and gives back."""

import subprocess
import sys

import pytest

FORKED = """
import os, signal, time
from pathlib import Path
import cv2, numpy as np
from siman_synth.runs.process import one_thread

def work():
    return cv2.resize(np.zeros((2000, 2000, 3), np.uint8), (1500, 1500)).shape

def asleep():
    stats = [stat.read_text() for stat in Path("/proc/self/task").glob("*/stat")]
    states = [stat.rpartition(")")[2].split()[0] for stat in stats]
    return len(states) > 2 and states.count("S") == len(states) - 1

cv2.setNumThreads(3)
work()
while not asleep():  # soon after work they still look for more of it
    time.sleep(0.01)
child = os.fork()
if not child:
    signal.alarm(250)
    with one_thread():
        assert cv2.getNumThreads() == 1
        assert work() == (1500, 1500, 3)
    assert cv2.getNumThreads() == 3
    assert work() == (1500, 1500, 3)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert cv2.getNumThreads() == 3
assert work() == (1500, 1500, 3)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_fork_of_a_process_that_used_opencv_computes_with_one_thread() -> None:
    """It waited for ever for threads that it does not have."""
    subprocess.run([sys.executable, "-c", FORKED], check=True, timeout=300)
