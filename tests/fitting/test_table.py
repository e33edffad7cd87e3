"""The table of what is fitted: every entry names settings that exist, and every point of it is a recipe."""

from pathlib import Path

import numpy as np
import pytest

from siman_synth.config import from_mapping, to_mapping
from siman_synth.fitting.belief import Belief, belief_of
from siman_synth.fitting.recipe import RUN_CHOICES, flat_settings, recipe_of, recipe_text, settings_of
from siman_synth.fitting.simulation import settled, with_settings
from siman_synth.fitting.table import CORPORA, SETTINGS, Range, Share, Table, Weights
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.text.casing import CaseConfig
from siman_synth.text.mixture import CorpusMixture

FAMILIES_ENTRY = "render.families"
FAMILIES = {"Roboto": "sans", "Open Sans": "sans", "Lobster": "script"}
SOURCES = {"english": "words", "numbers": "numbers"}
TABLE = Table.of(FAMILIES, SOURCES)
BASE = to_mapping(GenerateConfig())
NAMES = dict(flat_settings(BASE))


@pytest.mark.parametrize("entry", SETTINGS, ids=lambda entry: entry.name)
def test_every_point_of_an_entry_is_a_recipe(entry: Range | Share | Weights) -> None:
    units = range(len(entry.choices)) if isinstance(entry, Weights) else (0.0, 0.31, 1.0)
    for unit in units:
        settings = entry.settings(unit)
        assert settings.keys() <= NAMES.keys()
        config = from_mapping(GenerateConfig, with_settings(BASE, settings), "a point")
        found = dict(flat_settings(to_mapping(config)))
        for name, value in settings.items():
            assert found[name] == (list(value) if isinstance(value, tuple) else value)
    if entry.given is not None:
        other = TABLE[entry.given.entry]
        assert entry.given.choice in (other.choices if isinstance(other, Weights) else ("yes",))


@pytest.mark.parametrize(
    "entry", [one for one in SETTINGS if isinstance(one, Range)], ids=lambda one: one.name
)
def test_a_place_in_a_range_and_its_number_belong_together(entry: Range) -> None:
    assert entry.value(0.0) == entry.low
    assert entry.value(1.0) == entry.high
    for unit in np.linspace(0, 1, 7):
        assert entry.value(entry.unit(entry.value(unit))) == entry.value(unit)
    assert entry.value(-3.0) == entry.low
    assert entry.unit(1e6) == pytest.approx(1.0)


def test_a_recipe_says_what_is_believed_and_reads_back() -> None:
    belief = Belief.wide(TABLE).draw(1, np.random.default_rng(0), 0.5)
    assert belief.shape == (1, len(TABLE.entries))
    wide = belief_of(BASE, TABLE, Belief.wide(TABLE))
    values = list(wide.values)
    values[TABLE.column("render.families")] = np.array([0.7, 0.2995, 0.0005])
    values[TABLE.column("corpus")] = np.array([0.25, 0.75])
    values[TABLE.column("text.case")] = np.array([0.45, 0.05, 0.3, 0.2])
    values[TABLE.column("render.framing.vertical")] = np.array([0.25, 0.75])
    believed = Belief(TABLE, tuple(values))
    before = {"english": 3.0, "numbers": 1.0}
    options = {"style.balance": 0.0, "finish.match_sharpness": 1.0}
    recipe = recipe_of(believed, GenerateConfig(), options, before)
    # Half of the words come from the lists as they were weighed before, and in the letter case as before.
    assert recipe.corpora == {"english": 0.5, "numbers": 0.5}
    assert recipe.config.text.case == CaseConfig(as_is=0.3, lower=0.1, upper=0.4, capitalized=0.2)
    render = recipe.config.render
    assert render.families.keys() == {"Roboto", "Open Sans"}  # what hardly ever comes is left out
    assert render.families["Roboto"] / render.families["Open Sans"] == pytest.approx(0.7 / 0.2995, rel=0.01)
    assert render.other_families == 0
    assert render.framing.vertical == (0.06, 0.22)
    assert recipe.config.style.balance == 0
    assert recipe.config.text.fit_lines
    # What is not in the belief's way stays as the default has it.
    assert render.layout.curved.arc_deg == GenerateConfig().render.layout.curved.arc_deg
    text = recipe_text(recipe, settings_of(TABLE), "A heading")
    import tomllib

    assert from_mapping(GenerateConfig, tomllib.loads(text), "the text") == recipe.config
    assert "# margins at top and bottom: [0.0, 0.2] before" in text
    assert text.startswith("# A heading\n")
    assert all(len(line.split(" #")) == 2 for line in text.splitlines() if " = " in line)


def test_a_belief_of_the_default_recipe_says_what_it_says() -> None:
    found = belief_of(BASE, TABLE, Belief.wide(TABLE))
    layouts = found["render.layout"]
    weights = [BASE["render"]["layout"][kind]["weight"] for kind in TABLE.choices("render.layout")]
    np.testing.assert_allclose(layouts, np.array(weights) / sum(weights))
    np.testing.assert_allclose(found["render.relief"], [1, 0, 0, 0])
    entry = TABLE["finish.noise_sigma"]
    assert isinstance(entry, Range)
    assert [entry.value(end) for end in found["finish.noise_sigma"]] == [0.0, 3.0]


def test_what_the_words_say_is_not_fitted(tmp_path: Path) -> None:
    lines, words = tmp_path / "lines.txt", tmp_path / "words.txt"
    lines.write_text("CASH\nThank You\n", encoding="utf-8")
    words.write_text("cash\nchange\n", encoding="utf-8")
    for specs, found in (
        (["english", "numbers"], set()),
        (["english:0.9", "numbers"], {CORPORA}),
        (["numbers"], {CORPORA, "text.case"}),
        ([str(words)], {CORPORA}),
        ([str(words), str(lines)], set()),
        ([str(lines), "numbers"], {"text.case"}),
        ([f"{lines}:0.4"], {CORPORA, "text.case"}),
    ):
        assert settled(specs, CorpusMixture.open(specs)) == found, specs
    table = Table.of(FAMILIES, SOURCES, {CORPORA, "text.case"})
    assert len(table.entries) == len(TABLE.entries) - 2
    assert (CORPORA in table, CORPORA in TABLE) == (False, True)
    given = {"english": 0.3, "numbers": 0.7}
    recipe = recipe_of(belief_of(BASE, table, Belief.wide(table)), GenerateConfig(), {}, given)
    assert recipe.corpora == given
    assert recipe.config.text.case == GenerateConfig().text.case


def test_settings_of_a_whole_run_exist() -> None:
    assert RUN_CHOICES.keys() <= NAMES.keys()


def test_entries_go_together_in_any_point() -> None:
    for point in Belief.wide(TABLE).draw(150, np.random.default_rng(2), 0.5):
        settings: dict[str, object] = {}
        for entry, unit in zip(TABLE, point, strict=True):
            if entry.name not in (FAMILIES_ENTRY, CORPORA):
                settings |= entry.settings(float(unit))
        from_mapping(GenerateConfig, with_settings(BASE, settings), "a point")
