"""A fit from end to end, as small as it can be: the same seed, the same recipe, stopped or not."""

import json
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner

from siman_synth.cli import main
from siman_synth.config import load_config
from siman_synth.errors import ConfigError, CropError, OutputError
from siman_synth.files import content_hash
from siman_synth.fitting.model import Model
from siman_synth.fitting.result import FitResult
from siman_synth.fitting.run import fit
from siman_synth.fitting.search import Effort, best_of, score
from siman_synth.fitting.store import Trial
from siman_synth.synthesis.config import GenerateConfig
from tests.drawn_crops import drawn_crop
from tests.fitting.domain import NARROW

EFFORT = Effort(first_round=16, round=8, trials_a_round=1, words=(8, 16))
"""Two trials then have two rounds of simulated images, and each may be judged in two steps."""


def test_a_score_is_a_share_of_what_it_was() -> None:
    before = {"imagenet": 0.4, "ocr": 0.2, "spectrum": 2.0, "looks": 0.5}
    assert score(before, before) == pytest.approx(1)
    assert score({**before, "imagenet": -0.1}, before) == pytest.approx(4 / 6)
    assert score({"imagenet": 0.2, "looks": 0.5}, before) == pytest.approx((2 * 0.5 + 1) / 3)


def test_the_best_trials_are_five_at_most_and_none_where_chance_decides() -> None:
    def best(*scores: float, few: tuple[int, ...] = ()) -> list[int]:
        found = [Trial(0, {}, [], 360, {}, {}, 1.0)]
        for number, scored in enumerate(scores, 1):
            words = 120 if number in few else 360
            found.append(Trial(number, {}, NARROW.to_json(), words, {}, {}, scored))
        return [one.number for one in best_of(found)]

    assert best(0.50, 0.54, 0.52) == [1, 3, 2]
    assert best(0.50, 0.54, 0.52, few=(1,)) == [3, 2]  # judged by too few words
    assert best(0.9, 0.5, 0.8, 0.6, 0.4, 0.7) == [5, 2, 4, 6, 3]
    assert best(0.50, 1.01) == [1]  # worse than the default recipe
    assert best(1.10, 1.01) == best(0.98) == [0]


def test_what_was_learned_by_heart_is_told() -> None:
    before, floor = {"imagenet": 1.0, "ocr": 1.0}, {"imagenet": 0.0, "ocr": 0.01}

    def warnings(guide: float, checked: float) -> list[str]:
        after = {"imagenet": checked, "ocr": 0.5}
        guiding = {"imagenet": guide, "ocr": 0.5}
        return FitResult(Path("x"), 3, (1,), before, after, before, guiding, floor).warnings()

    assert warnings(0.3, 0.32) == []
    assert "30% of the distance to the crops that guided, 60% to the others" in warnings(0.3, 0.6)[0]
    assert "farther from the crops than before" in warnings(0.3, 1.2)[0]


def test_painting_that_is_most_of_the_distance_is_told() -> None:
    def hints(painting: dict[str, float]) -> list[str]:
        after = {"imagenet": 0.2, "ocr": 0.5}
        return FitResult(Path("x"), 3, (1,), after, after, after, after, {}, painting).hints()

    assert hints({}) == hints({"imagenet": 0.09, "ocr": 0.9}) == hints({"imagenet": -0.01}) == []
    assert "merely repaint are 154 away" in hints({"imagenet": 0.154, "ocr": 0.03})[0]


def test_what_was_taken_is_told() -> None:
    def told(*of: int) -> str:
        distance = {"imagenet": 0.5}
        return FitResult(Path("x"), 6, of, distance, distance, distance, distance, distance).to_text()

    assert told(4, 2, 5).startswith("6 recipes tried (mean of the best 3: 4, 2, 5); distance")
    assert told(4).startswith("6 recipes tried (the best: 4); distance")
    assert told(0).startswith("6 recipes tried; distance")
    assert "the folder holds that one" in told(0)
    assert "the folder holds that one" not in told(4)


