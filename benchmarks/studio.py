"""How long does the studio take for eight words, and what takes it?

    taskset -c 0 python benchmarks/studio.py --styles crops.lmdb
    taskset -c 0 python benchmarks/studio.py --styles crops.lmdb --weights light --browser

Three ways to ask, each `--repeats` times: in eight styles that were not asked for before, in eight that
stay while the words are drawn anew, and while one word of eight is typed. Stages are those of the first way.
Each is measured in the program and over HTTP, and with --browser in Chromium, from the key pressed to the
pictures decoded (which holds the 60 ms that the page waits for another key). Milliseconds: median, least,
and CPU time of this process, server and client alike (Chromium's is not in it). With `taskset` all of it
shares one core.
"""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle, islice
from statistics import median
from typing import TypeVar

import click
import httpx
import numpy as np
import torch
import uvicorn

from siman_synth.imaging.codec import encode_png
from siman_synth.render.word import ContentPlan, WordRenderer
from siman_synth.seeding import sample_rng
from siman_synth.synthesis.finish import degrade
from siman_synth.synthesis.painter import StyleCode
from siman_synth.synthesis.plan import plan_word
from siman_synth.synthesis.style import Style
from siman_synth.web.serve import open_studio
from siman_synth.web.server import COOKIE, Studio, create_app
from siman_synth.web.writing import Wish

WORDS = ("Harbour", "Street", "Opening", "hours", "Café", "No. 42", "SALE", "Fish")
"""Those that stand on the page."""
TOKEN = "token"
T = TypeVar("T")


def measure(work: Callable[[T], object], over: Iterable[T]) -> str:
    """Do the work with each value; return median, least and median CPU time in milliseconds, as columns."""
    walls, cpus = [], []
    for value in over:
        wall, cpu = time.perf_counter(), time.process_time()
        work(value)
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
    return f"{median(walls):.0f} | {min(walls):.0f} | {median(cpus):.0f}"


def usable_styles(studio: Studio, count: int) -> list[int]:
    """Return numbers of crops that words can be written in, spread over the pool."""
    found: list[int] = []
    step = max(1, len(studio.shelf) // (2 * count))
    for index in range(0, len(studio.shelf), step):
        written, _ = studio.writer.write(Wish(("a",), (index,)))
        if written[0].problem is None:
            found.append(index)
    return list(islice(cycle(found), count))


def ways(styles: list[int], repeats: int) -> dict[str, list[Wish]]:
    """Return the wishes of each way to ask."""
    eights = [tuple(styles[8 * n : 8 * n + 8]) for n in range(repeats + 1)]
    last = eights.pop()
    text = ("fishermen's wharf " * repeats)[: 2 * repeats]
    typed = [(*WORDS[:-1], text[n : n + 1 + n % 12].strip()) for n in range(repeats)]
    return {
        "new styles": [Wish(WORDS, eight, seed=1000 * n) for n, eight in enumerate(eights)],
        "the same styles, drawn anew": [Wish(WORDS, last, seed=1000 * n) for n in range(1, repeats + 1)],
        "one word typed": [Wish(words, last) for words in typed],
    }


def stages(studio: Studio, wishes: list[Wish]) -> dict[str, str]:
    """Return what each stage of a wish takes, done on its own, word by word as the studio does."""
    synthesizer, fonts, shelf = studio.writer.synthesizer, studio.writer.fonts, studio.shelf
    config = synthesizer.config
    renderer = WordRenderer(fonts, config.render)
    styles: list[list[Style]] = []
    plans: list[list[ContentPlan]] = []
    masks: list[list[np.ndarray]] = []
    codes: list[list[StyleCode]] = []
    painted: list[list[np.ndarray]] = []
    finished: list[list[np.ndarray]] = []

    def read(wish: Wish) -> None:
        styles.append([Style.from_image(shelf.decode(n), shelf.pool.name(n)) for n in wish.styles])

    def plan(wish: Wish) -> None:
        streams = [sample_rng(wish.seed + n, "content") for n in range(len(wish.words))]
        plans.append(
            [plan_word(word, fonts, config, rng) for word, rng in zip(wish.words, streams, strict=True)]
        )

    def render(n: int) -> None:
        masks.append([renderer.render(one).mask for one in plans[n]])

    def encode(n: int) -> None:
        codes.append([synthesizer.encode_style([style])[0] for style in styles[n]])

    def paint(n: int) -> None:
        pairs = zip(masks[n], codes[n], strict=True)
        painted.append([synthesizer.paint([mask], [code])[0] for mask, code in pairs])

    def finish(n: int) -> None:
        pairs = zip(painted[n], styles[n], strict=True)
        finished.append([degrade(image, None, style.sharpness, config.finish) for image, style in pairs])

    def store(n: int) -> None:
        for image in finished[n]:
            encode_png(image)

    numbers = range(len(wishes))
    return {
        "read eight crops": measure(read, wishes),
        "plan eight words": measure(plan, wishes),
        "render them": measure(render, numbers),
        "network: read styles": measure(encode, numbers),
        "network: paint": measure(paint, numbers),
        "match sharpness": measure(finish, numbers),
        "encode PNG": measure(store, numbers),
    }


@contextmanager
def served(studio: Studio) -> Iterator[str]:
    """Serve a studio in a thread; yield its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        app = create_app(studio, TOKEN, frozenset({address}))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://{address}"
        server.should_exit = True
        thread.join(10)


def ask(client: httpx.Client, wish: Wish) -> None:
    """Post a wish, and read the answer."""
    values = {"words": wish.words, "styles": wish.styles, "seed": wish.seed}
    answer = client.post("/api/write", json=values)
    answer.raise_for_status()
    assert all(word["image"] for word in answer.json()["words"])


def in_browser(address: str, repeats: int) -> dict[str, str]:
    """Return how long the page takes from an event to decoded pictures."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        raise click.ClickException("No browser found. Install one: apt-get install chromium")
    # A change of the pictures is seen by an observer; then each is decoded, as for being shown.
    waiting = """async ([act]) => {
        const painted = document.getElementById("painted");
        const changed = new Promise((done) => {
            const observer = new MutationObserver(() => { observer.disconnect(); done(); });
            observer.observe(painted, { childList: true });
        });
        const started = performance.now();
        if (act === "draw") document.getElementById("again").click();
        else {
            const words = document.getElementById("words");
            words.value = words.value.length > 90 ? words.value.slice(0, 60) : words.value + act;
            words.dispatchEvent(new Event("input"));
        }
        await changed;
        await Promise.all([...painted.querySelectorAll("img")].map((image) => image.decode()));
        return performance.now() - started;
    }"""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}/?token={TOKEN}")
        page.wait_for_selector("#painted img")
        for number in range(8):
            page.locator("#styles button").nth(number).click()
        page.wait_for_timeout(3000)
        found = {}
        for name, act in (("drawn anew", "draw"), ("one word typed", "e")):
            times = [page.evaluate(waiting, [act]) for _ in range(repeats)]
            found[name] = f"{median(times):.0f} | {min(times):.0f} |"
        browser.close()
    return found


