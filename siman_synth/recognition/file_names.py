"""Which file a recognizer is in; apart from `weights`, so that asking for a name does not load torch."""

from pathlib import Path

RECOGNIZER_FILE = "recognizer.safetensors"
"""What a training run leaves in its folder."""


def recognizer_file(path: str | Path) -> Path:
    """Return the weights file that `path` means: itself, or the one in a training run's folder."""
    found = Path(path).expanduser()
    return found / RECOGNIZER_FILE if found.is_dir() else found
