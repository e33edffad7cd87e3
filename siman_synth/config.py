"""Typed configuration: TOML recipes and `--set a.b=c` onto frozen dataclasses.

Precedence is defaults < recipe file < overrides. Unknown keys fail and suggest
the nearest name. A resolved configuration has a fingerprint, which is written
beside every output and compared on resume.
"""

import dataclasses
import difflib
import hashlib
import itertools
import json
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import tomli_w

from siman_synth.errors import ConfigError
from siman_synth.escaping import storable_document
from siman_synth.limits import LARGEST, check_setting, field_types, shown
from siman_synth.resources import own_path
from siman_synth.toml_text import parse_override, read_toml

Config = TypeVar("Config")

_LARGEST = 2**63 - 1


def load_config(
    config_type: type[Config],
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    recipe_folder: Path | None = None,
) -> Config:
    """Resolve a configuration from a recipe (a file, or a name in `recipe_folder`) and overrides.

    Raises:
        ConfigError: the recipe is missing or not TOML, a key is unknown, or a value has the
            wrong type or is refused by the dataclass.
    """
    values: dict[str, Any] = {}
    source = "defaults"
    if recipe is not None:
        path = find_recipe(recipe, recipe_folder)
        source = str(path)
        values = read_toml(path)
    for override in overrides:
        _apply_override(values, override)
    if overrides:
        source += " and overrides"
    return from_mapping(config_type, values, source)


def find_recipe(recipe: str | Path, recipe_folder: Path | None) -> Path:
    """Return the file of a recipe given as a path or as a bundled name."""
    path = own_path(recipe)
    if path is not None and path.is_file():
        return path
    names: list[str] = []
    if recipe_folder is not None and recipe_folder.is_dir():
        names = sorted(file.stem for file in recipe_folder.glob("*.toml"))
        if str(recipe) in names:
            return recipe_folder / f"{recipe}.toml"
    raise ConfigError(
        f"No recipe '{recipe}': it is neither a file nor one of the bundled recipes "
        f"({', '.join(names) or 'none'})."
    )


def from_mapping(config_type: type[Config], values: Mapping[str, Any], source: str) -> Config:
    """Build the dataclass `config_type` from nested plain values, naming `source` in errors."""
    return typing.cast(Config, _build(config_type, values, source, "", config_type))


def to_mapping(config: Any) -> dict[str, Any]:
    """Return the configuration as nested plain values; `None` fields are left out (TOML has none)."""
    result: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value is None:
            continue
        result[field.name] = _plain(value)
    return result


def to_toml(config: Any) -> str:
    """Return the configuration as a TOML document that `load_config` reads back."""
    return storable_document(tomli_w.dumps(to_mapping(config)))


def fingerprint(config: Any) -> str:
    """Return a short hash of the resolved values: equal settings, equal fingerprint."""
    values = config if isinstance(config, Mapping) else to_mapping(config)
    text = json.dumps(values, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def first_difference(left: Mapping[str, Any], right: Mapping[str, Any]) -> str | None:
    """Return "key: left value here, right value there" for the first key that differs, or None."""
    flat_left, flat_right = dict(_flatten(left)), dict(_flatten(right))
    for key in sorted(flat_left.keys() | flat_right.keys()):
        if flat_left.get(key) != flat_right.get(key):
            return f"{key}: {flat_left.get(key)!r} there, {flat_right.get(key)!r} here"
    return None


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_mapping(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value


def _flatten(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat.extend(_flatten(value, f"{prefix}{key}."))
        else:
            flat.append((prefix + key, list(value) if isinstance(value, tuple) else value))
    return flat


def _apply_override(values: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    parts = key.strip().split(".")
    if not separator or not all(parts):
        raise ConfigError(
            f"A setting is changed by KEY=VALUE, such as training.steps=500; found '{_short(override)}'."
        )
    value = parse_override(text)
    table = values
    for part in parts[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{_short(override)}: '{_short(part)}' is a value, not a table.")
    table[parts[-1]] = value


def _build(config_type: Any, values: Any, source: str, prefix: str, whole: Any) -> Any:
    """Build one table, whose keys begin with `prefix`, of the configuration `whole`."""
    if not isinstance(values, Mapping):
        raise ConfigError(f"{source}: '{prefix.rstrip('.')}' must be a table, found {shown(values)}.")
    hints = field_types(config_type)
    moved: Mapping[str, str] = getattr(config_type, "moved", {})
    arguments: dict[str, Any] = {}
    for key, value in values.items():
        if key in moved and not isinstance(value, Mapping):
            raise ConfigError(f"{source}: '{prefix}{key}' has moved. Set '{prefix}{moved[key]}' instead.")
        if key not in hints:
            near = _likely(_short(key), prefix, hints, whole)
            hint = f" Did you mean {' or '.join(near)}?" if near else f" Known: {', '.join(hints)}."
            raise ConfigError(f"{source}: unknown key '{prefix}{_short(key)}'.{hint}")
        arguments[key] = _convert(hints[key], value, source, f"{prefix}{key}", whole)
    try:
        for key, value in arguments.items():
            check_setting(f"{prefix}{key}", hints[key], value)
    except ValueError as error:
        raise ConfigError(f"{source}: {error}") from error
    try:
        return config_type(**arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{source}: {prefix.rstrip('.') or config_type.__name__}: {error}") from error


def _likely(key: str, prefix: str, table: Iterable[str], whole: Any) -> list[str]:
    """Return the settings that may be meant: those called so in other tables, or nearly so in this one."""
    near = [prefix + name for name in difflib.get_close_matches(key, table, n=1)]
    elsewhere = [name for name in _names(whole) if name.rpartition(".")[2] == key]
    return [f"'{name}'" for name in elsewhere[:3] or near]


def _names(config_type: Any, prefix: str = "") -> Iterator[str]:
    """Yield the names of all settings, with their tables."""
    for name, hint in field_types(config_type).items():
        yield prefix + name
        if dataclasses.is_dataclass(hint):
            yield from _names(hint, f"{prefix}{name}.")


def _convert(hint: Any, value: Any, source: str, key: str, whole: Any) -> Any:
    """Turn what TOML and JSON hold into what a field holds. What does not fit stays, to be refused."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, source, f"{key}.", whole)
    if origin is typing.Annotated or (origin in (typing.Union, types.UnionType) and value is not None):
        return _convert(arguments[0], value, source, key, whole)
    if origin is Mapping and isinstance(value, Mapping):
        return {
            str(name): _convert(arguments[1], item, source, f"{key}.{name}", whole)
            for name, item in value.items()
        }
    if origin is tuple and isinstance(value, (list, tuple)):
        hints = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        pairs = itertools.zip_longest(hints[: len(value)], value)
        return tuple(_convert(item_hint, item, source, key, whole) for item_hint, item in pairs)
    if hint is float and type(value) is int and abs(value) <= LARGEST:
        return float(value)
    return Path(value) if hint is Path and isinstance(value, str) else value


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
