"""Photos that visitors bring: taken, changed, kept apart."""

import io
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from siman_synth.imaging.decode import decode_crop
from siman_synth.web.photos import MOST_PHOTOS, MOST_UPLOAD_BYTES, PhotoTable
from siman_synth.web.server import COOKIE, Studio
from tests.editing.conftest import drawn_photo
from tests.web.conftest import TOKEN

OCTETS = {"content-type": "application/octet-stream"}


def encoded(kind: str, image: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def visitor(address: str) -> Any:
    with httpx.Client(
        base_url=address, cookies={COOKIE: TOKEN}, headers={"origin": address}, timeout=300
    ) as client:
        yield client


@pytest.fixture
def bring(visitor: Any) -> Callable[..., Any]:
    def post(data: bytes, name: str = "shop.png", **headers: str) -> Any:
        return visitor.post("/api/photos", params={"name": name}, content=data, headers=OCTETS | headers)

    return post


@pytest.mark.slow  # the looks of all fonts are read first
def test_a_word_is_changed_and_nothing_else(visitor: Any, bring: Callable[..., Any]) -> None:
    image, (x0, y0, x1, y1) = drawn_photo()
    found = bring(encoded("PNG", image), "my shop.png").json()
    at = f"/api/photos/{found['key']}"
    assert (found["name"], found["width"], found["height"]) == ("my shop.png", 460, 220)
    words = visitor.get(f"{at}/words").json()["words"]
    assert [word["text"] for word in words] == ["OPEN"]
    assert visitor.get(f"{at}/file").json()["problem"] == "Nothing was edited yet."
    quad = [[x0 - 6, y0 - 6], [x1 + 6, y0 - 6], [x1 + 6, y1 + 6], [x0 - 6, y1 + 6]]
    told = visitor.post(f"{at}/edit", json={"quad": quad, "text": "SHUT", "old": "OPEN"}).json()
    assert (told["text"], told["old"], told["edit"]) == ("SHUT", "OPEN", 1)
    corners = ",".join(str(part) for corner in quad for part in corner)
    assert told["photo"] == "'my shop.png'"
    assert told["options"] == [
        ["quad", corners], ["old", "OPEN"], ["text", "SHUT"], ["out", "edited.png"]
    ]  # fmt: skip
    answer = visitor.get(f"{at}/file")
    assert answer.headers["content-disposition"] == 'attachment; filename="edited.png"'
    edited = decode_crop(answer.content, "edited")
    inside = np.zeros(image.shape[:2], bool)
    inside[y0 - 6 : y1 + 6, x0 - 6 : x1 + 6] = True
    assert (edited[~inside] == image[~inside]).all()
    assert (edited[inside] != image[inside]).any()
    before = decode_crop(visitor.get(f"{at}/before.jpg").content, "before").astype(int)
    after = decode_crop(visitor.get(f"{at}/after.jpg").content, "after").astype(int)
    assert np.abs(after - edited).mean() < 4
    assert np.abs(before - image).mean() < 4
    visitor.post(f"{at}/keep", json={})
    kept = decode_crop(visitor.get(f"{at}/before.jpg").content, "kept").astype(int)
    assert (kept == after).all()


@pytest.mark.slow
def test_the_edge_that_is_kept_can_be_chosen(visitor: Any, bring: Callable[..., Any]) -> None:
    image, (x0, y0, x1, y1) = drawn_photo()
    at = f"/api/photos/{bring(encoded('PNG', image)).json()['key']}"
    quad = [[x0 - 6, y0 - 6], [x1 + 6, y0 - 6], [x1 + 6, y1 + 6], [x0 - 6, y1 + 6]]
    files = {}
    for align in ("auto", "start", "center", "end"):
        wish = {"quad": quad, "text": "HI", "old": "OPEN", "align": align}
        options = dict(visitor.post(f"{at}/edit", json=wish).json()["options"])
        assert options.get("align", "auto") == align
        files[align] = visitor.get(f"{at}/file").content
    assert files["auto"] == files["center"]
    assert len(set(files.values())) == 3


@pytest.mark.slow
def test_a_jpeg_stays_one(visitor: Any, bring: Callable[..., Any]) -> None:
    image, (x0, y0, x1, y1) = drawn_photo()
    found = bring(encoded("JPEG", image, quality=80), "shop.jpg").json()
    quad = [[x0 - 6, y0 - 6], [x1 + 6, y0 - 6], [x1 + 6, y1 + 6], [x0 - 6, y1 + 6]]
    visitor.post(f"/api/photos/{found['key']}/edit", json={"quad": quad, "text": "SHUT", "old": "OPEN"})
    answer = visitor.get(f"/api/photos/{found['key']}/file")
    with Image.open(io.BytesIO(answer.content)) as written:
        assert written.format == "JPEG"
        with Image.open(io.BytesIO(encoded("JPEG", image, quality=80))) as given:
            assert written.quantization == given.quantization  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([], "An edit must be a JSON object."),
        ({"text": "a"}, "quad must be four corners of two numbers each."),
        ({"quad": [[0, 0]] * 3, "text": "a"}, "quad must be four corners of two numbers each."),
        ({"quad": [[0, "0"]] * 4, "text": "a"}, "quad must be four corners of two numbers each."),
        ({"quad": [[0, True]] * 4, "text": "a"}, "quad must be four corners of two numbers each."),
        ({"quad": [[0, 0]] * 4, "text": " "}, "Type the new word."),
        ({"quad": [[0, 0]] * 4, "text": "a" * 61}, "text must be a text of at most 60 characters."),
        ({"quad": [[0, 0]] * 4, "text": "a", "old": 1}, "old must be a text of at most 60 characters."),
        ({"quad": [[0, 0]] * 4, "text": "a", "width": "x"}, "width must be one of natural, keep."),
        (
            {"quad": [[0, 0]] * 4, "text": "a", "align": ["end"]},
            "align must be one of auto, start, center, end.",
        ),
        ({"quad": [[0, 0], [500, 0], [500, 90], [0, 90]], "text": "a"}, "The quadrilateral 0,0 500,0 500,90"),
        ({"quad": [[0, 0], [90, 90], [90, 0], [0, 90]], "text": "a"}, "The quadrilateral 0,0 90,90 90,0"),
    ],
)
def test_what_cannot_be_edited_is_told(
    visitor: Any, bring: Callable[..., Any], values: Any, problem: str
) -> None:
    found = bring(encoded("PNG", drawn_photo()[0])).json()
    answer = visitor.post(f"/api/photos/{found['key']}/edit", json=values)
    assert answer.status_code == 400
    assert answer.json()["problem"].startswith(problem)


