"""Take the pictures of docs/studio.md: the studio with the bundled styles, in Chromium.

python docs/make_studio.py words scenetext01.jpg

where `words` is a data set that shows no crops of others, and the photo is of Debian's package opencv-doc.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).resolve().parent
Scheme = Literal["light", "dark"]
SHOTS: tuple[tuple[str, Scheme, str], ...] = (
    ("screen", "light", "write"), ("screen", "dark", "look"), ("phone", "light", "look"),
    ("screen", "light", "edit"),
)  # fmt: skip
SIZES = {"screen": (1280, 860), "phone": (390, 844)}


def main(dataset: str, photo: str) -> None:
    """Start the studio, take the pictures, and stop it."""
    command = [sys.executable, "-m", "siman_synth", "studio", "--dataset", dataset]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as studio,
        sync_playwright() as playwright,
    ):
        assert studio.stdout is not None
        address = studio.stdout.readline().removeprefix("Open ").strip()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, scheme, tab in SHOTS:
            width, height = SIZES[name]
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = context.new_page()
            page.goto(address)
            page.wait_for_selector("#painted img")
            if tab == "write":
                for number in (1, 8, 16):
                    page.locator("#styles button").nth(number).click()
                page.wait_for_timeout(1500)
            elif tab == "edit":
                page.click("#tab-edit")
                page.set_input_files("#photo", photo)
                page.get_by_role("button", name="Choose PARKING").click()
                page.fill("#edit-text", "BATHING")
                page.click("#edit-go")
                page.wait_for_selector("#edit-compare:not([hidden])", timeout=120_000)
                page.mouse.move(5, 5)
                page.wait_for_timeout(800)
            else:
                page.click("#tab-look")
                page.check("#look-boxes")
                if name == "screen":
                    page.check("#look-real")
                page.wait_for_timeout(1500)
            kind = "jpg" if tab == "edit" and name == "screen" else "png"  # a photo takes a megabyte as PNG
            page.screenshot(path=DOCS / f"studio-{tab}-{name}.{kind}")
            context.close()
        browser.close()
        studio.terminate()


if __name__ == "__main__":
    main(*sys.argv[1:3])
