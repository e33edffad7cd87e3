"""Signals are neither swallowed nor do they tear anything apart. Programs are real processes."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import siman_synth
from siman_synth import stopping

NUMBERS = (signal.SIGINT, signal.SIGTERM)
CAREFUL = """
import os, signal, sys
from siman_synth import stopping

def send(number=signal.SIGTERM):
    os.kill(os.getpid(), number)

"""


def ran(code: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(siman_synth.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": root}
    return subprocess.run(
        [sys.executable, "-c", CAREFUL + code], env=environment, capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_waits_for_the_next_check(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in NUMBERS]
    done = []

    @stopping.stops_at_checks()
    def work() -> None:
        stopping.check()
        assert not stopping.requested()
        os.kill(os.getpid(), number)
        done.append("what was being written")
        stopping.check()
        done.append("what comes next")

    with pytest.raises(stopping.Stopped, match=number.name):
        work()
    assert done == ["what was being written"]
    assert [signal.getsignal(each) for each in NUMBERS] == before
    stopping.check()


def test_a_signal_in_a_finaliser_is_not_lost() -> None:
    class Falls:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

    @stopping.stops_at_checks()
    def work() -> None:
        one = Falls()
        del one
        stopping.check()
        raise AssertionError("went on")

    with pytest.raises(stopping.Stopped):
        work()


def test_a_second_signal_does_not_wait() -> None:
    @stopping.stops_at_checks()
    def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("went on")

    with pytest.raises(stopping.Stopped):
        work()


def test_a_request_that_came_too_late_is_delivered_after_the_work() -> None:
    done = []

    @stopping.stops_at_checks()
    def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        done.append("the work")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["the work"]
    with stopping.stops_at_checks():
        os.kill(os.getpid(), signal.SIGINT)
        assert stopping.requested()  # and ends in its own way
    assert not stopping.requested()


def test_other_handlers_and_other_threads_are_left_alone() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        with stopping.stops_at_checks():
            os.kill(os.getpid(), signal.SIGINT)
            stopping.check()
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]

    def elsewhere() -> None:
        with stopping.stops_at_checks():
            heard.append(signal.getsignal(signal.SIGTERM) is stopping._handle)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert heard[1:] == [False]


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_program_ends_at_once_with_its_last_words(number: str) -> None:
    result = ran(
        "stopping.end_at_once()\nstopping.last_words(lambda: 'Stopped early, \\udce9.')\n"
        f"try:\n    send(signal.{number})\nfinally:\n    print('unwound', flush=True)"
    )
    assert (result.returncode, result.stdout) == (130, "")
    assert result.stderr == "\nStopped early, \\udce9.\n"


def test_a_program_that_writes_stops_at_the_check_and_at_once_the_second_time() -> None:
    result = ran(
        "stopping.end_at_once()\n@stopping.stops_at_checks()\ndef work():\n    send()\n    print('whole')\n"
        "    stopping.check()\ntry:\n    work()\nexcept stopping.Stopped as stop:\n    print(stop)"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "whole\nSIGTERM\n", "")
    for second in ("    send()\n", ""):  # or the block is left without a check
        result = ran(
            "stopping.end_at_once()\nwith stopping.stops_at_checks():\n    send()\n"
            f"    print('whole', flush=True)\n{second}\nprint('never')"
        )
        assert (result.returncode, result.stdout, result.stderr) == (130, "whole\n", "\nStopped.\n")


def test_after_the_end_a_signal_only_hurries() -> None:
    result = ran("stopping.end_at_once()\nstopping.ended(3)\nsend()\nprint('never', flush=True)")
    assert (result.returncode, result.stdout, result.stderr) == (3, "", "")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_while_the_interpreter_ends_makes_no_failure_of_it(number: signal.Signals) -> None:
    """Its modules are torn down when Python no longer calls handlers, and that took a status of -2."""
    end = ran(
        f"""
stopping.end_at_once()
class Falls:
    def __del__(self, kill=os.kill, pid=os.getpid(), write=os.write):
        write(1, b"torn down")
        kill(pid, {int(number)})
falls = Falls()
stopping.ended(0)
"""
    )
    assert (end.returncode, end.stdout, end.stderr) == (0, "torn down", "")


def test_a_forked_process_dies_of_it() -> None:
    result = ran(
        "stopping.end_at_once()\nwith stopping.stops_at_checks():\n    child = os.fork()\n    if not child:\n"
        "        send()\n        os._exit(0)\n    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "-15\n", "")


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    result = ran(
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\nstopping.end_at_once()\n"
        "send(signal.SIGINT)\nprint('on')"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "on\n", "")
