"""The page in a real browser: type, choose, see images change, filter, mark, on a screen and on a phone."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from siman_synth.web.server import Studio
from tests.editing.conftest import drawn_photo
from tests.exports.conftest import LABELS
from tests.web.conftest import TOKEN

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENCE_MS = 300_000
"""Nothing takes that long, but on a machine that is busy with something else."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("There is no browser. Install one: apt-get install chromium")
        pytest.skip("no browser; install one: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(params=["screen", "phone"])
def page(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Any]:
    size = {"screen": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}[request.param]
    scheme = {"screen": "light", "phone": "dark"}[request.param]
    context = browser.new_context(viewport=size, color_scheme=scheme)
    context.set_default_timeout(PATIENCE_MS)
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.append(message.text) if is_fault(message) else None)
    opened.goto(f"{address}/?token={TOKEN}")
    opened.wait_for_selector("#painted img")
    yield opened
    assert opened.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert wrong == []
    context.close()


def is_fault(message: Any) -> bool:
    # Chromium calls every answer of 400 an error; the page shows what it says.
    return message.type == "error" and "a status of 400" not in message.text


def painted(page: Any) -> list[str]:
    return [image.get_attribute("src") for image in page.locator("#painted img").all()]


def captions(page: Any, place: str) -> list[str]:
    return [text.strip() for text in page.locator(f"#{place} figcaption b").all_inner_texts()]


def test_type_choose_and_see_it_change(page: Any) -> None:
    assert "token" not in page.url
    page.fill("#words", "Quay\n<b>bold</b>")
    expect(page.locator("#painted img")).to_have_count(2)
    assert captions(page, "painted") == ["Quay", "<b>bold</b>"]
    assert page.locator("#painted figcaption b b").count() == 0
    before = painted(page)
    page.locator("#styles button").nth(5).click()
    expect(page.locator("#painted img").first).not_to_have_attribute("src", before[0])
    assert page.locator("#styles button").nth(5).get_attribute("aria-pressed") == "true"
    chosen = painted(page)
    page.select_option("#layout", "curved")
    expect(page.locator("#painted img").first).not_to_have_attribute("src", chosen[0])
    page.check("#write-boxes")
    assert page.locator("#painted svg").first.locator("rect").count() == 4
    page.locator("#write summary").click()
    assert "--corpus words.txt" in page.inner_text("#command")
    assert "[render.layout.curved]" in page.inner_text("#toml")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save words.txt").click()
    assert Path(download.value.path()).read_text(encoding="utf-8") == "Quay\n<b>bold</b>\n"


