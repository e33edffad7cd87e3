"""All shards in one data set; a shard that is not what its marker says is found before it is read."""

from collections.abc import Sequence
from pathlib import Path

from siman_synth import stopping
from siman_synth.errors import DatasetError
from siman_synth.runs.markers import ShardReport, damage, shard_folder
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter

_CHUNK = 1000


class DamagedShardError(Exception):
    """A shard must be made again."""

    def __init__(self, shard: int, reason: str) -> None:
        super().__init__(reason)
        self.shard = shard
        self.reason = reason


def merge(shards: Path, reports: Sequence[ShardReport], run: str, record: bytes, merged: Path) -> None:
    """Write the samples of all shards, numbered from 1, and the record of the run into the folder `merged`.

    Raises:
        DamagedShardError: a shard is not what its report says; `merged` is then unfinished.
        OutputError: the disk refused the samples.
    """
    with LmdbWriter.create(merged, chunk=_CHUNK) as writer:
        for shard, report in enumerate(reports):
            if reason := damage(shards, report, shard, run):
                raise DamagedShardError(shard, reason)
            try:
                _copy(shard_folder(shards, shard), report.made, writer)
            except DatasetError as error:
                raise DamagedShardError(shard, "shard whose data cannot be read") from error
        writer.describe(record)


def _copy(folder: Path, made: int, writer: LmdbWriter) -> None:
    with LmdbReader.open(folder) as reader:
        if len(reader) != made:
            raise DatasetError(f"{folder} holds {len(reader)} samples of {made}.")
        for sample in reader:
            stopping.check()
            if sample.label is None:
                raise DatasetError(f"{folder} holds a sample without a label.")
            writer.write(sample)
