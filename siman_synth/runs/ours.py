"""What in a run's folder is ours: named as no user would, and no link. Nothing else is ever removed."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from siman_synth.escaping import printable
from siman_synth.storage.lmdb_format import DATA_FILE, LOCK_FILE

_HALF = r"(\.partial(-\d+)?)?"
_STAGE = r"staging\.partial-[0-9a-f]{32}/\d{6,}-\w+"
_OUR_FOLDERS = re.compile(
    rf"merged|beside|shards|shards/({_STAGE}|staging\.partial-[0-9a-f]{{32}})"
    rf"|shards/({_STAGE}/)?\d{{6,}}\.(lmdb|partial-\d+)"
)
_OUR_FILES = re.compile(
    rf"lock|identity\.json{_HALF}|merged/(data|lock)\.mdb"
    rf"|beside/(config\.toml|summary\.json|rejected\.png){_HALF}"
    rf"|shards/({_STAGE}/)?\d{{6,}}(\.json{_HALF}|\.(lmdb|partial-\d+)/(data|lock)\.mdb)"
)


def strangers(run: Path) -> list[str]:
    """Return what lies in a run's folder that no run makes: by name, or because it is a link."""
    return [name for name, ours in _looked_through(run) if not ours]


def delete_ours(run: Path, below: str | None = None, keep: str | None = None) -> None:
    """Remove what runs make from a run's folder, and leave what they do not and the folders around it.

    Args:
        run: the run's folder.
        below: only this, relative to the folder; None for all. Then the identity goes late and the
            lock last: killed meanwhile, the folder can still be told to be ours.
        keep: but not this file.
    """
    ours = [name for name, is_ours in _looked_through(run) if is_ours]
    names = [name for name in ours if name != keep and _is_below(name, below)]
    late = {"identity.json": 1, "lock": 2}
    for name in sorted(names, key=lambda name: (late.get(name, 0), -name.count("/"))):
        path = run / name
        if path.is_dir():
            with suppress(OSError):  # it holds what is not ours
                path.rmdir()
        else:
            path.unlink(missing_ok=True)


def delete_run(run: Path) -> None:
    """Remove a run's folder but for what is not ours; what cannot be removed stays."""
    with suppress(OSError):
        delete_ours(run)
        run.rmdir()


def delete_data_set(folder: Path) -> None:
    """Remove a folder that holds an LMDB and nothing else.

    Raises:
        OSError: it holds something else, or is a link.
    """
    if not os.path.lexists(folder):
        return
    for name in (DATA_FILE, LOCK_FILE):
        if not folder.is_symlink():
            (folder / name).unlink(missing_ok=True)
    folder.rmdir()


def shown(names: list[str]) -> str:
    """Return a few names for a message."""
    return ", ".join(map(printable, sorted(names)[:3])) + (", …" if len(names) > 3 else "")


def _looked_through(run: Path) -> Iterator[tuple[str, bool]]:
    """Yield every path below a run's folder, relative to it, and whether a run makes such a one."""
    waiting = [run]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                name = Path(entry.path).relative_to(run).as_posix()
                if entry.is_dir(follow_symlinks=False):
                    ours = _OUR_FOLDERS.fullmatch(name) is not None
                    if ours:
                        waiting.append(Path(entry.path))
                else:
                    ours = entry.is_file(follow_symlinks=False) and _OUR_FILES.fullmatch(name) is not None
                    # Ours is empty.
                    ours = ours and (name != "lock" or entry.stat(follow_symlinks=False).st_size == 0)
                yield name, ours


def _is_below(name: str, below: str | None) -> bool:
    return below is None or name == below or name.startswith(f"{below}/")
