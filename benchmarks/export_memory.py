"""Does the memory of an export grow with the data set, and how fast is it?

    python benchmarks/export_memory.py --n 100000 --n 1000000 --to parquet --to webdataset
    python benchmarks/export_memory.py --n 100000 --to paddleocr --to tesstrain -- --val 0.1 --separate-words

For each number of samples an LMDB is written: some hundreds of words that `siman-synth generate` made, the
smallest of a thousand, over and over, each time with another label. `siman-synth export` then runs
in a process of its own, whose memory is looked at ten times a second (Linux: /proc/PID/status), and the
export is removed. What stands after `--` goes to `export` as it is.

Columns: *own* is memory that only the process has (RssAnon, at its peak); *files* are pages of files that it
has mapped, which is the LMDB: the kernel takes them back when it needs room (RssFile, at its peak). *s* is
the time that passed.
"""

import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import click
from tqdm import tqdm

from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter

WORDS = 300
_MADE = 1000
_CHUNK = 5000
_LOOK_EVERY_S = 0.1
_MB = 1e6


@dataclass(slots=True)
class Peak:
    """Memory of a process at its peaks, in bytes, and its time."""

    own: int = 0
    files: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


def small_words(folder: Path) -> list[Sample]:
    """Return the smallest images of a run of `generate`, made in `folder`."""
    out = folder / "words"
    if not out.exists():
        _siman("generate", "--n", str(_MADE), "--seed", "7", "--out", str(out))
    with LmdbReader.open(out) as reader:
        return sorted(reader, key=lambda sample: len(sample.image))[:WORDS]


def write_set(words: Sequence[Sample], count: int, folder: Path, meta: bool) -> None:
    """Write `count` samples with as many different labels."""
    with LmdbWriter.create(folder, chunk=_CHUNK) as writer:
        repeated = islice(cycle(words), count)
        for number, word in enumerate(tqdm(repeated, desc="LMDB", total=count, disable=None)):
            label = f"{word.label}{number}"
            writer.write(
                Sample(word.image, label, word.width_px, word.height_px, word.meta if meta else None)
            )


def watched(command: Sequence[str]) -> Peak:
    """Run a command and return its peaks.

    Raises:
        ClickException: it failed.
    """
    peak, begun, used = Peak(), time.perf_counter(), _cpu_of_children()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    status = Path(f"/proc/{process.pid}/status")
    try:
        while process.poll() is None:
            values = dict(line.split(":", 1) for line in status.read_text().splitlines())
            if "RssAnon" in values:  # it is gone once the process has ended
                peak.own = max(peak.own, _bytes(values["RssAnon"]))
                peak.files = max(peak.files, _bytes(values["RssFile"]))
            time.sleep(_LOOK_EVERY_S)
    finally:
        if process.poll() is None:
            process.terminate()
    if process.returncode:
        raise click.ClickException(f"{' '.join(command)} ended with {process.returncode}.")
    peak.seconds, peak.cpu_seconds = time.perf_counter() - begun, _cpu_of_children() - used
    return peak


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _bytes(value: str) -> int:
    return 1024 * int(value.split()[0])


def _siman(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "siman_synth", *arguments], check=True, stdout=subprocess.DEVNULL)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@click.command()
@click.option("--n", "counts", multiple=True, type=click.IntRange(1), default=(100_000,), help="Samples.")
@click.option("--to", "layouts", multiple=True, default=("parquet", "webdataset"), help="As `export --to`.")
@click.option("--meta", is_flag=True, help="Boxes, font and style go along.")
@click.option(
    "--folder", default="export-memory", type=click.Path(path_type=Path), help="Where all of it is written."
)
@click.option("--keep", is_flag=True, help="Leave the LMDBs for another run.")
@click.argument("options", nargs=-1)
def main(
    counts: tuple[int, ...],
    layouts: tuple[str, ...],
    meta: bool,
    folder: Path,
    keep: bool,
    options: tuple[str, ...],
) -> None:
    """Measure exports of data sets of several sizes."""
    folder.mkdir(exist_ok=True)
    words = small_words(folder)
    click.echo(
        "| samples | layout | own MB | files MB | CPU s | s | samples a CPU second | MB written |\n"
        + "|---" * 8
        + "|"
    )
    for count in counts:
        data = folder / f"{count}{'-meta' * meta}"
        if not data.exists():
            write_set(words, count, data, meta)
        for layout in layouts:
            out = folder / "out"
            command = ["export", str(data), "--to", layout, "--out", str(out), *options]
            peak = watched([sys.executable, "-m", "siman_synth", *command])
            click.echo(
                f"| {count:,} | {layout} | {peak.own / _MB:.0f} | {peak.files / _MB:.0f} | "
                f"{peak.cpu_seconds:.0f} | {peak.seconds:.0f} | {count / peak.cpu_seconds:.0f} | "
                f"{_size(out) / _MB:.0f} |"
            )
            shutil.rmtree(out)
        if not keep:
            shutil.rmtree(data)


if __name__ == "__main__":
    main()
