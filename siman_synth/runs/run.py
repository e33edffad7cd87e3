"""A run on its way from missing shards to merged ones."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm

from siman_synth import stopping
from siman_synth.config import fingerprint
from siman_synth.errors import GenerationError, OutputError
from siman_synth.runs.cluster import Cluster
from siman_synth.runs.executor import run_shards
from siman_synth.runs.inputs import CheckedInputs
from siman_synth.runs.job import Job
from siman_synth.runs.markers import ShardReport, damage, marker_file, read_marker
from siman_synth.runs.merge import DamagedShardError, merge
from siman_synth.runs.ours import RUN
from siman_synth.runs.result import GenerateResult, Record
from siman_synth.runs.run_folder import RunPaths
from siman_synth.tally import Tally

_REPAIRS = 3


@dataclass
class Run:
    """A run whose folder this process holds."""

    job: Job
    paths: RunPaths
    inputs: CheckedInputs
    identity: Mapping[str, Any]
    workers: int | None
    cluster: Cluster | None
    done: dict[int, ShardReport] = field(default_factory=dict)
    remade: Tally = field(default_factory=Tally)
    made_now: int = 0
    dropped: int = 0
    bar: "tqdm[Any] | None" = None

    @property
    def fingerprint(self) -> str:
        """What every marker of this run holds."""
        return fingerprint(self.identity)

    @contextmanager
    def progress(self, show: bool | None) -> Iterator[None]:
        """Show a bar meanwhile."""
        with tqdm(total=self.job.count, unit="image", disable=None if show is None else not show) as self.bar:
            yield

    def find_finished(self) -> None:
        """Take over the shards that need not be made again."""
        for shard in range(self.job.shard_count):
            stopping.check()
            if not marker_file(self.paths.shards, shard).exists():
                continue
            report = read_marker(self.paths.shards, shard)
            reason = (
                damage(self.paths.shards, report, shard, self.fingerprint)
                if report
                else "shard whose marker was damaged"
            )
            if report and not reason:
                self._take(report)
            else:
                self.remade.add(reason or "", f"shard {shard}")
        if self.bar is not None:
            self.bar.initial = self.bar.n

    def make_missing(self) -> None:
        """Make the shards that are not there.

        Raises:
            GenerationError: too many samples were dropped, or workers died again and again.
        """
        missing = [shard for shard in range(self.job.shard_count) if shard not in self.done]
        shards = run_shards(self.job, missing, self.paths.shards, self.inputs, self.workers, self.cluster)
        with closing(shards) as made:
            for report in made:
                self.made_now += report.made
                self._take(report)
                self._require_few_dropped()

    def merge(self) -> Record:
        """Merge all shards; those that were damaged since they were made are made again first.

        Raises:
            OutputError: the disk damages what is written again and again.
        """
        for _ in range(self.job.shard_count + _REPAIRS):
            record = Record.of(self.identity, self.reports())
            try:
                merge(
                    self.paths.shards, self.reports(), self.fingerprint, record.to_bytes(), self.paths.merged
                )
            except DamagedShardError as error:
                RUN.delete(self.paths.run, "merged")
                self.remade.add(error.reason, f"shard {error.shard}")
                self._drop(error.shard)
                self.make_missing()
            else:
                return record
        raise OutputError(
            f"{self.paths.shards} gives back other bytes than were written, again and again: "
            f"{'; '.join(self.remade.lines())}. Check the disk, or choose another output folder."
        )

    def reports(self) -> list[ShardReport]:
        """Return the reports of all shards, in order."""
        return [self.done[shard] for shard in range(self.job.shard_count)]

    def result(self, record: Record) -> GenerateResult:
        """Return how it ended; `seconds` are the caller's to measure."""
        return GenerateResult(
            out=self.paths.out,
            made=record.made,
            dropped=record.dropped,
            rejected=record.rejected,
            skipped=self.inputs.skipped,
            seconds=0.0,
            new_samples=self.made_now,
            remade=self.remade,
        )

    def _take(self, report: ShardReport) -> None:
        self.done[report.shard] = report
        self.dropped += report.dropped
        if self.bar is not None:
            self.bar.update(report.made)

    def _drop(self, shard: int) -> None:
        report = self.done.pop(shard)
        self.dropped -= report.dropped
        if self.bar is not None:
            self.bar.update(-report.made)

    def _require_few_dropped(self) -> None:
        most = self.job.config.execution.max_dropped
        if self.dropped <= most * self.job.count:
            return
        reasons = Tally()
        for report in self.done.values():
            reasons.merge(report.rejected)
        raise GenerationError(
            f"{self.dropped} samples were dropped, more than execution.max_dropped = {most:g} of "
            f"{self.job.count} allows: {'; '.join(reasons.lines())}. Mend the inputs or raise "
            f"execution.max_dropped, and overwrite {self.paths.run}."
        )
