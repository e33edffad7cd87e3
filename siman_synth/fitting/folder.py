"""The folder of a fit: whose it is, what belongs to it, and what may be removed of it."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siman_synth.config import first_difference
from siman_synth.errors import OutputError
from siman_synth.files import RUN_MARKER, delete, full_disk_told, locked, make_folder, refuse_busy, write_text
from siman_synth.marked_folder import entries, read_marker, refuse_links, refuse_strangers

RECIPE, MODEL, REPORT, WEIGHTS = "recipe.toml", "model.toml", "report.html", "siman.safetensors"
SEARCH, PRETRAINING = "search", "pretraining"

_KIND, _LOCK = "fit", "lock"
_OURS = (RECIPE, MODEL, REPORT, WEIGHTS, SEARCH, PRETRAINING, _LOCK, RUN_MARKER)
_PARTIAL = re.compile(r".+\.partial-\d+")
_SEARCHED = re.compile(r"((round-\d{3,}|guide|checked|repainted)\.npz|trials\.json)(\.partial-\d+)?")
"""What lies in the folder of the search."""


@dataclass(frozen=True, slots=True)
class FitFolder:
    """A folder that a fit writes to: a recipe, a model file, a report, and the search it came from."""

    path: Path

    @property
    def search(self) -> Path:
        """Where simulated rounds and trials lie."""
        return self.path / SEARCH

    def require_free(self, resume: bool, overwrite: bool) -> None:
        """Refuse a folder that this fit may not take; looks, and changes nothing.

        Raises:
            OutputError: it is a link or no folder, holds files of others, or a fit that is neither to be
                resumed nor overwritten, or that another process works on.
        """
        self._require_free(resume, overwrite, is_held=False)

    def _require_free(self, resume: bool, overwrite: bool, is_held: bool) -> None:
        found = entries(self.path, "fit")
        if found is None:
            return
        if RUN_MARKER in found:
            strangers = {name for name in found if name not in _OURS and not _PARTIAL.fullmatch(name)}
            strangers |= _strangers_in_search(self.search)
        else:
            strangers = found.keys() - {_LOCK}
        refuse_strangers(self.path, strangers, "fit")
        refuse_links(found, _OURS, "fit")
        if RUN_MARKER in found:
            self._read_marker()
            if not (resume or overwrite):
                if not is_held:
                    refuse_busy(self.path / _LOCK, str(self.path))
                raise OutputError(
                    f"{self.path} holds a fit. Resume it, overwrite it, or choose another output folder."
                )

    @contextmanager
    def held(self, resume: bool, overwrite: bool, identity: Mapping[str, Any]) -> Iterator[None]:
        """Take the folder, keep other processes off it, and compare what is there with `identity`.

        Raises:
            OutputError: as `require_free`, another process works on it, or a fit that is to be resumed was
                made from something else.
        """
        self.require_free(resume, overwrite)
        make_folder(self.path)
        with (
            full_disk_told(f"What was done is kept in {self.path}", "fit"),
            locked(self.path / _LOCK, str(self.path)),
        ):
            self._require_free(resume, overwrite, is_held=True)  # again: another process may have come first
            if overwrite:
                # The marker goes last: until then the folder is known to be ours.
                for name in (*(one for one in _OURS if one not in (_LOCK, RUN_MARKER)), RUN_MARKER):
                    delete(self.path / name)
            marker = self.path / RUN_MARKER
            if marker.exists():
                if difference := first_difference(self._read_marker(), identity):
                    raise OutputError(
                        f"The fit in {self.path} was begun otherwise: {difference}. Give what it was begun "
                        "with, or overwrite it."
                    )
            else:
                text = json.dumps({"kind": _KIND, "identity": dict(identity)}, indent=1)
                write_text(marker, text + "\n")
            make_folder(self.search)
            yield

    def _read_marker(self) -> dict[str, Any]:
        return read_marker(self.path, _KIND, ("identity",), "folder")["identity"]


def _strangers_in_search(folder: Path) -> set[str]:
    if folder.is_symlink() or not folder.is_dir():
        return set()
    return {
        f"{SEARCH}/{entry.name}"
        for entry in folder.iterdir()
        if not _SEARCHED.fullmatch(entry.name) or entry.is_symlink() or not entry.is_file()
    }