def test_what_is_no_photo_is_refused(visitor: Any, bring: Callable[..., Any]) -> None:
    damaged = bring(b"\x89PNG\r\n\x1a\nnothing").json()
    assert damaged["problem"] == "shop.png ends or is damaged within its header."
    assert bring(b"", "\x1b[31m.png").json()["problem"] == "\\x1b[31m.png has zero bytes."
    large = encoded("PNG", np.zeros((5000, 5000, 3), np.uint8))
    assert bring(large).json()["problem"] == (
        "shop.png has 5000 x 5000 px; the page takes 24 million pixels at most. Use siman-synth edit."
    )
    assert bring(bytes(MOST_UPLOAD_BYTES + 1)).status_code == 413
    assert bring(b"x", **{"content-type": "text/plain"}).status_code == 415
    assert bring(b"x", origin="http://evil.example").status_code == 403
    for path in ("before.jpg", "after.jpg", "words", "file"):
        assert visitor.get(f"/api/photos/unknown/{path}").status_code == 404


def test_photos_have_keys_of_their_own_and_do_not_pile_up(studio: Studio) -> None:
    table = PhotoTable(studio.writer.synthesizer)
    data = encoded("PNG", drawn_photo()[0])
    keys = [table.add(data, "a.png")["key"] for _ in range(MOST_PHOTOS + 1)]
    assert len(set(keys)) == len(keys)
    assert min(map(len, keys)) >= 16
    with pytest.raises(IndexError):
        table.preview(keys[0], edited=False)
    assert table.preview(keys[1], edited=False).startswith(b"\xff\xd8")
