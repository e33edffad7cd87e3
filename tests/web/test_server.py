"""Who is let in, what is answered, and what is never served."""

import base64
import json
import threading
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from siman_synth.crops.pool import CropPool
from siman_synth.errors import ConfigError, CropError
from siman_synth.imaging.codec import encode_png
from siman_synth.imaging.decode import decode_crop
from siman_synth.models.bundled import bundled_file
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.web.index import Filter, SampleIndex
from siman_synth.web.pictures import CropShelf, open_shelf
from siman_synth.web.reports import reports_of
from siman_synth.web.serve import open_studio
from siman_synth.web.server import COOKIE, MOST_BODY_BYTES, Studio
from siman_synth.web.writing import Wish, style_list
from tests.drawn_crops import drawn_crop
from tests.exports.conftest import LABELS
from tests.web.conftest import TOKEN, served


def visit(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, cookies={COOKIE: TOKEN}, headers={"origin": address}, timeout=60)


@pytest.fixture
def visitor(address: str) -> Any:
    with visit(address) as client:
        yield client


def test_only_who_knows_the_token_is_let_in(address: str) -> None:
    with httpx.Client(base_url=address) as stranger:
        for path in ("/", "/studio.js", "/api/state", "/api/styles/0.jpg", "/api/samples/0"):
            assert stranger.get(path).status_code == 403
        assert stranger.get("/?token=wrong").status_code == 403
        entered = stranger.get(f"/?token={TOKEN}")
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        assert "HttpOnly" in entered.headers["set-cookie"]
        assert "SameSite=strict" in entered.headers["set-cookie"]
        assert stranger.get("/api/state").status_code == 200


def test_other_pages_cannot_ask(visitor: Any, address: str) -> None:
    wish = {"words": ["one"]}
    assert visitor.post("/api/write", json=wish).status_code == 200
    assert visitor.post("/api/write", json=wish, headers={"origin": "http://evil.example"}).status_code == 403
    assert visitor.post("/api/write", json=wish, headers={"origin": ""}).status_code == 403
    form = {"content-type": "text/plain"}
    assert visitor.post("/api/write", content=json.dumps(wish), headers=form).status_code == 415
    assert visitor.get("/api/state", headers={"host": "evil.example"}).status_code == 421
    policy = visitor.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml", "/..%2f..%2fpyproject.toml", "/static/../server.py", "/server.py",
        "/%2e%2e/server.py",
        "/etc/passwd", "//etc/passwd", "/api/styles/..%2f..%2fetc%2fpasswd.jpg", "/api/styles/-1.jpg",
        "/api/styles/999999.jpg", "/api/samples/999999", "/api/samples/..%2f0", "/studio.css/../server.py",
    ],
)  # fmt: skip
def test_nothing_else_is_served(visitor: Any, path: str) -> None:
    answer = visitor.send(visitor.build_request("GET", httpx.URL(visitor.base_url, raw_path=path.encode())))
    assert answer.status_code in (404, 405), answer.text
    assert b"import" not in answer.content
    assert b"root:" not in answer.content


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    import cv2

    (tmp_path / "crops").mkdir()
    cv2.imwrite(str(tmp_path / "outside.png"), drawn_crop(1))
    cv2.imwrite(str(tmp_path / "crops" / "b.png"), drawn_crop(2))
    (tmp_path / "crops" / "a.png").symlink_to(tmp_path / "outside.png")
    shelf = open_shelf(tmp_path / "crops")
    with pytest.raises(CropError, match="is a link out of its folder"):
        shelf.thumbnail(0)
    assert shelf.thumbnail(1).startswith(b"\xff\xd8")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "metadata.jsonl").write_text('{"file_name": "../outside.png", "text": "secret"}\n')
    index = SampleIndex(tmp_path / "set")
    with pytest.raises(Exception, match="lies outside of"):
        index.image(0)
    index.close()


def test_several_folders_of_crops(tmp_path: Path) -> None:
    import cv2

    for folder, number in (("one", 1), ("two", 2)):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "a.png"), drawn_crop(number))
    (tmp_path / "two" / "b.png").symlink_to(tmp_path / "one" / "a.png")
    shelf = open_shelf([tmp_path / "one", tmp_path / "two"])
    assert [shelf.pool.name(number) for number in range(3)] == ["one/a.png", "two/a.png", "two/b.png"]
    assert shelf.thumbnail(1).startswith(b"\xff\xd8")
    with pytest.raises(CropError, match="is a link out of its folder"):
        shelf.thumbnail(2)
    listed = style_list([shelf.pool.origin(number) for number in (1, 0)])
    assert listed == f"{tmp_path}/two/a.png\n{tmp_path}/one/a.png\n"


