"""A fitted model as one folder: recipe, words, crops and weights under one name for `generate --model`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from siman_synth.errors import ConfigError
from siman_synth.fitting.folder import MODEL, RECIPE, WEIGHTS
from siman_synth.toml_text import read_toml


@dataclass(frozen=True, slots=True)
class Model:
    """What a fit left, by name, as a generation run takes it."""

    recipe: Path
    corpus: tuple[str, ...]
    styles: tuple[str, ...]
    """Its crops."""
    fonts: tuple[str, ...]
    weights: Path | None
    """None for the bundled ones."""

    @classmethod
    def open(cls, folder: str | Path) -> "Model":
        """Read the folder that `siman-synth fit` wrote.

        Raises:
            ConfigError: it is no such folder, its search is not finished, or its file is damaged.
        """
        path = Path(folder)
        if not path.is_dir():
            raise ConfigError(f"No model at {path}: there is no such folder. Make one with siman-synth fit.")
        if not (path / MODEL).is_file() or not (path / RECIPE).is_file():
            raise ConfigError(
                f"{path} holds no model: {MODEL} and {RECIPE} are needed. Make one with "
                "siman-synth fit, or resume the one that was stopped."
            )
        values = read_toml(path / MODEL)
        unknown = sorted(values.keys() - {"crops", "corpus", "fonts", "weights"})
        if unknown:
            raise ConfigError(
                f"{path / MODEL}: unknown key '{unknown[0]}'. Known: crops, corpus, fonts, weights."
            )
        weights = values.get("weights")
        return cls(
            recipe=path / RECIPE,
            corpus=_texts(path, values, "corpus"),
            styles=_texts(path, values, "crops"),
            fonts=_texts(path, values, "fonts"),
            weights=None if weights is None else path / _text(path, values, "weights"),
        )


def model_text(crops: Sequence[str], corpus: Sequence[str], fonts: Sequence[str], has_weights: bool) -> str:
    """Return the file that `Model.open` reads."""
    values: dict[str, Any] = {"crops": list(crops), "corpus": list(corpus), "fonts": list(fonts)}
    if has_weights:
        values["weights"] = WEIGHTS
    heading = f"# What `siman-synth generate` takes as its model; {RECIPE} beside it has the settings."
    return f"{heading}\n{tomli_w.dumps(values)}"


def _text(path: Path, values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise ConfigError(f"{path / MODEL}: {name} must be a text, found {value!r}.")
    return value


def _texts(path: Path, values: dict[str, Any], name: str) -> tuple[str, ...]:
    value = values.get(name)
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise ConfigError(f"{path / MODEL}: {name} must be a list of texts, found {value!r}.")
    return tuple(value)