def test_crops_are_sorted_by_look_once_that_is_known(
    page: Any, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = studio.shelf._order
    assert order is not None
    monkeypatch.setattr(studio.shelf, "_order", None)
    page.reload()
    names = page.locator("#styles button")
    expect(page.locator("#style-count")).to_contain_text("as stored; sorting by look")
    names.nth(2).click()
    expect(names.nth(2)).to_have_attribute("aria-pressed", "true")
    stored = [name.get_attribute("data-index") for name in names.all()]
    monkeypatch.setattr(studio.shelf, "_order", order[::-1])
    # Something is chosen, so that nothing moves by itself.
    page.wait_for_selector("#sort-styles:not([hidden])")
    assert [name.get_attribute("data-index") for name in names.all()] == stored
    page.click("#sort-styles")
    expect(page.locator("#style-count")).to_contain_text("by look")
    expect(names).to_have_count(len(order))
    assert [int(name.get_attribute("data-index")) for name in names.all()] == order[::-1].tolist()
    assert page.locator(f"#styles button[data-index='{stored[2]}']").get_attribute("aria-pressed") == "true"
    assert page.locator("#sort-styles").is_hidden()


def test_who_types_faster_than_it_paints_waits_for_the_newest_alone(page: Any, studio: Studio) -> None:
    asked: list[Any] = []
    page.on("request", lambda request: asked.append(request) if request.url.endswith("/api/write") else None)
    with studio.writer._lock:  # as if painting took long
        with page.expect_request("**/api/write"):
            page.fill("#words", "first")
        for text in ("second", "third", "fourth"):
            page.fill("#words", text)
            page.wait_for_timeout(100)  # longer than the page waits for another key
        assert len(asked) == 1
    expect(page.locator("#painted figcaption b")).to_have_text(["fourth"])
    assert [request.post_data_json["words"] for request in asked] == [["first"], ["fourth"]]
    assert "weights: " in page.inner_text("#write-status")


def test_what_cannot_be_written_is_told(page: Any) -> None:
    page.fill("#words", "ᚠᚢ")
    page.wait_for_selector("#painted .wrong")
    assert "fonts can draw" in page.inner_text("#painted .wrong")
    page.fill("#words", "")
    expect(page.locator("#write-status")).to_have_text("Type a word.")


def test_the_keyboard_is_enough(page: Any) -> None:
    page.focus("#tab-write")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#samples figure")
    assert page.evaluate("document.activeElement.id") == "tab-look"
    page.locator("#samples figure").nth(1).focus()
    page.keyboard.press("x")
    assert page.locator("#samples figure").nth(1).get_attribute("class") == "drop"
    page.locator("#samples figure").nth(2).focus()
    page.keyboard.press("k")
    assert page.inner_text("#keep-count") == "1"
    with page.expect_download() as download:
        page.click("#save-drop")
    assert Path(download.value.path()).read_text() == "image-000000002\n"
    questions = []

    def answer(dialog: Any) -> None:
        questions.append(dialog.message)
        dialog.accept() if len(questions) == 2 else dialog.dismiss()

    page.on("dialog", answer)
    for counts in (("1", "1"), ("0", "0"), ("0", "0")):
        page.focus("#forget")
        page.keyboard.press("Enter")
        assert (page.inner_text("#keep-count"), page.inner_text("#drop-count")) == counts
    assert questions == ["Forget the marks of 2 samples? They cannot be brought back."] * 2


def test_filter_and_page(page: Any, studio: Studio) -> None:
    page.click("#tab-look")
    page.wait_for_selector("#samples figure")
    assert captions(page, "samples") == list(LABELS)
    page.fill("[name=label]", "stop")
    expect(page.locator("#samples figure")).to_have_count(2)
    assert captions(page, "samples") == ["STOP", "stop"]
    assert page.inner_text("#place") == "1 to 2 of 2"
    page.fill("[name=label]", "")
    page.select_option("[name=font]", "font1")
    expect(page.locator("#samples figure")).to_have_count(9)
    page.check("#look-boxes")
    page.wait_for_selector("#samples svg rect")
    page.check("#look-real")
    page.wait_for_selector("#real img")
    page.fill("[name=label]", "nothing like it")
    page.wait_for_selector("text=No sample passes these filters.")


def test_a_word_in_a_photo_is_changed_with_four_corners(page: Any, tmp_path: Path) -> None:
    image, (x0, y0, x1, y1) = drawn_photo()
    Image.fromarray(image).save(tmp_path / "shop.png")
    page.click("#tab-edit")
    page.set_input_files("#photo", tmp_path / "shop.png")
    # What OCR finds can be chosen …
    page.get_by_role("button", name="Choose OPEN").click()
    assert page.input_value("#edit-old") == "OPEN"
    # … and corners can be dragged, and moved with keys.
    photo = page.locator("#edit-before").bounding_box()
    scale = photo["width"] / image.shape[1]
    corners = page.locator("#edit-corners circle")
    for number, (x, y) in enumerate([(x0 - 8, y0 - 8), (x1 + 8, y0 - 8), (x1 + 8, y1 + 8), (x0 - 8, y1 + 8)]):
        corners.nth(number).hover()
        page.mouse.down()
        page.mouse.move(photo["x"] + x * scale, photo["y"] + y * scale, steps=4)
        page.mouse.up()
    corners.nth(2).focus()
    before = float(corners.nth(2).get_attribute("cx"))
    page.keyboard.press("Shift+ArrowRight")
    assert float(corners.nth(2).get_attribute("cx")) == pytest.approx(before + 10)
    assert float(corners.nth(0).get_attribute("cx")) == pytest.approx(x0 - 8, abs=1.5)
    page.fill("#edit-text", "SHUT")
    page.get_by_label("Keeps").select_option("end")
    page.click("#edit-go")
    page.wait_for_selector("#edit-compare:not([hidden])")
    assert page.inner_text("#edit-status").startswith("SHUT in ")
    assert "--old OPEN --text SHUT --align end --out edited.png" in page.inner_text("#edit-command")
    page.locator("#edit-slider").fill("50")
    assert "50%" in page.locator("#edit-after").evaluate("image => image.style.clipPath")
    with page.expect_download() as download:
        page.click("#edit-save")
    edited = np.asarray(Image.open(download.value.path()))
    differs = (edited != image).any(axis=2)
    ys, xs = np.nonzero(differs)
    assert xs.min() >= x0 - 10
    assert xs.max() <= x1 + 20
    assert ys.min() >= y0 - 10
    assert ys.max() <= y1 + 10
    page.click("#edit-keep")
    page.wait_for_selector("#edit-compare", state="hidden")
    assert page.input_value("#edit-text") == ""


def test_what_cannot_be_edited_is_told(page: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture")
    page.click("#tab-edit")
    page.set_input_files("#photo", tmp_path / "notes.png")
    expect(page.locator("#problem")).to_contain_text("notes.png is not an image")
    with page.expect_response("**/api/write"):
        page.evaluate("write()")  # words that are painted meanwhile do not take the sentence away
    assert page.inner_text("#problem").startswith("notes.png is not an image")
    Image.fromarray(drawn_photo()[0]).save(tmp_path / "shop.png")
    page.set_input_files("#photo", tmp_path / "shop.png")
    page.wait_for_selector("#problem", state="hidden")


def test_what_runs_in_the_background_takes_no_complaint_away(page: Any) -> None:
    page.click("#tab-look")
    page.wait_for_selector("#samples figure")
    page.click("#save-keep")
    for _ in range(2):
        with page.expect_response("**/api/state"):
            pass
    assert page.inner_text("#problem") == 'No sample is marked "keep".'


def test_without_a_model_the_page_says_how_to_get_one(page: Any) -> None:
    page.click("#tab-fit")
    assert page.inner_text("#fit-hint").startswith("No model was given. Make one with siman-synth fit")
    assert page.locator("#fit-report").is_hidden()


def test_reports(page: Any) -> None:
    page.click("#tab-evaluate")
    page.wait_for_selector("#reports td")
    assert page.locator("#reports tbody tr").first.inner_text().split("\t") == [
        "readability · right",
        "0.9700",
    ]


def test_rejected_words_are_shown_below(
    page: Any, address: str, labeled: Path, request: pytest.FixtureRequest
) -> None:
    """`generate` leaves a picture of them beside the data set."""
    page.click("#tab-look")
    assert page.locator("#rejected").is_hidden()
    picture = labeled.with_name(f"{labeled.name}.rejected.png")
    request.addfinalizer(lambda: picture.unlink(missing_ok=True))
    Image.new("RGB", (700, 90), (200, 30, 30)).save(picture)
    page.reload()
    page.wait_for_selector("#rejected:not([hidden]) summary")
    page.focus("#rejected summary")
    page.keyboard.press("Enter")
    expect(page.locator("#rejected-picture")).to_have_js_property("naturalWidth", 700)


def test_a_bar_shows_while_painting_takes_long(page: Any) -> None:
    def late(route: Any) -> None:
        page.wait_for_selector("#write-progress:not([hidden])")
        route.continue_()

    page.route("**/api/write", late)
    page.fill("#words", "Quay")
    expect(page.locator("#painted img")).to_have_count(1)
    assert page.locator("#write-progress").is_hidden()


def test_copying_where_the_browser_has_no_clipboard_for_the_page(page: Any) -> None:
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.click("summary:has-text('Make a data set')")
    page.click("[data-copy=toml]")
    expect(page.locator("[data-copy=toml]")).to_have_text("Copied")
    page.evaluate("document.execCommand = () => false")
    page.click("[data-copy=python]")
    assert page.inner_text("#problem").startswith("This browser does not let the page copy.")


def test_words_and_complaints_stay_in_view(page: Any) -> None:
    page.locator("#styles button").last.scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator("#painted")).to_be_in_viewport()
    page.click("#tab-look")
    page.wait_for_selector("#samples figure")
    page.locator("#save-keep").focus()
    page.keyboard.press("Enter")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator("#problem")).to_be_in_viewport()


