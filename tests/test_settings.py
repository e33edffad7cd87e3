"""Every setting of every configuration: whatever it is given works, or is refused with its name."""

import dataclasses
import math
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from siman_synth.config import from_mapping, load_config, to_mapping, to_toml
from siman_synth.errors import ConfigError
from siman_synth.limits import LARGEST, Between, check_settings, field_types, limits_of
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.recognizer_training.config import RecognizerTrainingConfig
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.gate import GateConfig

CONFIGS = (GenerateConfig, PretrainConfig, RecognizerTrainingConfig)
NUMBERS = (int, float)
ODD_NUMBERS = {
    "nan": math.nan, "inf": math.inf, "-inf": -math.inf, "1e308": 1e308, "-1e308": -1e308,
    "1e999": 1e999, "1" + "0" * 30: 10**30, "-1" + "0" * 30: -(10**30), "9" * 400: int("9" * 400),
}  # fmt: skip


def settings(config_type: type[Any], prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield name, type and default of every setting."""
    config = config_type()
    for name, hint in field_types(config_type).items():  # type: ignore[arg-type]
        if dataclasses.is_dataclass(hint):
            assert isinstance(hint, type)
            yield from settings(hint, f"{prefix}{name}.")
        else:
            yield prefix + name, hint, getattr(config, name)


def plain(hint: Any) -> Any:
    """Return a type without its limits: int, float, a tuple of them, or something else."""
    if typing.get_origin(hint) is Annotated:
        return plain(typing.get_args(hint)[0])
    if typing.get_origin(hint) is tuple:
        return (plain(typing.get_args(hint)[0]),)
    return hint


ALL = [
    pytest.param(config_type, name, hint, default, id=f"{config_type.__name__}-{name}")
    for config_type in CONFIGS
    for name, hint, default in settings(config_type)
]
NUMERIC = [one for one in ALL if plain(one.values[2]) in (*NUMBERS, *((kind,) for kind in NUMBERS))]


def refusal(config_type: type[Any], name: str, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(config_type, overrides=[f"{name}={text}"])
    message = str(caught.value)
    owner, _, last = name.rpartition(".")
    assert message.startswith(
        (
            f"defaults and overrides: {name} ",
            f"defaults and overrides: {name}.",
            f"defaults and overrides: {owner}: {last} ",
        )
    )
    assert message.endswith(".")
    assert len(message) < 250
    assert "\n" not in message
    return message


def around(default: Any, text: str) -> str:
    """Return a value as TOML: for a list, at each of its places in turn the odd one."""
    return f"[{', '.join([text] * max(1, len(default)))}]" if isinstance(default, tuple) else text


def test_there_are_as_many_settings_as_one_thinks() -> None:
    assert len(ALL) > 80
    assert len(NUMERIC) > 65


@pytest.mark.parametrize(("config_type", "name", "hint", "default"), NUMERIC)
def test_numbers_that_are_not_finite_or_enormous(
    config_type: type[Any], name: str, hint: Any, default: Any
) -> None:
    for text, number in ODD_NUMBERS.items():
        message = refusal(config_type, name, around(default, text))
        if plain(hint) in (float, (float,)) and number in (math.inf, -math.inf):
            assert "must be a finite number" in message


@pytest.mark.parametrize(("config_type", "name", "hint", "default"), NUMERIC)
def test_other_types_are_no_numbers(config_type: type[Any], name: str, hint: Any, default: Any) -> None:
    for text in ("true", "'1'", "[]", "{}", "[[1]]", "1979-05-27", "''"):
        refusal(config_type, name, around(default, text))
        if isinstance(default, tuple) and (text != "[]" or default):
            refusal(config_type, name, text)
    if plain(hint) in (int, (int,)):
        refusal(config_type, name, around(default, "1.0"))


@pytest.mark.parametrize(("config_type", "name", "hint", "default"), ALL)
def test_the_default_and_both_limits_work(config_type: type[Any], name: str, hint: Any, default: Any) -> None:
    values: list[Any] = [default]
    refused: list[Any] = []
    limits = limits_of(hint)
    if limits is not None:
        values += [
            (end,) * len(default) if isinstance(default, tuple) else end for end in limits_ends(limits)
        ]
    for value in values:
        table: Any = list(value) if isinstance(value, tuple) else value
        for part in reversed(name.split(".")):
            table = {part: table}
        try:
            config = from_mapping(config_type, table, "test")
        except ConfigError:  # for the sake of a setting beside it, or of several together
            refused.append(value)
        else:
            assert load_again(config) == config
    assert default not in refused


def limits_ends(limits: Between) -> tuple[float, float]:
    return limits.least, limits.most


def load_again(config: Any) -> Any:
    return from_mapping(type(config), to_mapping(config), "again")


@pytest.mark.parametrize(("config_type", "name", "hint", "default"), ALL)
def test_what_is_no_number_refuses_other_types(
    config_type: type[Any], name: str, hint: Any, default: Any
) -> None:
    if plain(hint) is bool:
        for text in ("1", "0", "'true'", "nan", "[true]"):
            assert "must be true or false, found" in refusal(config_type, name, text)
    elif typing.get_origin(hint) is Literal:
        for text in ("1", "true", "nan", "'other'", "[]", "{}"):
            assert "must be one of" in refusal(config_type, name, text)
    elif plain(hint) is str:
        for text in ("1", "true", "nan", "[]", "{}"):
            assert "must be a text, found" in refusal(config_type, name, text)
    elif plain(hint) == (str,):
        for text in ("1", "true", "nan", "'text'", "[1]", "[[]]", "{}"):
            refusal(config_type, name, text)
        assert load_again(load_config(config_type, overrides=[name + "=['one', 'other']"]))
    elif typing.get_origin(hint) is Mapping:
        for text in ("1", "true", "'text'", "[1]"):
            assert "must be a table, found" in refusal(config_type, name, text)
        for text in (
            "{ Lato = 'much' }",
            "{ Lato = -1 }",
            "{ Lato = nan }",
            "{ Lato = [1] }",
            "{ Lato = {} }",
        ):
            assert f" {name}.Lato must be " in refusal(config_type, name, text)
        assert load_again(load_config(config_type, overrides=[name + "={ Lato = 2, 'Open Sans' = 0.5 }"]))
    else:
        assert plain(hint) in (*NUMBERS, *((kind,) for kind in NUMBERS)), "a kind of setting without a test"


@pytest.mark.parametrize(("config_type", "name", "hint", "default"), NUMERIC)
def test_a_configuration_made_in_python_is_checked_too(
    config_type: type[Any], name: str, hint: Any, default: Any
) -> None:
    if config_type is PretrainConfig and not name.startswith(("model.", "discriminator.")):
        pytest.skip("checked as it is loaded")
    owner = config_type()
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    for odd in (math.nan, 10**400, True, "1"):
        value = (odd,) * max(1, len(default)) if isinstance(default, tuple) else odd
        with pytest.raises(ConfigError, match=f"^{last} must be ") as caught:
            dataclasses.replace(owner, **{last: value})
        assert len(str(caught.value)) < 250


def test_what_the_sentences_say() -> None:
    for setting, sentence in {
        "gate.min_contrast=nan": "gate.min_contrast must be a finite number, found nan.",
        "gate.edits=true": "gate.edits must be a whole number, found True.",
        "gate.edits=1.0": "gate.edits must be a whole number, found 1.0.",
        "gate.ink=1": "gate.ink must be true or false, found 1.",
        "style.balance=2": "style.balance must be between 0 and 1, found 2.0.",
        "height_px=30": "height_px must be a multiple of 4, between 16 and 128, found 30.",
        "finish.noise_sigma=[0, inf]": "finish.noise_sigma must be a finite number, found inf.",
        "finish.noise_sigma=[9, 1]": "finish.noise_sigma must be two values from 0 to 100, low then high, "
        "found (9.0, 1.0).",
        "finish.noise_sigma=3": "finish.noise_sigma must be a list, found 3.",
        "finish.noise_sigma=[1, 2, 3]": "finish.noise_sigma needs 2 values, found (1.0, 2.0, 3).",
        "text=3": "'text' must be a table, found 3.",
    }.items():
        with pytest.raises(ConfigError) as caught:
            load_config(GenerateConfig, overrides=[setting])
        assert str(caught.value) == f"defaults and overrides: {sentence}"


def test_numbers_and_lists_that_no_recipe_needs(tmp_path: Path) -> None:
    recipe = tmp_path / "huge.toml"
    for text in (f"height_px = {'9' * 5000}", f"height_px = {'[' * 10_000}"):
        recipe.write_text(text)
        with pytest.raises(ConfigError, match=r"^Recipe .* is not valid TOML: .*\.$"):
            load_config(GenerateConfig, recipe)


def test_what_is_written_is_read_again() -> None:
    for config_type in CONFIGS:
        assert load_again(config_type()) == config_type()
        assert "nan" not in to_toml(config_type())


def test_a_field_without_limits_is_finite_and_bounded() -> None:
    @dataclasses.dataclass(frozen=True)
    class Plain:
        count: int = 0
        factor: float = 0.0

    check_settings(Plain(LARGEST, -LARGEST))
    for wrong in (Plain(LARGEST + 1), Plain(0, 1e17), Plain(0, math.nan)):
        with pytest.raises(ConfigError, match="must be"):
            check_settings(wrong)


def test_lists_made_in_python_are_no_tuples() -> None:
    with pytest.raises(ConfigError, match=r"^min_contrast must be a number, found \[1\]\.$"):
        GateConfig(min_contrast=[1])  # type: ignore[arg-type]
