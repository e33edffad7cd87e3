"""From what is believed of a domain to a recipe, and the recipe as a file that people can read."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tomli_w

from siman_synth.config import from_mapping, to_mapping
from siman_synth.fitting.belief import Belief
from siman_synth.fitting.simulation import AS_SIMULATED, Recipe, with_settings
from siman_synth.fitting.table import CASE, CORPORA, FAMILIES, Entry, Range, Share, Weights
from siman_synth.synthesis.config import GenerateConfig

RUN_CHOICES: dict[str, tuple[float, ...]] = {
    "style.balance": (0.0, 0.5),
    "finish.match_sharpness": (0.0, 1.0),
}
"""Settings of a whole run, which no single image shows: the search tries each of these."""
SCENE_SHARE = "scene_share"
"""The share of words that are drawn as the recipe `scene` draws them."""

KEPT_OF_WORDS = 0.5
"""The share of the words that come from lists and in letter case as before. A recognizer learns rare
characters from all that it sees of them: where one word in twelve had a digit, as on the signs that were
fitted, it read a third less of such words than where one in four had (benchmarks/RESULTS.md)."""

_LEAST_SHARE = 0.002
"""Choices that come less often are left out."""
_COMMENT_AT = 46


def recipe_of(
    belief: Belief, base: GenerateConfig, options: Mapping[str, float], corpora: Mapping[str, float]
) -> Recipe:
    """Return the recipe that draws what is believed; what is not fitted is as in `base` and `corpora`."""
    flat: dict[str, Any] = dict(AS_SIMULATED)
    for entry, value in zip(belief.table, belief.values, strict=True):
        if isinstance(entry, Range):
            flat[entry.setting] = (entry.value(0.0 if entry.is_most else value[0]), entry.value(value[1]))
        elif isinstance(entry, Share):
            flat[entry.setting] = round(float(value[0]), 3)
        else:
            shares = _shares(entry, value)
            if entry.name == CASE:
                shares = half_way(shares, {case: getattr(base.text.case, case) for case in shares})
            if entry.name == CORPORA:
                halved = half_way(shares, corpora)
                corpora = {name: share for name, share in halved.items() if share}
            elif entry.name == FAMILIES:
                # Factors about 1, so that they are easy to read and to change.
                flat[FAMILIES] = {
                    name: round(share * sum(map(bool, shares.values())), 3)
                    for name, share in shares.items()
                    if share
                }
            else:
                flat |= {
                    entry.choices[choice]: share for choice, share in shares.items() if entry.choices[choice]
                }
    for name in (*RUN_CHOICES, SCENE_SHARE):
        if name in options:
            # A mean of trials is between yes and no.
            flat[name] = options[name] > 0.5 if name.startswith("finish") else options[name]
    config = from_mapping(GenerateConfig, with_settings(to_mapping(base), flat), "the recipe that was found")
    return Recipe(config, corpora)


def half_way(found: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    """Return shares of words as a recipe has them: half as found, half as before."""
    kept, total = KEPT_OF_WORDS, sum(before.values())
    return {name: round((1 - kept) * found[name] + kept * before[name] / total, 4) for name in found}


def _shares(entry: Weights, value: Any) -> dict[str, float]:
    kept = np.where(value >= min(_LEAST_SHARE, value.max()), value, 0.0)
    return {
        choice: round(float(share), 4) for choice, share in zip(entry.choices, kept / kept.sum(), strict=True)
    }


def recipe_text(recipe: Recipe, entries: Mapping[str, Entry], heading: str) -> str:
    """Return the recipe as TOML, with what each line is beside it.

    Args:
        recipe: what was found.
        entries: the fitted entry of each setting.
        heading: what stands above, a line each.
    """
    usual = dict(flat_settings(to_mapping(GenerateConfig())))
    found = dict(flat_settings(to_mapping(recipe.config)))
    changed = {name: value for name, value in found.items() if value != usual.get(name)}
    lines = [f"# {line}" if line else "#" for line in heading.splitlines()]
    top = {name: value for name, value in changed.items() if "." not in name}
    lines += ["", *(_line(name, value, "") for name, value in top.items())] if top else []
    for table in dict.fromkeys(name.split(".")[0] for name in changed if "." in name):
        lines += ["", f"[{table}]"]
        inside = {name: value for name, value in changed.items() if name.startswith(f"{table}.")}
        for name, value in inside.items():
            if name != FAMILIES:
                lines.append(_line(name.removeprefix(f"{table}."), value, _said(name, usual, entries)))
    if FAMILIES in changed:
        lines += ["", f"[{FAMILIES}]  # factors; the most frequent first"]
        weights = sorted(changed[FAMILIES].items(), key=lambda one: (-one[1], one[0]))
        total = sum(weight for _, weight in weights)
        lines += [_line(_key(name), weight, f"{weight / total:.1%}") for name, weight in weights]
    return "\n".join(lines) + "\n"


def flat_settings(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (full name, value) of nested settings; the weights of families stay together."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and name != FAMILIES:
            yield from flat_settings(value, f"{name}.")
        else:
            yield name, value


def _said(name: str, usual: Mapping[str, Any], entries: Mapping[str, Entry]) -> str:
    entry = entries.get(name)
    before = usual.get(name)
    shown = _value(before) if before is not None else "none"
    return f"{entry.shown}: {shown} before" if entry is not None else f"{shown} before"


def _line(key: str, value: Any, comment: str) -> str:
    text = f"{key} = {_value(value)}"
    return f"{text:<{_COMMENT_AT}} # {comment}" if comment else text


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return tomli_w.dumps({"x": value}).removeprefix("x = ").strip()


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("-", "").isalnum() else f'"{name}"'


def settings_of(table: Any) -> dict[str, Entry]:
    """Return the entry of each setting of a table."""
    found: dict[str, Entry] = {}
    for entry in table:
        names = entry.choices.values() if isinstance(entry, Weights) else [entry.setting]
        found |= dict.fromkeys([name for name in names if name], entry)
    return found
