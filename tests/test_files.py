"""Files and folders that are there whole, or gone whole."""

import contextlib
import threading
from pathlib import Path

from siman_synth.files import delete_in_use


def test_a_folder_in_which_another_writes_is_gone_whole(tmp_path: Path) -> None:
    def write(folder: Path, ended: threading.Event) -> None:
        number = 0
        while not ended.is_set():
            number += 1
            with contextlib.suppress(FileNotFoundError):
                (folder / f"{number:06d}").mkdir()
                (folder / f"{number:06d}" / "data").write_bytes(b"x")

    for attempt in range(20):
        folder = tmp_path / f"staging-{attempt}"
        folder.mkdir()
        ended = threading.Event()
        writer = threading.Thread(target=write, args=(folder, ended))
        writer.start()
        try:
            while not any(folder.iterdir()):
                pass
            delete_in_use(folder, tmp_path / "doomed")
        finally:
            ended.set()
            writer.join()
        assert not list(tmp_path.iterdir())


def test_a_folder_that_is_gone_is_no_error(tmp_path: Path) -> None:
    delete_in_use(tmp_path / "staging", tmp_path / "doomed")