def test_bodies_are_bounded_and_checked(visitor: Any) -> None:
    huge = json.dumps({"words": ["x" * MOST_BODY_BYTES]})
    kind = {"content-type": "application/json"}
    assert visitor.post("/api/write", content=huge, headers=kind).status_code == 413
    for body, problem in (
        ("nothing", "What was sent is not JSON."),
        ("[" * 5000, "What was sent is not JSON."),
        ("[]", "A wish must be a JSON object."),
        ('{"words": "one"}', "words must be a list of texts."),
        (json.dumps({"words": ["a"] * 25}), "At most 24 words at a time, found 25."),
        (json.dumps({"words": ["a" * 61]}), "A word may have 60 characters at most."),
        ('{"words": ["a"], "styles": [24]}', "styles must be numbers of crops, from 0 to 23."),
        ('{"words": ["a"], "styles": [true]}', "styles must be numbers of crops, from 0 to 23."),
        ('{"words": ["a"], "layout": "x"}', "layout must be one of mixed, straight"),
        ('{"words": ["a"], "seed": -1}', "seed must be a whole number from 0."),
        ('{"words": ["a"], "font": "../../x"}', "There is no font family '../../x'."),
    ):
        answer = visitor.post("/api/write", content=body, headers=kind)
        assert answer.status_code == 400
        assert answer.json()["problem"].startswith(problem)


def test_words_are_written_in_the_chosen_styles(visitor: Any, studio: Studio) -> None:
    wish = {"words": ["Harbour", "", "ᚠᚢ", "No. 42"], "styles": [3, 5], "seed": 7, "layout": "curved"}
    found = visitor.post("/api/write", json=wish).json()
    assert [word["text"] for word in found["words"]] == ["Harbour", "ᚠᚢ", "No. 42"]
    assert [word["style"] for word in found["words"]] == [studio.shelf.pool.name(n) for n in (3, 5, 3)]
    assert "fonts can draw 'ᚠ' (U+16A0)" in found["words"][1]["problem"]
    picture = decode_crop(base64.b64decode(found["words"][0]["image"]), "word")
    assert picture.shape[0] == 32
    assert len(found["words"][0]["boxes"]) == len("Harbour")
    assert found["options"] == [
        ["n", "1000"], ["corpus", "words.txt"], ["styles", "styles.txt"],
        ["weights", studio.writer.weights_name], ["recipe", "look.toml"], ["seed", "7"], ["out", "words"],
    ]  # fmt: skip
    assert len(found["style_list"].splitlines()) == 2
    assert "[render.layout.curved]\nweight = 1.0" in found["toml"]


