"""Write `docs/recipes.md`: every setting with its default, taken from the dataclasses.

    python docs/make_recipes.py

The meaning of a setting is the docstring below its field, so there is nothing to keep in step
by hand. `tests/test_docs.py` fails when the page is out of date.
"""

import ast
import dataclasses
import inspect
import json
import textwrap
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from siman_synth.limits import field_types, limits_of
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.recognizer_training.config import RecognizerTrainingConfig
from siman_synth.resources import resource_folder
from siman_synth.synthesis.config import GenerateConfig

PAGE = Path(__file__).resolve().parent / "recipes.md"

INTRO = """\
# Recipes and settings

<!-- Written by docs/make_recipes.py. Change the docstrings in the code, then run it again. -->

A recipe is a TOML file that sets some of the values below; what it leaves out keeps its default.
Later wins: defaults, then `--recipe NAME|FILE`, then `--set KEY=VALUE` (as often as you like).

```toml
# mine.toml
[render.layout]
curved.weight = 0.3

[finish]
jpeg_quality = [40, 90]
```

```console
$ siman-synth generate --n 1000 --out words --recipe mine.toml --set finish.image_format=png
```

- `--dry-run` checks the inputs, prints every resolved value, and stops.
- An unknown key, a value of the wrong type or out of range is an error that names the key.
- Weights are relative: they need not add up to 1, and 0 turns a choice off.
- What was used is written beside the output (`OUT.config.toml`, or `OUT/config.toml` for
  `pretrain`), and such a file is itself a recipe.
- Paths, count, seed and device are options of the command line, not settings: see
  [cli.md](cli.md).
"""


def document() -> str:
    """Return the whole page."""
    parts = [INTRO]
    for title, command, config_type, folder in (
        ("Settings of `generate`", "generate", GenerateConfig, "recipes"),
        ("Settings of `pretrain`", "pretrain", PretrainConfig, "pretrain/recipes"),
        ("Settings of `recognizer train`", "recognizer train", RecognizerTrainingConfig, "recognizers"),
    ):
        parts.append(f"## {title}\n\n{_bundled(command, folder)}\n")
        parts.extend(_tables(config_type, ""))
    return "\n".join(parts)


def _bundled(command: str, folder: str) -> str:
    lines = [f"Bundled recipes (`siman-synth {command} --recipe NAME`):", ""]
    for path in sorted(resource_folder(folder).glob("*.toml")):
        lines.append(f"- `{path.stem}`: {_opening_comment(path)}")
    return "\n".join(lines)


def _opening_comment(path: Path) -> str:
    words = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        words.append(line.lstrip("# "))
    return " ".join(words)


def _tables(config_type: type[Any], prefix: str) -> Iterator[str]:
    """Yield a table of the plain fields of `config_type`, then those of the configurations in it."""
    meanings, hints = field_docstrings(config_type), typing.get_type_hints(config_type)
    limited = field_types(config_type)  # type: ignore[arg-type]
    fields = dataclasses.fields(config_type)
    plain = [field for field in fields if not _is_table(hints[field.name])]
    if plain:
        heading = f"`[{prefix.rstrip('.')}]`" if prefix else "At the top of the file"
        lines = [f"### {heading}", "", inspect.getdoc(config_type) or "", ""]
        lines += ["| setting | default | limits | meaning |", "|---|---|---|---|"]
        for field in plain:
            choices = typing.get_args(hints[field.name]) if _is_literal(hints[field.name]) else ()
            listed = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
            meaning = (meanings[field.name] + listed).replace("|", "\\|")
            limits = _limits(limited[field.name])
            lines.append(f"| `{prefix}{field.name}` | `{_toml_value(field)}` | {limits} | {meaning} |")
        yield "\n".join(lines) + "\n"
    for field in fields:
        if field not in plain:
            yield from _tables(hints[field.name], f"{prefix}{field.name}.")


def field_docstrings(config_type: type[Any]) -> dict[str, str]:
    """Return the docstring below each field, on one line.

    Raises:
        ValueError: a plain field has none.
    """
    found: dict[str, str] = {}
    for owner in reversed(config_type.__mro__):  # what a class inherits is explained where it comes from
        if dataclasses.is_dataclass(owner):
            found |= _docstrings_in(owner)
    hints = typing.get_type_hints(config_type)
    # A table says itself what it is for.
    plain = {field.name for field in dataclasses.fields(config_type) if not _is_table(hints[field.name])}
    missing = plain - found.keys()
    if missing:
        raise ValueError(f"{config_type.__name__}: no docstring below {', '.join(sorted(missing))}.")
    return found


def _docstrings_in(config_type: type[Any]) -> dict[str, str]:
    source = textwrap.dedent(inspect.getsource(config_type))
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            found[statement.target.id] = " ".join(str(following.value.value).split())
    return found


def _is_table(hint: Any) -> bool:
    return dataclasses.is_dataclass(hint)


def _is_literal(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.Literal


def _limits(hint: Any) -> str:
    limits = limits_of(hint)
    return "" if limits is None else f"{limits.least} to {limits.most}"


def _toml_value(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if value is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    # JSON and TOML write booleans, numbers, strings and lists alike.
    return json.dumps(list(value) if isinstance(value, tuple) else value)


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
    print(f"{PAGE.name} written.")
