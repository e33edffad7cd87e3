"""What a setting may hold: declared beside its field, checked here and nowhere else.

A field says its limits in its type, and a configuration checks itself when it is made:

    @dataclass(frozen=True, kw_only=True, slots=True)
    class GateConfig:
        min_contrast: Annotated[float, Between(0, 255)] = 14.0
        noise_sigma: Annotated[tuple[float, float], Between(0, 100)] = (0.0, 3.0)

        def __post_init__(self) -> None:
            check_settings(self)

Limits of a pair make it a range: low, then high. Numbers are finite always, and within
`LARGEST` where nothing else is said.
"""

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from siman_synth.errors import ConfigError

LARGEST = 2**53
"""Up to here floats count every whole number, and no count, size or factor is larger."""

HEAVIEST = 1e9
"""The greatest weight of a source of words: sums of weights stay finite, and every source has its turn."""

_SHOWN = 60
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", Path: "a path"}


def require_whole(name: str, value: object, least: int, most: int | None = None) -> None:
    """Check an argument of a function, as `check_settings` does a setting.

    Raises:
        ConfigError: it is no whole number, less than `least`, or more than `most`.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigError(f"{name} must be a whole number of {least} or more, found {shown(value)}.")
    if most is not None and value > most:
        raise ConfigError(f"{name} must be {most} at most, found {shown(value)}.")


@dataclass(frozen=True, slots=True)
class Between:
    """Least and greatest value of a number, or of both ends of a range."""

    least: float
    most: float
    multiple_of: int = 0


Share = Annotated[float, Between(0, 1)]
"""A share of something."""
Weight = Annotated[float, Between(0, 1000)]
"""How frequent one of several choices is, compared with the others."""

_ANY = Between(-LARGEST, LARGEST)


def check_settings(config: Any) -> None:
    """Check every field of a configuration, a dataclass, against its type and its limits.

    Raises:
        ConfigError: says which field, what it must be and what was found.
    """
    config_type: Any = type(config)
    for name, hint in field_types(config_type).items():
        check_setting(name, hint, getattr(config, name))


@functools.cache
def field_types(config_type: type) -> dict[str, Any]:
    """Return the type of every field of a dataclass, with its limits."""
    hints = typing.get_type_hints(config_type, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(config_type) if field.init}


def limits_of(hint: Any) -> Between | None:
    """Return the limits that a field's type declares, for itself or for the values in it."""
    for part in (hint, *typing.get_args(hint)):
        for limits in getattr(part, "__metadata__", ()):
            if isinstance(limits, Between):
                return limits
    return None


def check_setting(name: str, hint: Any, value: Any, limits: Between = _ANY) -> None:
    """Check the value of one setting against a type, with limits in it or not.

    Raises:
        ConfigError: it does not fit.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        limits = next((one for one in hint.__metadata__ if isinstance(one, Between)), limits)
        check_setting(name, arguments[0], value, limits)
    elif origin in (typing.Union, types.UnionType):
        if value is not None:
            check_setting(name, arguments[0], value, limits)
    elif origin is Literal:
        if value not in arguments:
            raise ConfigError(f"{name} must be one of {arguments}, found {shown(value)}.")
    elif origin is Mapping:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{name} must be a table, found {shown(value)}.")
        for key, item in value.items():
            check_setting(f"{name}.{shown_name(key)}", arguments[1], item)
    elif origin is tuple:
        _check_tuple(name, arguments, value, limits)
    elif hint in (int, float):
        _check_number(name, hint, value, limits)
    elif not isinstance(value, hint):
        raise ConfigError(f"{name} must be {_KINDS.get(hint, hint.__name__)}, found {shown(value)}.")


def check_share(name: str, share: float) -> None:
    """Check a share.

    Raises:
        ConfigError: it is not between 0 and 1.
    """
    check_setting(name, Share, share)


def is_weight(value: Any) -> bool:
    """Whether a value can be the weight of a source of words: a number above 0, up to `HEAVIEST`."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= HEAVIEST


def shown_name(name: object) -> str:
    """Return a key of a table as messages show it."""
    text = str(name)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def shown(value: Any) -> str:
    """Return a value as messages show it, however long it is."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of more than 4300 digits, a list in a list in…
        return f"a {type(value).__name__} too long to show"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _check_tuple(name: str, items: tuple[Any, ...], value: Any, limits: Between) -> None:
    if not isinstance(value, tuple):
        raise ConfigError(f"{name} must be a list, found {shown(value)}.")
    any_number = items[-1] is Ellipsis
    if not any_number and len(value) != len(items):
        raise ConfigError(f"{name} needs {len(items)} values, found {shown(value)}.")
    # Each value first without the limits: a text among them is told as such.
    for hint, item in zip(items[:1] * len(value) if any_number else items, value, strict=True):
        check_setting(name, hint, item)
    if limits is not _ANY and not limits.least <= value[0] <= value[1] <= limits.most:
        raise ConfigError(
            f"{name} must be two values from {limits.least} to {limits.most}, low then high, "
            f"found {shown(value)}."
        )


def _check_number(name: str, kind: type[Any], value: Any, limits: Between) -> None:
    # Python takes True for 1.
    if isinstance(value, bool) or not isinstance(value, int if kind is int else (int, float)):
        raise ConfigError(f"{name} must be {_KINDS[kind]}, found {shown(value)}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{name} must be a finite number, found {value}.")
    if not limits.least <= value <= limits.most or (limits.multiple_of and value % limits.multiple_of):
        multiple = f"a multiple of {limits.multiple_of}, " if limits.multiple_of else ""
        raise ConfigError(
            f"{name} must be {multiple}between {limits.least} and {limits.most}, found {shown(value)}."
        )
