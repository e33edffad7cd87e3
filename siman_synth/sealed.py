"""Values in JSON with a checksum among them, so that what was damaged is never believed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from siman_synth.files import write_text

_CHECK = "check"


def sealed(values: Mapping[str, Any]) -> str:
    """Return plain values as JSON, with their checksum."""
    plain = json.loads(json.dumps(dict(values)))  # as they will be read: tuples are lists
    return json.dumps({**plain, _CHECK: _checksum(plain)}, indent=1)


def unsealed(text: str | bytes) -> dict[str, Any]:
    """Return the values that `sealed` wrote.

    Raises:
        ValueError: they were changed, or are none.
    """
    values = json.loads(text)
    if not isinstance(values, dict) or values.pop(_CHECK, None) != _checksum(values):
        raise ValueError("values that were changed")
    return values


def write_sealed(path: Path, values: Mapping[str, Any]) -> None:
    """Write a file of sealed values that is there whole or not at all."""
    write_text(path, sealed(values))


def read_sealed(path: Path) -> dict[str, Any] | None:
    """Return the values of such a file, None if it is missing, damaged or a link."""
    try:
        return None if path.is_symlink() else unsealed(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _checksum(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
