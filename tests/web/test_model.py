"""The studio with what a fit left: its recipe, crops, fonts and weights, and its report."""

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from siman_synth.errors import ConfigError
from siman_synth.fitting.folder import MODEL, RECIPE, REPORT, WEIGHTS
from siman_synth.fitting.model import model_text
from siman_synth.imaging.decode import decode_crop
from siman_synth.render.font_files import bundled_families
from siman_synth.web.serve import open_studio
from siman_synth.web.server import COOKIE, FIT_REPORT
from tests.web.conftest import TOKEN, served


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, crop_folder: Path, tiny_weights: Path) -> Path:
    folder = tmp_path_factory.mktemp("fit") / "mine"
    folder.mkdir()
    (folder / RECIPE).write_text("height_px = 48\n[render.framing]\nhorizontal = [1.0, 1.0]\n")
    (folder / MODEL).write_text(model_text([str(crop_folder)], ("signs",), ("roboto", "lora"), True))
    (folder / WEIGHTS).write_bytes(tiny_weights.read_bytes())
    (folder / REPORT).write_text("<!doctype html><h1>Words fitted to crops</h1><script>alert(1)</script>")
    return folder


@pytest.fixture(scope="module")
def visitor(model: Path) -> Iterator[Any]:
    studio = open_studio(None, model=model)
    with (
        served(studio) as address,
        httpx.Client(base_url=address, cookies={COOKIE: TOKEN}, headers={"origin": address}) as client,
    ):
        yield client
    studio.shelf.close()


def test_words_are_written_with_its_recipe_fonts_and_crops(
    visitor: Any, model: Path, crop_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cv2

    state = visitor.get("/api/state").json()
    assert state["families"] == ["Lora", "Roboto"]
    assert state["pool"] == str(crop_folder)
    assert state["model"] == str(model)
    wish = {"words": ["Harbour"], "styles": [2], "layout": "curved", "seed": 3}
    found = visitor.post("/api/write", json=wish).json()
    options = [tuple(option) for option in found["options"]]
    assert ("model", str(model)) in options
    assert ("set", "render.layout.curved.weight=1.0") in options
    assert not any(name == "recipe" for name, _ in options)
    # The recipe leaves a whole height of ground at both ends.
    left, _, right, _ = (np.array([box[k] for box in found["words"][0]["boxes"]]) for k in range(4))
    picture = decode_crop(base64.b64decode(found["words"][0]["image"]), "word")
    assert picture.shape[0] == 48
    assert left.min() > 24
    assert right.max() < picture.shape[1] - 24
    monkeypatch.chdir(tmp_path)
    exec(found["python"], {})
    np.testing.assert_array_equal(np.asarray(cv2.imread("0.png"))[..., ::-1], picture)


def test_all_fonts_are_those_of_the_words_scripts(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cv2

    mine = tmp_path / "mine"
    shutil.copytree(model, mine)
    (mine / MODEL).write_text((model / MODEL).read_text().replace('"roboto"', '"all"'))
    studio = open_studio(None, model=mine)
    with (
        served(studio) as address,
        httpx.Client(base_url=address, cookies={COOKIE: TOKEN}, headers={"origin": address}) as client,
    ):
        latin = client.post("/api/write", json={"words": ["GST"], "styles": [2]}).json()
        found = client.post("/api/write", json={"words": ["GST", "سلام"], "styles": [2]}).json()
    assert [word["problem"] for word in found["words"]] == [None, None]
    monkeypatch.chdir(tmp_path)
    for answer in (latin, found):
        exec(answer["python"], {})
        for place, word in enumerate(answer["words"]):
            shown = decode_crop(base64.b64decode(word["image"]), "word")
            np.testing.assert_array_equal(np.asarray(cv2.imread(f"{place}.png"))[..., ::-1], shown)
    studio.shelf.close()


def test_a_font_of_the_users_can_be_chosen(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cv2

    own = tmp_path / "till.ttf"
    own.write_bytes(bundled_families()["Roboto Mono"][0].path.read_bytes())
    mine = tmp_path / "mine"
    shutil.copytree(model, mine)
    (mine / MODEL).write_text((model / MODEL).read_text().replace('"lora"', f'"{own}"'))
    studio = open_studio(None, model=mine)
    with (
        served(studio) as address,
        httpx.Client(base_url=address, cookies={COOKIE: TOKEN}, headers={"origin": address}) as client,
    ):
        families = client.get("/api/state").json()["families"]
        wish = {"words": ["42.50"], "styles": [2], "font": "Roboto Mono"}
        found = client.post("/api/write", json=wish).json()
    assert families == ["Roboto", "Roboto Mono"]
    assert ["fonts", str(own)] in found["options"]
    assert found["words"][0]["font"] == "till"
    monkeypatch.chdir(tmp_path)
    exec(found["python"], {})
    shown = decode_crop(base64.b64decode(found["words"][0]["image"]), "word")
    np.testing.assert_array_equal(np.asarray(cv2.imread("0.png"))[..., ::-1], shown)
    studio.shelf.close()


def test_its_report_is_shown_and_runs_nothing(visitor: Any) -> None:
    assert visitor.get("/api/state").json()["fit_report"] == FIT_REPORT
    answer = visitor.get(FIT_REPORT)
    assert "Words fitted to crops" in answer.text
    policies = answer.headers.get_list("content-security-policy")
    assert len(policies) == 1
    assert "sandbox" in policies[0].split("; ")
    assert "script" not in policies[0]
    assert "frame-src 'self'" in visitor.get("/").headers["content-security-policy"]


def test_without_a_model_there_is_no_report(address: str) -> None:
    with httpx.Client(base_url=address, cookies={COOKIE: TOKEN}) as client:
        assert client.get("/api/state").json()["fit_report"] is None
        assert client.get(FIT_REPORT).status_code == 400


def test_a_link_is_no_report(model: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.html").write_text("secret")
    copy = tmp_path / "mine"
    copy.mkdir()
    for name in (RECIPE, MODEL, WEIGHTS):
        (copy / name).write_bytes((model / name).read_bytes())
    (copy / REPORT).symlink_to(tmp_path / "outside.html")
    studio = open_studio(None, model=copy)
    with (
        served(studio) as address,
        httpx.Client(base_url=address, cookies={COOKIE: TOKEN}, headers={"origin": address}) as client,
    ):
        assert "secret" not in client.get(FIT_REPORT).text
    with pytest.raises(ConfigError, match="holds no model"):
        open_studio(None, model=tmp_path)
