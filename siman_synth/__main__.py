"""The program: `siman-synth`, and `python -m siman_synth`, which is what torchrun needs."""

import sys

from siman_synth import stopping


def run() -> None:
    """Run the command line; from the first moment on, Ctrl-C and SIGTERM end it with one sentence."""
    stopping.end_at_once()
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


if __name__ == "__main__":
    run()
