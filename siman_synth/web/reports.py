"""The numbers of evaluation reports, side by side."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from siman_synth.errors import ConfigError
from siman_synth.escaping import printable

METRICS_FILE = "metrics.json"
_MOST_BYTES = 10_000_000


def reports_of(folders: Sequence[Path]) -> list[Path]:
    """Return the files of numbers in report folders.

    Raises:
        ConfigError: a folder holds none.
    """
    files = []
    for folder in folders:
        file = folder / METRICS_FILE if folder.is_dir() else folder
        if not file.is_file() or file.name != METRICS_FILE:
            raise ConfigError(
                f"{folder} is no report: it holds no {METRICS_FILE}. Give what `evaluate` wrote."
            )
        files.append(file)
    return files


def compared(files: Sequence[Path]) -> dict[str, Any]:
    """Return {"names": […], "rows": [{"key": …, "values": […]}]} of all numbers in reports.

    Raises:
        ConfigError: one cannot be read.
    """
    columns = [dict(_numbers(_loaded(file))) for file in files]
    keys = list(dict.fromkeys(key for column in columns for key in column))
    return {
        "names": [printable(file.parent) for file in files],
        "rows": [{"key": key, "values": [column.get(key) for column in columns]} for key in keys],
    }


def _loaded(file: Path) -> Any:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"{file} is too large for a report's numbers.")
        return json.loads(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"Cannot read {file}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file} is not JSON: {error}.") from error


def _numbers(value: Any, before: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(item, f"{before} · {key}" if before else str(key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield before, value
