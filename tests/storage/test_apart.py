"""Work in a process that may die of it: real deaths, and what is said about them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from siman_synth.errors import DatasetError
from siman_synth.storage.apart import run_apart
from tests.storage import dying

PATIENCE_S = 120
SET = Path("words")


def death(*arguments: object) -> str:
    with pytest.raises(DatasetError) as caught:
        run_apart(*arguments)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("number", dying.SIGNALS)
def test_a_death_is_told_with_its_place(number: signal.Signals, capfd: pytest.CaptureFixture[str]) -> None:
    cause = "there was too little memory for it" if number == signal.SIGKILL else "it is damaged"
    assert death(dying.dies_of, SET, int(number)) == (
        f"words cannot be read: the process that read it died of {number.name} at 'image-000000007', "
        f"probably because {cause}. Copy it again from its source, or generate it again."
    )
    assert capfd.readouterr() == ("", "")


def test_real_crashes_say_nothing_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    assert "died of SIGSEGV, probably" in death(dying.reads_nowhere, SET)
    assert "died of SIGABRT at '\ufffd\\x1b[2J', probably" in death(dying.aborts_in_c, SET)
    assert "died of exit status 3, probably" in death(dying.leaves, SET, 3)
    assert capfd.readouterr() == ("", "")


def test_results_and_errors_come_back() -> None:
    assert run_apart(dying.chatters, SET) == "words, True"
    assert run_apart(dying.limits, SET) == (0, 0)
    with pytest.raises(DatasetError, match=r"No \\xe9\."):
        run_apart(dying.raises, SET, False)
    with pytest.raises(ZeroDivisionError) as caught:
        run_apart(dying.raises, SET, True)
    assert any("dying.py" in note for note in caught.value.__notes__)


def test_it_ends_with_the_process_that_asked(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = (
        f"import sys; sys.path[:] = {sys.path!r}\nfrom pathlib import Path\nfrom tests.storage import dying\n"
        "from siman_synth.storage.apart import run_apart\n"
        f"run_apart(dying.waits, Path('words'), Path({str(pid_file)!r}))"
    )
    asking = subprocess.Popen([sys.executable, "-c", code])
    wait_for(pid_file.exists)
    asking.kill()
    asking.wait()
    pid = int(pid_file.read_text())
    wait_for(lambda: not is_alive(pid))


def wait_for(condition: object) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that ended may wait for whoever adopted it.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
