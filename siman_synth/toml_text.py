"""TOML that a user wrote, however odd: values, or one sentence."""

import tomllib
from pathlib import Path
from typing import Any

from siman_synth.errors import ConfigError
from siman_synth.escaping import shortened_repr

MOST_BYTES = 1 << 16
"""No recipe comes near; the parser holds some hundred times as much."""

_MOST_DOTS = 1000
"""In a line. The parser's time grows with the square of the parts of a key, and faster."""


def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables of a recipe file; a byte order mark is passed over.

    Raises:
        ConfigError: it cannot be read, is too long, or is not TOML.
    """
    try:
        with path.open("rb") as file:
            # Not by its size: a device has none.
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"Recipe {path} cannot be read: {error.strerror}.") from error
    if len(data) > MOST_BYTES:
        raise ConfigError(
            f"Recipe {path} is longer than {MOST_BYTES} bytes, as no recipe is. Give a TOML file of settings."
        )
    try:
        return _parse(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"Recipe {path} is not valid TOML: {_reason(error)}.") from error


def parse_override(text: str) -> Any:
    """Return the value that `text`, the right side of --set KEY=VALUE, stands for: TOML, or a bare word.

    Raises:
        ConfigError: it is too long, or a value that cannot be read.
    """
    if len(text) > MOST_BYTES:
        raise ConfigError(f"Override: a value of {len(text)} characters is no setting's.")
    try:
        return _parse(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"Override: {shortened_repr(text, 40)} is no value: {_reason(error)}.") from error


def _parse(text: str) -> dict[str, Any]:
    if any(line.count(".") > _MOST_DOTS for line in text.splitlines()):
        raise ValueError(f"a line has more than {_MOST_DOTS} dots")
    return tomllib.loads(text)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"byte 0x{error.object[error.start]:02x} at position {error.start} is not UTF-8"
    reason = str(error).partition(";")[0]
    return reason if len(reason) <= 200 else reason[:200] + "…"
