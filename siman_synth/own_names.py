"""Which names in a folder of work in progress are ours: such as no user would give, and no link.

Nothing else is ever removed.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from siman_synth.errors import OutputError
from siman_synth.escaping import printable

HALF = r"(\.partial(-\d+)?)?"
"""What the name of a file may end with while it is written."""
IDENTITY, RESULT, LOCK = "identity.json", "result.json", "lock"


@dataclass(frozen=True, slots=True)
class OwnNames:
    """Patterns of paths below such a folder, relative to it, with `/` between the parts.

    The identity and the lock of the work are always among them.
    """

    folders: re.Pattern[str]
    files: re.Pattern[str]
    whole: re.Pattern[str] | None = None
    """Folders that are ours with all that is in them."""

    def strangers(self, folder: Path) -> list[str]:
        """Return what lies in a folder that we did not make: by name, or because it is a link."""
        return [name for name, ours in self._looked_through(folder) if not ours]

    def refuse_strangers(self, folder: Path) -> None:
        """Refuse a folder that holds what is not ours.

        Raises:
            OutputError: it does.
        """
        if strangers := self.strangers(folder):
            raise OutputError(
                f"{folder} holds other files ({shown(strangers)}), which are not removed. Choose another "
                "output folder."
            )

    def delete(self, folder: Path, below: str | None = None, keep: str | None = None) -> None:
        """Remove what is ours from a folder, and leave what is not and the folders around it.

        Args:
            folder: where the work lies.
            below: only this, relative to the folder; None for all. Then identity and result go late and the
                lock last: killed meanwhile, the folder can still be told to be ours.
            keep: but not this file.
        """
        ours = [name for name, is_ours in self._looked_through(folder) if is_ours]
        names = [name for name in ours if name != keep and _is_below(name, below)]
        late = {IDENTITY: 1, RESULT: 2, LOCK: 3}
        for name in sorted(names, key=lambda name: (late.get(name, 0), -name.count("/"))):
            path = folder / name
            if not path.is_dir():
                path.unlink(missing_ok=True)
            elif self._is_whole(name):
                shutil.rmtree(path)
            else:
                with suppress(OSError):  # it holds what is not ours
                    path.rmdir()

    def remove(self, folder: Path) -> None:
        """Remove a folder but for what is not ours; what cannot be removed stays."""
        with suppress(OSError):
            self.delete(folder)
            folder.rmdir()

    def _is_whole(self, name: str) -> bool:
        return self.whole is not None and self.whole.fullmatch(name) is not None

    def _is_our_file(self, name: str, entry: "os.DirEntry[str]") -> bool:
        if not entry.is_file(follow_symlinks=False):
            return False
        if name == LOCK:  # ours is empty
            return entry.stat(follow_symlinks=False).st_size == 0
        return _IDENTITY.fullmatch(name) is not None or self.files.fullmatch(name) is not None

    def _looked_through(self, folder: Path) -> Iterator[tuple[str, bool]]:
        """Yield every path below a folder, relative to it, and whether it is ours."""
        waiting = [folder]
        while waiting:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    name = Path(entry.path).relative_to(folder).as_posix()
                    if not entry.is_dir(follow_symlinks=False):
                        yield name, self._is_our_file(name, entry)
                    elif self._is_whole(name):
                        yield name, True
                    else:
                        ours = self.folders.fullmatch(name) is not None
                        if ours:
                            waiting.append(Path(entry.path))
                        yield name, ours


def is_begun(folder: Path) -> bool:
    """Whether more lies in a folder than a process leaves that is killed before it said whose it is."""
    return any(name != LOCK and not name.startswith(f"{IDENTITY}.partial") for name in os.listdir(folder))


def nobodys(folder: Path) -> OutputError:
    """Return what to say of a folder of work whose identity is missing or damaged."""
    return OutputError(
        f"{folder} holds no {IDENTITY} that says whose it is, so it is not touched. Remove it, or "
        "choose another output folder."
    )


def shown(names: list[str]) -> str:
    """Return a few names for a message."""
    return ", ".join(map(printable, sorted(names)[:3])) + (", …" if len(names) > 3 else "")


_IDENTITY = re.compile(re.escape(IDENTITY) + HALF)


def _is_below(name: str, below: str | None) -> bool:
    return below is None or name == below or name.startswith(f"{below}/")
