"""Finished shards: where they lie, the marker that says so, and whether they are what it says."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siman_synth.files import content_hash
from siman_synth.runs.samples import Reject
from siman_synth.sealed import read_sealed, write_sealed
from siman_synth.storage.lmdb_format import DATA_FILE
from siman_synth.tally import Tally


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What a finished shard holds; its marker file says the same."""

    shard: int
    made: int
    dropped: int
    rejected: Tally
    rejects: tuple[Reject, ...] = ()
    """A few of the pictures that were rejected."""
    run: str = ""
    """Fingerprint of the identity of the run that it belongs to."""
    sha256: str = ""
    """Hash of the data file: it is compared before LMDB, which dies of damage, may see it."""

    def to_values(self) -> dict[str, Any]:
        """Return what the marker holds."""
        return {
            "shard": self.shard,
            "made": self.made,
            "dropped": self.dropped,
            "run": self.run,
            "sha256": self.sha256,
            "rejects": [(one.reason, one.label, b64encode(one.image).decode()) for one in self.rejects],
            "rejected": self.rejected.to_json(),
        }

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "ShardReport":
        """Restore what a marker holds.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        rejects = tuple(Reject(reason, label, b64decode(image)) for reason, label, image in values["rejects"])
        rejected = Tally.from_json(values["rejected"])
        return cls(
            values["shard"], values["made"], values["dropped"], rejected, rejects, values["run"],
            values["sha256"],
        )  # fmt: skip


def shard_folder(folder: Path, shard: int) -> Path:
    """Where the samples of a finished shard lie."""
    return folder / f"{shard:06d}.lmdb"


def marker_file(folder: Path, shard: int) -> Path:
    """The file whose presence says that a shard is finished."""
    return folder / f"{shard:06d}.json"


def write_marker(folder: Path, report: ShardReport) -> None:
    """Say that a shard is finished; its data must be on the disk."""
    write_sealed(marker_file(folder, report.shard), report.to_values())


def read_marker(folder: Path, shard: int) -> ShardReport | None:
    """Return the report of a finished shard, None if it is not finished or its marker is damaged."""
    values = read_sealed(marker_file(folder, shard))
    try:
        return None if values is None else ShardReport.from_values(values)
    except (KeyError, TypeError, ValueError):
        return None


def damage(folder: Path, report: ShardReport, shard: int, run: str) -> str | None:
    """Return why a shard must be made again, None if it is what its report says, to the last bit."""
    if report.shard != shard or report.run != run:
        return "shard of another run"
    try:
        found = content_hash(shard_folder(folder, shard) / DATA_FILE)
    except OSError:
        return "shard whose data cannot be read"
    return None if found == report.sha256 else "shard whose data was damaged"
