"""Options and error handling that several commands share."""

import errno
import functools
import math
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from siman_synth import stopping
from siman_synth.errors import SimanError
from siman_synth.escaping import printable, printable_lines

HELP = {"help_option_names": ["-h", "--help"]}
"""Context settings of every command: both spellings, however the command is reached."""

Command = TypeVar("Command", bound=Callable[..., Any])

# What a user can mend. Any other error of the system is a bug of ours, whose traceback helps.
_DISK_ERRORS = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR,
    errno.EISDIR, errno.ENAMETOOLONG, errno.EIO,
)  # fmt: skip


class FiniteRange(click.FloatRange):
    """A range of numbers; what is no number (nan) or infinite lies in none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number of a text."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def recipe_options(example: str) -> Callable[[Command], Command]:
    """Return a decorator that adds --recipe and --set, with an example of a setting."""

    def decorate(command: Command) -> Command:
        command = click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="KEY=VALUE",
            help=f"Override one setting, e.g. --set {example}. Can be repeated.",
        )(command)
        return click.option("--recipe", metavar="NAME|FILE", help="A bundled recipe or a TOML file.")(command)

    return decorate


def device_option(command: Command) -> Command:
    """Add --device."""
    return click.option(
        "--device", default="auto", show_default=True, metavar="auto|cpu|cuda", help="Where the networks run."
    )(command)


def dry_run_option(command: Command) -> Command:
    """Add --dry-run."""
    return click.option(
        "--dry-run", is_flag=True, help="Check the inputs, print the resolved settings, and stop."
    )(command)


def out_option(help_text: str) -> Callable[[Command], Command]:
    """Return a decorator that adds the required --out."""
    return click.option(
        "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help=help_text
    )


def say(text: str, err: bool = False) -> None:
    """Print lines, with everything escaped in them that a terminal would obey or could not show."""
    click.echo(printable_lines(text), err=err)


def plain_bars() -> None:
    """Give progress bars a lock without a name.

    The default one is a named semaphore on some systems: a program that ends at once would leave it, and
    a helper process of Python would tell the terminal so.
    """
    from tqdm import tqdm

    tqdm.set_lock(threading.RLock())


def written_since(path: Path) -> Callable[[], bool]:
    """Return a function that says whether a file was written after this call."""

    def version() -> tuple[int, int] | None:
        try:
            found = path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    before = version()
    return lambda: version() not in (None, before)


def reports_errors(command: Command) -> Command:
    """Turn the package's own errors, and the disk's, into one line and exit status 1; a stop into its own."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            stopping.say_last_words()
            raise SystemExit(stopping.STOPPED_STATUS) from None
        except SimanError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            if error.errno not in _DISK_ERRORS:
                raise
            where = f" ({printable(os.fsdecode(error.filename))})" if error.filename else ""
            raise click.ClickException(f"The disk refused: {error.strerror}{where}.") from error

    return wrapped  # type: ignore[return-value]
