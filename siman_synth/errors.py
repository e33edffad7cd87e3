"""Errors that siman-synth raises on purpose.

Every message says what was wrong, what was found and what to do about it. The
command line turns a `SimanError` into one line and exit status 1; any other
exception is a bug and keeps its traceback.
"""

from siman_synth.escaping import printable


class SimanError(Exception):
    """Base of every error that a user can cause or repair; one line, whatever names it quotes."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(_said_by_worker(message)))


def _said_by_worker(message: str) -> str:
    """Return the sentence alone where PyTorch makes a `DataLoader` worker's error anew, of its traceback."""
    caught, _, traceback = message.partition("\nOriginal Traceback (most recent call last):\n")
    if not (caught.startswith("Caught ") and traceback):
        return message
    return traceback.rstrip().rpartition("\n")[2].partition(": ")[2]


class ConfigError(SimanError, ValueError):
    """A setting, an argument or an option holds a value that cannot be used, or a recipe cannot be read."""


class CorpusError(SimanError):
    """A corpus cannot be read or has no usable word."""


class FontError(SimanError):
    """A font cannot be read, or cannot draw what it was asked to draw."""


class CropError(SimanError):
    """A crop, or a whole pool of crops, cannot be used.

    `reason` is a short stable phrase ("truncated", "zero bytes"…) that
    summaries count by.
    """

    def __init__(self, message: str, reason: str = "unusable") -> None:
        super().__init__(message)
        self.reason = reason


class DatasetError(SimanError):
    """An LMDB cannot be read as a word data set."""


class OutputError(SimanError):
    """An output exists already, cannot be written, or belongs to another run."""


class FullDiskError(OutputError):
    """A disk, a quota or a file size is used up."""


class InputChangedError(SimanError):
    """A file that is read was changed while it was in use, or is another one on this machine."""


class WeightsError(SimanError):
    """A weights file is missing, damaged, of another format version, or not ours."""


class TrainingError(SimanError):
    """Training cannot go on, for example because a loss is not finite."""


class GenerationError(SimanError):
    """Generation cannot go on, for example because too many samples were dropped."""
