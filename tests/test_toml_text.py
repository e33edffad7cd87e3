"""Recipes and --set that are no settings: one sentence each, soon, and without much memory."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from siman_synth.config import load_config
from siman_synth.errors import ConfigError
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.toml_text import MOST_BYTES

DEEP = 50_000


def message_of(load: Callable[[], object]) -> str:
    with pytest.raises(ConfigError) as caught:
        load()
    message = str(caught.value)
    assert len(message) < 500
    assert "\n" not in message
    return message


def from_recipe(tmp_path: Path, content: bytes) -> GenerateConfig:
    recipe = tmp_path / "recipe.toml"
    recipe.write_bytes(content)
    return load_config(GenerateConfig, recipe)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert from_recipe(tmp_path, b"\xef\xbb\xbfheight_px = 48\n").height_px == 48


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"height_px = " + b"[" * DEEP, "is not valid TOML: it is nested too deeply."),
        (b"height_px = " + b"{a=" * 15_000, "is not valid TOML: it is nested too deeply."),
        (b".".join([b"a"] * 30_000) + b" = 1", "is not valid TOML: a line has more than 1000 dots."),
        (
            b"height_px = " + b"9" * 5000,
            "is not valid TOML: Exceeds the limit (4300 digits) for integer string",
        ),
        (b"height_px = 1" + b"0" * 400, "between 16 and 128, found 1000000000"),
        (b"height_px = 1979-05-27", "height_px must be a whole number, found datetime.date(1979, 5, 27)."),
        (b"height_px = \xff", "is not valid TOML: byte 0xff at position 12 is not UTF-8."),
        (b"\xff\xfeh\0e\0", "is not valid TOML: byte 0xff at position 0 is not UTF-8."),
        (b"text = 3", "'text' must be a table, found 3."),
        (b"height_px = '" + b"x" * 60_000 + b"'", "height_px must be a whole number, found 'xxx"),
        (b"a" * 60_000 + b" = 1", "unknown key 'aaa"),
        (b"text." + b".".join([b"a"] * 900) + b" = 1", "unknown key 'text.a'"),
        (b"\0", "is not valid TOML: Invalid statement"),
    ],
    ids=range(13),
)
def test_recipes_that_are_none(tmp_path: Path, content: bytes, reason: str) -> None:
    assert reason in message_of(lambda: from_recipe(tmp_path, content))


def test_a_huge_recipe_is_not_read(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.touch()
    os.truncate(recipe, 100 << 20)
    assert f"is longer than {MOST_BYTES} bytes" in message_of(lambda: load_config(GenerateConfig, recipe))


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("height_px=" + "[" * DEEP, "is no value: it is nested too deeply."),
        ("height_px=" + "9" * 5000, "is no value: Exceeds the limit (4300 digits)"),
        ("height_px=" + "x" * 60_000, "height_px must be a whole number, found 'xxx"),
        ("height_px=" + "x" * 70_000, "Override: a value of 70000 characters is no setting's."),
        (".".join(["text"] * 60_000) + "=1", "unknown key 'text.text'"),
        ("height_px={" + ".".join(["a"] * 30_000) + "=1}", "a line has more than 1000 dots."),
        ("x" * 60_000, "A setting is changed by KEY=VALUE, such as training.steps=500; found 'xxx"),
        ("height_px=" + os.fsdecode(b"\xe9\x1b"), "height_px must be a whole number, found '\\udce9\\x1b'."),
        (os.fsdecode(b"\xe9\x1b") + "=3", "unknown key '\\xe9\\x1b'"),
    ],
    ids=range(9),
)
def test_overrides_that_are_none(override: str, reason: str) -> None:
    assert reason in message_of(lambda: load_config(GenerateConfig, overrides=[override]))
