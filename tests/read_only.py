"""A folder that nobody can write to, root neither."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only for a while; for root, who may write anywhere, by a mount of its own."""
    if os.geteuid() == 0:
        try:
            for options in (["--bind", str(folder)], ["-o", "remount,ro,bind"]):
                subprocess.run(["mount", *options, str(folder)], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"cannot mount a read-only folder: {error}")
    else:
        folder.chmod(0o555)
    try:
        yield
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", str(folder)], check=True)
        else:
            folder.chmod(0o755)
