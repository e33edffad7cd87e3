"""Numbers of a run: one JSON line a report, and the same as TensorBoard scalars."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from siman_synth.files import sync_file, utf8_name, write_text


class StatsWriter:
    """Append to stats.jsonl and to TensorBoard's event files in `folder`.

    On resume, what was reported after `step` is dropped from stats.jsonl, since those steps
    are about to be taken again; TensorBoard is told the same by `purge_step`.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._path = folder / "stats.jsonl"
        _drop_after(self._path, step)
        self._names = ExitStack()
        # TensorBoard takes no names that are not UTF-8.
        name = self._names.enter_context(utf8_name(folder))
        self._board = SummaryWriter(str(name / "tensorboard"), purge_step=step + 1)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Record `values` as those of `step`."""
        line = {"step": step, **{name: round(value, 6) for name, value in values.items()}}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        for name, value in values.items():
            self._board.add_scalar(name, value, step)

    def sync(self) -> None:
        """Have all that was written to stats.jsonl on the disk."""
        if self._path.exists():
            sync_file(self._path)

    def close(self) -> None:
        """Flush TensorBoard's events."""
        self._board.close()
        self._names.close()


def _drop_after(path: Path, step: int) -> None:
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except (ValueError, KeyError, TypeError):
            continue  # a line that a kill cut in half
    write_text(path, "".join(line + "\n" for line in kept))
