"""The program: `siman-synth`, and `python -m siman_synth`, which is what torchrun needs."""

import os
import sys

from siman_synth import stopping


def run() -> None:
    """Run the command line; from the first moment on, Ctrl-C and SIGTERM end it with one sentence."""
    stopping.end_at_once()
    _open_closed_streams()
    from siman_synth.cli import main

    status: int | str | None = 1
    try:
        main(prog_name="siman-synth")
    except SystemExit as end:
        status = end.code
        raise
    finally:
        sys.stdout.flush()
        stopping.ended(status if isinstance(status, int) else int(status is not None))


def _open_closed_streams() -> None:
    """Give a stream that was closed (`>&-`) to nobody: else the next file that is opened gets its number.

    What is said then, also by a library, would be written into that file.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free is this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115


if __name__ == "__main__":
    run()
