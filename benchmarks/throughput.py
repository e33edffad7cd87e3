"""What does an image cost, how do workers, memory and training scale, and what do others need?

    python benchmarks/throughput.py --crops crops.lmdb --peer trdg=venvs/trdg/bin/python --out results.json
    python benchmarks/throughput.py --device cuda
    python benchmarks/throughput.py --only cost,workers -- --set height_px=48
    python benchmarks/throughput.py --only peers --checkout earlier=CHECKOUT-OF-ANOTHER-COMMIT

Each measured run is a process of its own; its cost is user and system time of it and its children.
What an image costs is the slope between a small and a large run, so that start-up is apart. What
is compared runs in turns, A B A B, and medians are taken; still, nothing else should run beside it.
A run that fails is a row that says so. Options after -- go to `siman-synth generate`.
"""

import dataclasses
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import click
from throughput import comparison, generate, report, training
from throughput.inputs import Inputs

SECTIONS = ("cost", "workers", "memory", "pretrain", "peers", "gpu")
_TITLES = {
    "cost": "Cost of an image, 1 worker, CPU",
    "workers": "Workers",
    "memory": "Peak resident memory, summed over all processes",
    "pretrain": "Pretraining on the CPU",
    "peers": "Other generators, same words and fonts",
    "gpu": "GPU",
}


def numbers(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[int, ...]:
    """Read "1,2,3"."""
    try:
        found = tuple(int(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(f"expected whole numbers with commas between, found {value!r}.") from None
    if min(found) < 1:
        raise click.BadParameter(f"expected positive numbers, found {value!r}.")
    return found


def two_sizes(context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, ...]:
    """Read "500,3000": a small and a large run."""
    found = numbers(context, parameter, value)
    if len(found) != 2 or found[0] >= found[1]:
        raise click.BadParameter(f"expected a smaller and a larger number, found {value!r}.")
    return found


def names(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Read NAME=PATH of peers."""
    found = {name: path for name, _, path in (value.partition("=") for value in values)}
    known = ", ".join((*comparison.VARIANTS, comparison.EARLIER))
    for name, path in found.items():
        if name not in (*comparison.VARIANTS, comparison.EARLIER) or not Path(path).exists():
            raise click.BadParameter(f"expected NAME=PATH, NAME one of {known}; found '{name}={path}'.")
    return {name: str(Path(path).absolute()) for name, path in found.items()}


def sections(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, ...]:
    """Read names of sections."""
    found = tuple(value.split(","))
    if unknown := sorted(set(found) - set(SECTIONS)):
        raise click.BadParameter(f"unknown: {', '.join(unknown)}. There are {', '.join(SECTIONS)}.")
    return found


@click.command(context_settings={"ignore_unknown_options": True, "show_default": True})
@click.option("--only", default=",".join(SECTIONS), callback=sections, help="Sections to measure.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", help="cuda adds section gpu.")
@click.option("--out", type=click.Path(path_type=Path), help="JSON with all rows and single runs.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Keep made inputs here.")
@click.option("--sizes", default="500,3000", callback=two_sizes, help="Images of a small and a large run.")
@click.option("--repeats", default=3, type=click.IntRange(min=1), help="Turns; medians are shown.")
@click.option("--words", type=click.Path(exists=True, path_type=Path), help="Words, one a line.")
@click.option("--styles", default="bundled", help="Crops that lend their style.")
@click.option("--workers", default="1,2", callback=numbers, help="Numbers of workers to compare.")
@click.option("--memory-sizes", default="500,3000", callback=numbers, help="Images of the memory runs.")
@click.option("--corpus-lines", default=10_000_000, help="Lines of the large corpus.")
@click.option("--pool-crops", default=1_000_000, help="Crops of the large style pool.")
@click.option("--crops", type=click.Path(exists=True, path_type=Path), help="Crops for pretraining.")
@click.option("--peer", "pythons", multiple=True, callback=names, help="NAME=PYTHON of an environment.")
@click.option(
    "--checkout",
    "checkouts",
    multiple=True,
    callback=names,
    help="NAME=FOLDER of its repository; earlier=FOLDER is siman-synth at another commit.",
)
@click.option("--peer-sizes", default="100,400", callback=two_sizes, help="The same for the peers.")
@click.option("--gpu-sizes", default="1000,4000", callback=two_sizes, help="The same for --device cuda.")
@click.option(
    "--gpu-batches", default="16,64,256,1024", callback=numbers, help="Batches of the network alone."
)
@click.option("--gpu-workers", default="1,8", callback=numbers, help="Workers that share the GPU.")
@click.option("--peak-tflops", type=float, help="Dense bf16 peak of the GPU, where it is not known.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def main(
    only: tuple[str, ...],
    device: str,
    out: Path | None,
    folder: Path | None,
    sizes: tuple[int, int],
    repeats: int,
    words: Path | None,
    styles: str,
    workers: tuple[int, ...],
    memory_sizes: tuple[int, ...],
    corpus_lines: int,
    pool_crops: int,
    crops: Path | None,
    pythons: dict[str, str],
    checkouts: dict[str, str],
    peer_sizes: tuple[int, int],
    gpu_sizes: tuple[int, int],
    gpu_batches: tuple[int, ...],
    gpu_workers: tuple[int, ...],
    peak_tflops: float | None,
    options: tuple[str, ...],
) -> None:
    """Measure and print a Markdown table; OPTIONS go to `siman-synth generate`."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the process that is measured ends with us
    header = report.header(["python", *sys.argv])
    results = report.Report()
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with nullcontext(folder) if folder else tempfile.TemporaryDirectory(prefix="throughput-") as work:
        inputs = Inputs(Path(work).resolve(), words)
        styles = str(Path(styles).resolve()) if Path(styles).exists() else styles
        settings = generate.Settings(inputs, results, sizes, repeats, styles, options)
        on_gpu = dataclasses.replace(settings, sizes=gpu_sizes, device="cuda")
        measured: dict[str, Callable[[], None]] = {
            "cost": lambda: generate.cost(settings),
            "workers": lambda: generate.workers(settings, workers),
            "memory": lambda: generate.memory(settings, workers, memory_sizes, corpus_lines, pool_crops),
            "pretrain": lambda: training.pretrain(settings, crops),
            "peers": lambda: comparison.peers(
                settings, pythons, {name: Path(path) for name, path in checkouts.items()}, peer_sizes
            ),
            "gpu": lambda: training.gpu(on_gpu, crops, device, gpu_batches, gpu_workers, peak_tflops),
        }
        for name in only:
            results.section(_TITLES[name])
            with results.attempt("this section"):
                measured[name]()
            if out is not None:  # after each section: an interrupted benchmark keeps what it has
                results.write(out, header)
    click.echo(results.markdown(header))


if __name__ == "__main__":
    main()
