"""What in the folders of a run is ours. Nothing else is ever removed."""

import os
import re
from pathlib import Path

from siman_synth.own_names import HALF, OwnNames
from siman_synth.storage.lmdb_format import DATA_FILE, LOCK_FILE

_STAGE = r"staging\.partial-[0-9a-f]{32}/\d{6,}-\w+"

RUN = OwnNames(
    folders=re.compile(
        rf"merged|beside|shards|shards/({_STAGE}|staging\.partial-[0-9a-f]{{32}})"
        rf"|shards/({_STAGE}/)?\d{{6,}}\.(lmdb|partial-\d+)"
    ),
    files=re.compile(
        r"merged/(data|lock)\.mdb"
        rf"|beside/(config\.toml|summary\.json|rejected\.png){HALF}"
        rf"|shards/({_STAGE}/)?\d{{6,}}(\.json{HALF}|\.(lmdb|partial-\d+)/(data|lock)\.mdb)"
    ),
)
"""What lies in `OUT.run/`."""


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
