"""What was measured: rows for a Markdown table and for JSON."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from .runs import RunError

_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Row:
    """One number, or the reason why there is none."""

    section: str
    what: str
    value: float | None
    unit: str = ""
    note: str = ""
    runs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """The value as the table shows it: three digits, no exponent."""
        if self.value is None:
            return "not measured"
        digits = max(0, 3 - len(str(int(abs(self.value)))))
        return f"{self.value:,.{digits}f} {self.unit}".strip()


class Report:
    """Rows in the order in which they were measured; each is told on stderr as it comes."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._section = ""

    def section(self, name: str) -> None:
        """Let the rows that follow belong to section `name`."""
        self._section = name

    def add(self, what: str, value: float | None, unit: str = "", note: str = "", **more: Any) -> None:
        """Add a row."""
        row = Row(self._section, what, value, unit, note, **more)
        self.rows.append(row)
        print(
            f"{row.section}: {what}: {row.shown}{f' ({note})' if note else ''}", file=sys.stderr, flush=True
        )

    def missing(self, what: str, why: str) -> None:
        """Add a row without a number."""
        self.add(what, None, note=why)

    @contextmanager
    def attempt(self, what: str) -> Iterator[None]:
        """Turn a failed run into a row that says so."""
        try:
            yield
        except RunError as error:
            self.missing(what, f"failed: {error}")
        except (KeyError, ValueError, IndexError, OSError) as error:
            # A program that answered something else than was expected must not lose the other rows.
            self.missing(what, f"failed: {type(error).__name__}: {error}")

    def markdown(self, header: dict[str, str]) -> str:
        """Return the header as a list and one table a section."""
        lines = [f"- {name}: {value}" for name, value in header.items()]
        for section in dict.fromkeys(row.section for row in self.rows):
            lines += ["", f"### {section}", "", "| what | measured | remark |", "|---|---|---|"]
            lines += [
                f"| {row.what} | {row.shown} | {_cell(row.note)} |"
                for row in self.rows
                if row.section == section
            ]
        return "\n".join(lines) + "\n"

    def write(self, path: Path, header: dict[str, str]) -> None:
        """Write everything, single runs included, as JSON."""
        values = {"header": header, "rows": [asdict(row) for row in self.rows]}
        path.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "/")


def header(command: list[str]) -> dict[str, str]:
    """Return commit, machine, versions and command: what a number is worth nothing without."""
    packages = ("siman-synth", "torch", "numpy", "onnxruntime", "opencv-python", "freetype-py", "uharfbuzz")
    return {
        "command": f"`{' '.join(command)}`",
        "commit": _commit(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{_cpu()}, {_cores()} cores, {_memory()}, {platform.system()} {platform.release()}",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "versions": f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version}" for name in packages if (version := _version(name))),
    }


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", _ROOT, *arguments], capture_output=True, text=True).stdout.strip()

    try:
        commit = git("rev-parse", "--short", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no")
    except OSError:
        commit, changed = "", ""
    return (commit or "unknown") + (" with changes" if changed else "")


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
