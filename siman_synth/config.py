"""Typed configuration: TOML recipes and `--set a.b=c` onto frozen dataclasses.

Precedence is defaults < recipe file < overrides. Unknown keys fail and suggest
the nearest name. A resolved configuration has a fingerprint, which is written
beside every output and compared on resume.
"""

import dataclasses
import difflib
import hashlib
import json
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import tomli_w

from siman_synth.errors import ConfigError

Config = TypeVar("Config")


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
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"Recipe {path} is not valid TOML: {error}.") from error
    for override in overrides:
        _apply_override(values, override)
    if overrides:
        source += " and --set"
    return from_mapping(config_type, values, source)


def find_recipe(recipe: str | Path, recipe_folder: Path | None) -> Path:
    """Return the file of a recipe given as a path or as a bundled name."""
    path = Path(recipe)
    if path.is_file():
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
    return typing.cast(Config, _build(config_type, values, source, ""))


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
    return tomli_w.dumps(to_mapping(config))


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
        raise ConfigError(f"--set takes KEY=VALUE, such as training.steps=500; found '{override}'.")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    table = values
    for part in parts[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise ConfigError(f"--set {override}: '{part}' is a value, not a table.")
    table[parts[-1]] = value


def _build(config_type: Any, values: Any, source: str, prefix: str) -> Any:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{source}: '{prefix.rstrip('.')}' must be a table, found {values!r}.")
    fields = {field.name: field for field in dataclasses.fields(config_type) if field.init}
    hints = typing.get_type_hints(config_type)
    arguments: dict[str, Any] = {}
    for key, value in values.items():
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f" Did you mean '{prefix}{near[0]}'?" if near else f" Known: {', '.join(fields)}."
            raise ConfigError(f"{source}: unknown key '{prefix}{key}'.{hint}")
        arguments[key] = _convert(hints[key], value, source, f"{prefix}{key}")
    try:
        return config_type(**arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{source}: {prefix.rstrip('.') or config_type.__name__}: {error}") from error


def _convert(hint: Any, value: Any, source: str, key: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, source, f"{key}.")
    if origin in (typing.Union, types.UnionType):
        inner = [argument for argument in arguments if argument is not type(None)]
        return None if value is None else _convert(inner[0], value, source, key)
    if origin is typing.Literal:
        if value not in arguments:
            raise ConfigError(f"{source}: {key} must be one of {arguments}, found {value!r}.")
        return value
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise ConfigError(f"{source}: {key} must be a list, found {value!r}.")
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_convert(arguments[0], item, source, key) for item in value)
        if len(value) != len(arguments):
            raise ConfigError(f"{source}: {key} needs {len(arguments)} values, found {value!r}.")
        pairs = zip(arguments, value, strict=True)
        return tuple(_convert(item_hint, item, source, key) for item_hint, item in pairs)
    if origin in (dict, Mapping) or getattr(origin, "__name__", "") == "Mapping":
        if not isinstance(value, Mapping):
            raise ConfigError(f"{source}: {key} must be a table, found {value!r}.")
        item_hint = arguments[1]
        return {str(name): _convert(item_hint, item, source, f"{key}.{name}") for name, item in value.items()}
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if isinstance(hint, type) and type(value) is not hint:
        raise ConfigError(f"{source}: {key} must be {hint.__name__}, found {value!r}.")
    return value
