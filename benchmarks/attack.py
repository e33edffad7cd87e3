"""Does anything a user may bring, or do, end in a traceback, a hang, wrong bytes or a lost file?

    python benchmarks/attack.py --files 1000 --signals 300 --disks 12 --seed 1

Damaged LMDBs, images, fonts, weights and shards go through the commands that read them; runs,
trainings and evaluations are stopped at random moments and gone on with; runs fill small disks
(that needs root, for `mount`). A user's files lie beside all of it, and nothing may touch them.
Commands are forked from a process that has imported everything, so that start-up, in which
nothing can be harmed, does not take most of the time.
"""

import json
import shutil
import tempfile
from pathlib import Path

import click
import numpy as np
from attack.commands import run
from attack.disks import attack_disks
from attack.files import attack_files
from attack.record import Record
from attack.scene import Scene, state
from attack.signals import attack_with_signals
from tqdm import tqdm

_COUNT = click.IntRange(min=0)


@click.command()
@click.option("--files", default=1000, show_default=True, type=_COUNT, help="Damaged files.")
@click.option(
    "--signals", default=300, show_default=True, type=click.IntRange(min=0), help="Stopped commands."
)
@click.option("--disks", default=12, show_default=True, type=_COUNT, help="Disk sizes.")
@click.option("--seed", default=1, show_default=True, type=_COUNT, help="Random seed.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the counts as JSON.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to work  [default: a temporary one]")
def main(files: int, signals: int, disks: int, seed: int, out: Path | None, folder: Path | None) -> None:
    """Attack the commands and count faults; exit status 1 if there is any."""
    work = Path(tempfile.mkdtemp(prefix="attack-", dir=folder))
    scene = Scene.prepare(work)
    run(["--version"], work, patience_s=600.0)  # the first fork waits for the imports
    before = {name: state(work / name) for name in ("mine", "sound")}
    record = Record()
    rng = np.random.default_rng(seed)
    with tqdm(total=files + signals + disks, unit="command", disable=None) as bar:
        if files:
            attack_files(scene, files, rng, record, bar)
        if signals:
            attack_with_signals(scene, signals, rng, record, bar)
        why = attack_disks(scene, disks, record, bar) if disks else None
    for name, files_before in before.items():
        if state(work / name) != files_before:
            record.fault("user's files", "touched", name)
    print(record.to_text())
    if why:
        print(f"small disks left out: {why}")
    if out:
        out.write_text(json.dumps(record.to_json(), indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(work)
    if record.faults.total():
        raise SystemExit(1)


if __name__ == "__main__":
    main()