def focused(page: Any) -> str:
    """Return what has the focus: its id, or what it belongs to and says."""
    found: str = page.evaluate(
        "(e => e.id || `${e.closest('[id]')?.id} ${e.getAttribute('aria-label') || e.innerText}`)"
        "(document.activeElement)"
    )
    return found.split("\n")[0]


def press(page: Any, *keys: str) -> str:
    for key in keys:
        page.keyboard.press(key)
    return focused(page)


def test_a_list_is_one_stop_of_the_tab_key(page: Any) -> None:
    page.focus("#clear-styles")
    names = [button.get_attribute("aria-label") for button in page.locator("#styles button").all()]
    assert press(page, "Tab") == f"styles {names[0]}"
    assert press(page, "ArrowRight", "ArrowRight", "ArrowLeft") == f"styles {names[1]}"
    assert press(page, "End") == f"styles {names[-1]}"
    assert press(page, "ArrowRight") == f"styles {names[-1]}"
    page.keyboard.press("Space")
    assert page.locator("#styles button").last.get_attribute("aria-pressed") == "true"
    assert press(page, "Tab") == "write Make a data set like this"
    assert press(page, "Shift+Tab") == f"styles {names[-1]}"
    page.click("#tab-look")
    page.wait_for_selector("#samples figure")
    page.focus("#forget")
    assert press(page, "Tab") == f"samples {LABELS[0]}, not marked"
    below = page.evaluate(
        "(all => all.findIndex(one => one.offsetTop > all[0].offsetTop))"
        "([...document.querySelectorAll('#samples figure')])"
    )
    assert press(page, "ArrowDown") == f"samples {LABELS[below]}, not marked"
    assert press(page, "ArrowUp", "ArrowRight") == f"samples {LABELS[1]}, not marked"
    page.keyboard.press("x")
    expect(page.locator("#marked")).to_have_text(f"{LABELS[1]}: dropped")
    assert [press(page, "Tab"), press(page, "Tab")] == ["samples Keep", "samples Drop"]
    assert press(page, "ArrowRight") == f"samples {LABELS[2]}, not marked"
    press(page, "Tab", "Tab", "Tab")
    assert not page.evaluate("document.querySelector('#samples').contains(document.activeElement)")
    page.evaluate("localStorage.clear()")