def test_budgets_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    for budget, problem in (
        ({"minutes": 0.0}, "minutes must be more than 0, found 0.0."),
        ({"trials": 0}, "trials must be a whole number of 1 or more, found 0."),
        ({"pretrain_steps": -1}, "pretrain_steps must be 0 or more, found -1."),
    ):
        with pytest.raises(ConfigError, match=problem):
            fit(tmp_path, tmp_path / "mine", **budget)  # type: ignore[arg-type]


def test_too_few_crops_and_an_output_among_them(
    crop_folder: Path, tiny_weights: Path, tmp_path: Path
) -> None:
    pytest.importorskip("optuna")
    with pytest.raises(OutputError, match="lies in the folder of the crops"):
        fit(crop_folder, crop_folder / "mine", weights=tiny_weights)
    with pytest.raises(CropError, match="gives 24 usable crops; a fit needs at least 100"):
        fit(crop_folder, tmp_path / "mine", weights=tiny_weights, fonts="roboto", corpus="signs")
    assert not (tmp_path / "mine").exists()


@pytest.mark.slow
def test_a_fit_that_was_stopped_ends_as_one_that_was_not(tiny_weights: Path, tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    crops = tmp_path / "crops"
    crops.mkdir()
    for seed in range(104):
        cv2.imwrite(str(crops / f"{seed:03d}.png"), drawn_crop(seed, width=40 + seed // 2)[..., ::-1])
    # Weights that were never trained paint no ink that would pass.
    config = load_config(GenerateConfig, overrides=["gate.ink=false"])

    def run(out: Path, trials: int, **more: int) -> FitResult:
        return fit(
            crops,
            out,
            weights=tiny_weights,
            fonts=("roboto", "oswald", "lobster"),
            corpus=("signs", "numbers:0.5"),
            config=config,
            trials=trials,
            effort=EFFORT,
            show_progress=False,
            **more,  # type: ignore[arg-type]
        )

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    found = run(whole, 2)
    assert found.trials == 2
    assert set(found.of) <= {0, 1, 2}
    assert found.painting.keys() == {"imagenet", "ocr"}
    run(parts, 1)
    with pytest.raises(OutputError, match="holds a fit"):
        run(parts, 2)
    run(parts, 2, resume=True)
    for name in ("recipe.toml", "model.toml", "search/trials.json", "search/repainted.npz", "report.html"):
        assert content_hash(whole / name) == content_hash(parts / name), name
    trials = json.loads((whole / "search/trials.json").read_text())["trials"]
    assert [trial["number"] for trial in trials] == [0, 1, 2]
    assert {trial["words"] for trial in trials} <= {8, 16}

    model = Model.open(whole)
    assert model.styles == (str(crops),)
    assert all(spec.partition(":")[0] in ("signs", "numbers") for spec in model.corpus)
    recipe = load_config(GenerateConfig, str(model.recipe))
    assert recipe.render.other_families in (0, 1)  # 1: none was better than the default recipe
    assert recipe.scene_share == found.scene_share
    page = (whole / "report.html").read_text(encoding="utf-8")
    for said in (
        "What was found",
        "among real crops",
        "What it could not explain",
        "render.framing.vertical",
    ):
        assert said in page
    assert "\nlayout." in page  # the recipe, line by line
    assert "\\n" not in page

    before = {part: found.before[part] for part in ("imagenet", "ocr")}
    found = run(whole, 1, resume=True, pretrain_steps=2)
    assert not found.painting
    assert found.trials == 1
    # The default recipe was tried again, with the weights that the folder holds now.
    assert {part: found.before[part] for part in before} != before
    own = whole / "siman.safetensors"
    assert Model.open(whole).weights == own
    assert json.loads((whole / "search/trials.json").read_text())["painter"] == content_hash(own)
    run(tmp_path / "again", 1, pretrain_steps=2)
    assert (tmp_path / "again/recipe.toml").read_bytes() == (whole / "recipe.toml").read_bytes()
    options = ["--gate", "off", "--n", "12", "--workers", "1"]
    done = CliRunner().invoke(
        main, ["generate", "--model", str(whole), *options, "--out", str(tmp_path / "words")]
    )
    assert done.exit_code == 0, done.output
    used = load_config(GenerateConfig, str(tmp_path / "words.config.toml"))
    assert used.render == load_config(GenerateConfig, str(whole / "recipe.toml")).render