@click.command(context_settings={"show_default": True})
@click.option("--styles", default="bundled", help="Crops that lend their style.")
@click.option("--weights", default="small", help="small, light, or a file.")
@click.option("--repeats", default=50, type=click.IntRange(min=1), help="Wishes of each way to ask.")
@click.option("--browser", is_flag=True, help="Measure in Chromium, too.")
def main(styles: str, weights: str, repeats: int, browser: bool) -> None:
    """Measure and print a Markdown table."""
    torch.set_num_threads(1)
    given = None if styles == "bundled" else styles

    def opened() -> Studio:
        return open_studio(given, weights=weights)  # nothing of an earlier measurement is kept

    studio = opened()
    chosen = usable_styles(studio, 8 * (2 * repeats + 1))
    apart, asked_here, asked_there = chosen[: 8 * repeats], chosen[: 8 * repeats + 8], chosen[8 * repeats :]
    cores = len(os.sched_getaffinity(0))
    click.echo(f"weights {weights}, {len(studio.shelf)} crops, {cores} core(s)")
    click.echo("| eight words, ms | median | least | CPU |\n|---|---|---|---|")
    for name, figures in stages(studio, ways([*apart, *chosen[:8]], repeats)["new styles"]).items():
        click.echo(f"| {name} | {figures} |")
    studio = opened()
    for name, wishes in ways(asked_here, repeats).items():
        click.echo(f"| all, {name} | {measure(studio.writer.write, wishes)} |")
    with served(opened()) as address, visitor(address) as client:
        client.get("/api/state")
        for name, wishes in ways(asked_there, repeats).items():
            click.echo(f"| HTTP, {name} | {measure(partial(ask, client), wishes)} |")
        if browser:
            for name, figures in in_browser(address, repeats).items():
                click.echo(f"| Chromium, {name} | {figures} |")


def visitor(address: str) -> httpx.Client:
    """Return who may ask a served studio."""
    return httpx.Client(base_url=address, cookies={COOKIE: TOKEN}, headers={"origin": address}, timeout=60)


if __name__ == "__main__":
    main()