def test_everything_that_can_be_used_has_a_name(page: Any, tmp_path: Path) -> None:
    Image.fromarray(drawn_photo()[0]).save(tmp_path / "shop.png")
    tree = page.context.new_cdp_session(page)
    page.locator("#write details").evaluate("details => { details.open = true; }")
    page.evaluate("for (const bar of document.querySelectorAll('progress')) bar.hidden = false")
    for tab in ("write", "look", "edit", "fit", "evaluate"):
        page.click(f"#tab-{tab}")
        if tab == "look":
            page.wait_for_selector("#samples figure")
        if tab == "edit":
            page.set_input_files("#photo", tmp_path / "shop.png")
            page.wait_for_selector("#edit-corners .word")
            page.evaluate(
                "for (const part of document.querySelectorAll('#edit [hidden]')) part.hidden = false"
            )
        names: list[tuple[str, str]] = []
        for node in tree.send("Accessibility.getFullAXTree")["nodes"]:
            states = {state["name"] for state in node.get("properties", ()) if state["value"].get("value")}
            role = node.get("role", {}).get("value")
            if (
                not node["ignored"]
                and role != "RootWebArea"
                and ("focusable" in states or role == "progressbar")
            ):
                names.append((role, node.get("name", {}).get("value", "")))
        assert [role for role, name in names if not name] == [], tab
        copies = [name for role, name in names if role == "button" and name.startswith("Copy")]
        assert len(set(copies)) == len(copies)