@pytest.mark.parametrize(
    "wish",
    [
        {"words": ["Harbour", "sale"], "styles": [3], "seed": 7, "font": "Roboto"},
        {"words": ["Harbour", "sale"], "styles": [3], "seed": 7, "font": "Roboto", "damage": "strong"},
        # Of like width, so that the network could take them together; and in scripts with fonts of their own.
        {"words": ["Fish", "Fisk", "Fist", "سلام", "日本", "שלום"], "styles": [5, 2], "seed": 1},
        # What cannot be written takes no place of others, and does not stop the program.
        {"words": ["one", "ᚠᚢ", "two"], "styles": [5, 2, 9], "seed": 4},
    ],
)
def test_the_program_makes_exactly_these_words(
    wish: dict[str, Any], visitor: Any, tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cv2

    found = visitor.post("/api/write", json=wish).json()
    monkeypatch.chdir(tmp_path)
    exec(found["python"], {})
    assert repr(str(tiny_weights)) in found["python"]
    assert [word["problem"] is None for word in found["words"]] == [word != "ᚠᚢ" for word in wish["words"]]
    for place, word in enumerate(found["words"]):
        if word["problem"]:
            assert not Path(f"{place}.png").exists()
            continue
        shown = decode_crop(base64.b64decode(word["image"]), "word")
        made = np.asarray(cv2.imread(f"{place}.png"))[..., ::-1]
        np.testing.assert_array_equal(shown, made)


def test_a_key_pressed_paints_the_word_that_it_changes(visitor: Any, studio: Studio) -> None:
    wish = {"words": ["once", "upon", "a", "tim"], "styles": [2, 4], "seed": 99}
    first = visitor.post("/api/write", json=wish).json()
    before = studio.writer.painted
    second = visitor.post("/api/write", json=wish | {"words": ["once", "upon", "a", "time"]}).json()
    assert studio.writer.painted == before + 1
    assert second["words"][:3] == first["words"][:3]
    assert second["words"][3] != first["words"][3]
    visitor.post("/api/write", json=wish | {"styles": [2, 5]})
    assert studio.writer.painted == before + 3
    visitor.post("/api/write", json=wish | {"damage": "light"})
    assert studio.writer.painted == before + 7


def test_chosen_crops_of_any_pool_are_a_list_for_generate(
    crop_folder: Path, tiny_weights: Path, tmp_path: Path
) -> None:
    stored = tmp_path / "stored"
    with LmdbWriter.create(stored) as writer:
        for number in range(3):
            writer.write(Sample(encode_png(drawn_crop(number)), None, 96, 32))
    (tmp_path / "list.txt").write_text("".join(f"{path}\n" for path in sorted(crop_folder.iterdir())))
    for pool in (crop_folder, stored, tmp_path / "list.txt"):
        studio = open_studio(pool, weights=tiny_weights)
        with served(studio) as address, visit(address) as client:
            found = client.post("/api/write", json={"words": ["a"], "styles": [1, 2]}).json()
        assert ["styles", "styles.txt"] in found["options"]
        (tmp_path / "styles.txt").write_text(found["style_list"])
        listed = CropPool.open(tmp_path / "styles.txt")
        assert [listed.read(n) for n in range(2)] == [studio.shelf.pool.read(n) for n in (1, 2)]
        studio.shelf.close()


def test_the_first_words_have_the_look_of_a_crop_that_can_lend_it(tmp_path: Path, tiny_weights: Path) -> None:
    (tmp_path / "crops").mkdir()
    for name, image in (("a", np.rot90(drawn_crop(1))), ("b", drawn_crop(2))):
        (tmp_path / "crops" / f"{name}.png").write_bytes(encode_png(np.ascontiguousarray(image)))
    studio = open_studio(tmp_path / "crops", weights=tiny_weights)
    with served(studio) as address, visit(address) as client:
        found = client.post("/api/write", json={"words": ["Harbour"]}).json()
    assert (found["words"][0]["problem"], found["words"][0]["style"]) == (None, "b.png")
    assert "['b.png']" in found["python"]
    studio.shelf.close()


@pytest.mark.parametrize(
    ("weights", "name", "option"),
    [(None, "small", None), ("light", "light", "light"), (bundled_file("light"), "light", "light")],
)
def test_the_weights_are_named(weights: Any, name: str, option: str | None, crop_folder: Path) -> None:
    studio = open_studio(crop_folder, weights=weights)
    with served(studio) as address, visit(address) as client:
        assert client.get("/api/state").json()["weights"] == name
        found = client.post("/api/write", json={"words": ["a"]}).json()
    assert dict(found["options"]).get("weights") == option
    assert ("Synthesizer.load('light', " in found["python"]) == (option is not None)
    studio.shelf.close()


def test_the_settings_are_a_recipe(visitor: Any, tmp_path: Path) -> None:
    from siman_synth.config import load_config
    from siman_synth.synthesis.config import GenerateConfig

    wish = {"words": ["a"], "layout": "rotated", "damage": "strong"}
    (tmp_path / "look.toml").write_text(visitor.post("/api/write", json=wish).json()["toml"])
    config = load_config(GenerateConfig, tmp_path / "look.toml")
    assert config.finish.noise_sigma == (5.0, 12.0)
    assert config.render.layout.rotated.weight == 1.0
    assert config.render.layout.straight.weight == 0.0


def test_two_visitors_do_not_mix(address: str, studio: Studio) -> None:
    answers: dict[int, list[Any]] = {0: [], 1: []}

    def visit(who: int) -> None:
        with httpx.Client(base_url=address, cookies={COOKIE: TOKEN}, headers={"origin": address}) as client:
            for seed in range(4):
                wish = {
                    "words": [f"visitor{who}"],
                    "styles": [who],
                    "seed": seed,
                    "layout": ("curved", "straight")[who],
                }
                answers[who].append(client.post("/api/write", json=wish).json())

    threads = [threading.Thread(target=visit, args=(who,)) for who in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for who in (0, 1):
        for seed, answer in enumerate(answers[who]):
            layout = ("curved", "straight")[who]
            alone, _ = studio.writer.write(Wish((f"visitor{who}",), (who,), layout=layout, seed=seed))
            assert base64.b64decode(answer["words"][0]["image"]) == alone[0].png


def test_samples_are_filtered_and_sorted(visitor: Any) -> None:
    def labels(**query: Any) -> list[str]:
        page = visitor.get("/api/samples", params=query).json()
        assert page["matches"] == len(page["samples"])
        return [sample["label"] for sample in page["samples"]]

    assert labels() == list(LABELS)
    assert labels(label="STOP") == ["STOP", "stop"]
    assert labels(label="%") == ["100%"]
    assert labels(least_length=9) == ["two words", "back\\slash"]
    assert labels(font="font1", most_length=4) == [
        label for number, label in enumerate(LABELS) if number % 3 == 1 and len(label) <= 4
    ]
    assert labels(sort="length")[:2] == ["-", ","]
    assert visitor.get("/api/samples", params={"sort": "label; DROP TABLE samples"}).status_code == 400
    assert labels(font="' OR 1=1 --") == []
    page = visitor.get("/api/samples", params={"start": 20, "count": 3}).json()
    assert [sample["number"] for sample in page["samples"]] == [20, 21, 22]
    assert visitor.get("/api/samples/4").headers["content-type"] == "image/png"


def test_worst_read_first(labeled: Path) -> None:
    from siman_synth.ocr.comparison import comparable
    from siman_synth.ocr.ppocr import PpOcr

    index = SampleIndex(labeled)
    index._index_all()
    index._reads.set()
    index._read_all(PpOcr.load())
    samples = index.page(Filter(sort="score"), 0, 100)["samples"]
    assert len(samples) == len(LABELS)
    judged = [sample["score"] for sample in samples if comparable(sample["label"])]
    assert judged == sorted(judged)
    assert [sample["score"] for sample in samples[len(judged) :]] == [None] * (len(LABELS) - len(judged))
    assert index.state()["read"] == len(LABELS)
    index.close()


def test_crops_are_ordered_by_look(tmp_path: Path) -> None:
    import cv2

    rng = np.random.default_rng(0)
    for number in range(60):
        ground = (230, 40)[number % 2]
        image = np.full((32, 90, 3), ground, np.uint8) + rng.integers(0, 9, (32, 90, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"{number:02d}.png"), image)
    shelf = CropShelf(open_shelf(tmp_path).pool)
    assert [crop["index"] for crop in shelf.page(0, 3)["crops"]] == [0, 1, 2]
    shelf._look_at_all()
    page = shelf.page(0, 60)
    parities = [crop["index"] % 2 for crop in page["crops"]]
    assert page["ordered"]
    assert parities == [1] * 30 + [0] * 30
    assert [crop["name"] for crop in shelf.page(0, 60, "07")["crops"]] == ["07.png"]


def test_reports_side_by_side(visitor: Any, report: Path, tmp_path: Path) -> None:
    found = visitor.get("/api/reports").json()
    assert found["names"] == [str(report)]
    assert found["rows"] == [{"key": "readability · right", "values": [0.97]}, {"key": "n", "values": [3]}]
    with pytest.raises(ConfigError, match=r"is no report: it holds no metrics\.json"):
        reports_of([tmp_path])


def test_labels_stay_text(visitor: Any) -> None:
    page = visitor.get("/api/samples", params={"label": "<b>"})
    assert page.headers["content-type"] == "application/json"
    script = visitor.get("/studio.js").text
    assert "innerHTML" not in script
    assert "insertAdjacentHTML" not in script


def test_the_picture_of_rejected_words_is_no_way_out_of_the_folder(
    visitor: Any, labeled: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    picture = labeled.with_name(f"{labeled.name}.rejected.png")
    request.addfinalizer(lambda: picture.unlink(missing_ok=True))
    assert visitor.get("/api/state").json()["rejected"] is None
    (tmp_path / "secret").write_text("secret")
    picture.symlink_to(tmp_path / "secret")
    assert visitor.get("/api/state").json()["rejected"] is None
    assert visitor.get("/api/rejected.png").status_code == 400
    picture.unlink()
    picture.write_bytes(encode_png(np.zeros((4, 4, 3), np.uint8)))
    found = visitor.get(visitor.get("/api/state").json()["rejected"])
    assert (found.content, found.headers["content-type"]) == (picture.read_bytes(), "image/png")


def test_crops_beyond_those_that_were_looked_at_come_last(
    crop_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siman_synth.web.pictures._MOST_GROUPED", 3)
    shelf = open_shelf(crop_folder)
    shelf._look_at_all()
    found = [crop["index"] for crop in shelf.page(0, 100)["crops"]]
    assert found == list(range(len(shelf)))
    assert len(shelf) > 3
