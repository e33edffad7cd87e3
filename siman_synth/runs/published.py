"""A finished data set: what it says about itself, what lies beside it, and whose that is."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from json import loads
from pathlib import Path
from typing import Any, Self

from siman_synth.config import to_toml
from siman_synth.errors import OutputError
from siman_synth.files import content_hash, publish_folder, sync_folder, write_text
from siman_synth.runs.job import Job
from siman_synth.runs.result import GenerateResult, Record
from siman_synth.runs.run_folder import RunPaths, read_json, to_json
from siman_synth.storage.lmdb_format import DATA_FILE, RUN_KEY
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.tally import Tally


@dataclass(frozen=True, slots=True)
class Summary:
    """What lies beside a data set as `OUT.summary.json`."""

    record: Record
    skipped: Mapping[str, Tally]
    data_sha256: str | None
    """Hash of the data file; None in summaries of earlier versions."""
    files: Mapping[str, str]
    """Hashes of the other files beside the data set, by their names in `RunPaths.beside`."""
    seconds: float
    images_per_second: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            **self.record.to_json(),
            "skipped": {kind: tally.to_json() for kind, tally in self.skipped.items()},
            "seconds": self.seconds,
            "images_per_second": self.images_per_second,
            "data_sha256": self.data_sha256,
            "files": dict(self.files),
        }

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read a summary; None if it is missing, damaged, a link, or none of ours."""
        values = read_json(path)
        record = Record.from_json(values)
        if values is None or record is None:
            return None
        try:
            return cls(
                record,
                {kind: Tally.from_json(entries) for kind, entries in values["skipped"].items()},
                values.get("data_sha256"),
                dict(values.get("files", {})),
                float(values["seconds"]),
                float(values["images_per_second"]),
            )
        except (AttributeError, LookupError, TypeError, ValueError):
            return None


def read_record(paths: RunPaths) -> Record | None:
    """Return what the data set at OUT says about itself; None if it is none of ours.

    A data set of an earlier version says nothing; then a summary that fits it speaks for it.

    Raises:
        DatasetError: it cannot be read.
    """
    with LmdbReader.open(paths.out) as reader:
        stored, samples = reader.raw(RUN_KEY), len(reader)
    if stored is not None:
        try:
            return Record.from_json(loads(stored))
        except (ValueError, RecursionError):
            return None
    summary = Summary.read(paths.summary)
    return summary.record if summary and summary.record.made == samples else None


def not_ours(paths: RunPaths, record: Record | None) -> list[Path]:
    """Return the files beside OUT that are not provably of the data set that is or was there.

    Args:
        paths: where they lie.
        record: what the data set says about itself, None if there is none.
    """
    known = [Summary.read(path) for path in (paths.summary, paths.beside / "summary.json")]
    summaries = [one for one in known if one and (record is None or one.record.identity == record.identity)]
    foreign = []
    for name, path in paths.side_files().items():
        if not os.path.lexists(path):
            continue
        ours = path.is_file() and not path.is_symlink()
        if ours and name == "summary.json":
            ours = known[0] in summaries
        elif ours:
            told = [one.record for one in summaries] + ([record] if record else [])
            ours = any(content_hash(path) == one.files.get(name) for one in summaries)
            ours = ours or (name == "config.toml" and any(_is_config(path, one) for one in told))
        if not ours:
            foreign.append(path)
    return foreign


def prepare(paths: RunPaths, job: Job, result: GenerateResult, record: Record, data: Path) -> None:
    """Write what will lie beside the data set into the run's folder, the summary last."""
    paths.beside.mkdir(exist_ok=True)
    write_text(paths.beside / "config.toml", to_toml(job.config))
    summary = Summary(
        record,
        result.skipped,
        content_hash(data / DATA_FILE),
        {file.name: content_hash(file) for file in sorted(paths.beside.glob("*.*")) if _is_told(file)},
        round(result.seconds, 2),
        round(result.images_per_second, 2),
    )
    write_text(paths.beside / "summary.json", to_json(summary.to_json()))


def publish(paths: RunPaths) -> None:
    """Give the merged data set its name: the moment at which a run is done. Then what lies beside it.

    Raises:
        OutputError: a file that is not ours lies where one of ours must go.
    """
    if foreign := not_ours(paths, None):
        raise in_the_way(foreign[0], paths)
    for path in paths.side_files().values():
        path.unlink(missing_ok=True)
    publish_folder(paths.merged, paths.out)
    place_side_files(paths)


def place_side_files(paths: RunPaths) -> None:
    """Move what was prepared to its place, the summary last; what is there already is not replaced.

    Raises:
        OutputError: another file lies there.
    """
    for name, path in paths.side_files().items():
        prepared = paths.beside / name
        if not prepared.exists():
            continue
        try:
            _move(prepared, path)
        except FileExistsError as error:
            # The second name of a file whose move was interrupted, or somebody else's.
            if path.is_symlink() or not path.is_file() or content_hash(path) != content_hash(prepared):
                raise in_the_way(path, paths) from error
            prepared.unlink()
    sync_folder(paths.out.parent)


def in_the_way(path: Path, paths: RunPaths) -> OutputError:
    """Return the error for a file that the run would have to replace and must not."""
    return OutputError(
        f"{path} is in the way: it is not of a data set that was made at {paths.out}, so it is not "
        "replaced. Move it away, or choose another output folder."
    )


def _move(source: Path, target: Path) -> None:
    """Rename a file unless there is one of the new name.

    Raises:
        FileExistsError: there is.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError as error:  # a file system without second names
        if os.path.lexists(target):
            raise FileExistsError(str(target)) from error
        source.rename(target)
    else:
        source.unlink()


def _is_told(file: Path) -> bool:
    return file.name in ("config.toml", "rejected.png")


def _is_config(path: Path, record: Record) -> bool:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return values == record.identity.get("config")