def test_what_has_the_focus_is_not_covered(page: Any) -> None:
    page.fill("#words", "\n".join("quay" * 9 for _ in range(24)))
    expect(page.locator("#painted figcaption b")).to_have_count(24)
    page.locator("#write summary").focus()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert press(page, "Shift+Tab").startswith("styles ")
    for _ in range(page.locator("#styles button").count()):
        page.keyboard.press("ArrowLeft")
        assert page.evaluate(
            "(e => { const box = e.getBoundingClientRect();"
            " return e.contains(document.elementFromPoint(box.x + box.width / 2, box.y + 4)); })"
            "(document.activeElement)"
        ), focused(page)


def test_the_focus_does_not_fall_off_the_page(page: Any, tmp_path: Path) -> None:
    Image.fromarray(drawn_photo()[0]).save(tmp_path / "shop.png")
    page.click("#tab-edit")
    page.set_input_files("#photo", tmp_path / "shop.png")
    page.get_by_role("button", name="Choose OPEN").press("Enter")
    assert focused(page) == "edit-text"
    page.keyboard.type("SHUT")
    page.focus("#edit-go")
    page.keyboard.press("Space")
    page.wait_for_selector("#edit-compare:not([hidden])")
    expect(page.locator("#edit-go")).to_be_focused()
    page.focus("#edit-keep")
    page.keyboard.press("Enter")
    page.wait_for_selector("#edit-corners .word:focus, #edit-old:focus")
    page.locator("#edit-corners circle").first.press("ArrowRight")
    assert (
        page.locator("#edit-corners circle")
        .first.get_attribute("aria-label")
        .startswith("Corner top left at ")
    )


def test_what_is_told_is_told_once_and_can_be_put_away(page: Any) -> None:
    page.fill("#words", "Quay\nᚠᚢ")
    expect(page.locator("#write-status")).to_contain_text("1 cannot be written")
    page.click("#tab-look")
    page.wait_for_selector("#samples figure")
    page.evaluate(
        "window.told = 0; new MutationObserver(() => { told += 1; })"
        ".observe(document.querySelector('#look-status'), { childList: true, characterData: true })"
    )
    for _ in range(2):
        with page.expect_response("**/api/state"):
            pass
    assert page.evaluate("told") == 0
    page.click("#save-keep")
    expect(page.locator("#problem")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#problem")).to_be_hidden()


def test_what_goes_wrong_in_the_background_is_announced_once(page: Any) -> None:
    page.click("#tab-look")
    page.wait_for_selector("#samples figure")
    page.evaluate(
        "window.told = 0; new MutationObserver(() => { told += 1; })"
        ".observe(document.querySelector('#problem'), { childList: true })"
    )
    page.route("**/api/state", lambda route: route.fulfill(status=400, json={"problem": "It is lost."}))
    for _ in range(3):
        with page.expect_response("**/api/state"):
            pass
    expect(page.locator("#problem")).to_have_text("It is lost.")
    assert page.evaluate("told") == 1
