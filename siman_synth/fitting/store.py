"""What a search keeps on the disk, so that it can be stopped: crops as measured, rounds, trials."""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from siman_synth.errors import OutputError
from siman_synth.evaluation.spectrum import Spectrum
from siman_synth.files import delete, write_bytes
from siman_synth.fitting.belief import Belief
from siman_synth.fitting.measures import Measured
from siman_synth.fitting.table import Table
from siman_synth.fitting.weighing import Round
from siman_synth.sealed import read_sealed, write_sealed

_TRIALS = "trials.json"
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Trial:
    """One recipe that was tried."""

    number: int
    options: dict[str, float]
    """What the search chose for it."""
    belief: list[list[float]]
    """What was found by weighing; empty where nothing was weighed."""
    words: int
    """How many words it was judged by: fewer where it did not look promising."""
    guide: dict[str, float]
    """Distances to the crops that guide the search."""
    checked: dict[str, float]
    """Distances to the crops that do not."""
    score: float
    """The mean of the first, each as a share of what it was before."""

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Restore what `asdict` returned."""
        return cls(**values)


class Store:
    """The folder of a search.

    Args:
        folder: where it is.
        table: what is fitted.
        painter: hash of the weights that paint, "" for those that the fit was begun with. Rounds and trials
            of another painter are removed: they say nothing of what this one makes.

    Raises:
        OutputError: the file of trials is damaged.
    """

    def __init__(self, folder: Path, table: Table, painter: str = "") -> None:
        self._folder, self._table, self._painter = folder, table, painter
        found = self._read_trials()
        if found is not None and found.get("painter", "") != painter:
            # Trials last: until they are gone, rounds are known to be of another painter.
            for path in (*folder.glob("round-*.npz"), folder / _TRIALS):
                delete(path)

    def trials(self) -> list[Trial]:
        """Return the trials so far.

        Raises:
            OutputError: the file is damaged.
        """
        found = self._read_trials()
        return [] if found is None else [Trial.from_json(one) for one in found["trials"]]

    def keep_trials(self, trials: Sequence[Trial]) -> None:
        """Write all trials."""
        values = {"painter": self._painter, "trials": [asdict(trial) for trial in trials]}
        write_sealed(self._folder / _TRIALS, values)

    def round(self, number: int) -> Round | None:
        """Return a round, None if it is not there.

        Raises:
            OutputError: its file is damaged.
        """
        found = self._load(f"round-{number:03d}.npz")
        if found is None:
            return None
        belief = json.loads(str(found["belief"]))
        features = {name[9:]: found[name] for name in found if name.startswith("features_")}
        drawn_from = Belief.from_json(self._table, belief)
        return Round(drawn_from, float(found["wide_share"]), found["points"], features)

    def keep_round(self, number: int, one: Round) -> None:
        """Write a round."""
        features = {f"features_{kind}": vectors for kind, vectors in one.features.items()}
        belief = json.dumps(one.drawn_from.to_json())
        self._save(
            f"round-{number:03d}.npz",
            belief=np.array(belief),
            wide_share=np.array(one.wide_share),
            points=one.points,
            **features,
        )

    def measured(self, name: str) -> Measured | None:
        """Return what was measured of a set of images, None if it is not there."""
        found = self._load(f"{name}.npz")
        if found is None:
            return None
        features = {key[9:]: found[key] for key in found if key.startswith("features_")}
        spectrum = None
        if "along_x" in found:
            spectrum = Spectrum(
                int(found["tiles"]), found["along_x"], found["along_y"], float(found["high_share"])
            )
        return Measured(features, found["looks"], spectrum)

    def keep_measured(self, name: str, one: Measured) -> None:
        """Write what was measured of a set of images."""
        arrays: dict[str, Any] = {f"features_{kind}": vectors for kind, vectors in one.features.items()}
        if one.spectrum is not None:
            arrays |= {
                "along_x": one.spectrum.along_x,
                "along_y": one.spectrum.along_y,
                "tiles": np.array(one.spectrum.tiles),
                "high_share": np.array(one.spectrum.high_share),
            }
        self._save(f"{name}.npz", looks=one.looks, **arrays)

    def _read_trials(self) -> dict[str, Any] | None:
        path = self._folder / _TRIALS
        if not path.exists():
            return None
        found = read_sealed(path)
        if found is None:
            raise _damaged(path)
        return found

    def _load(self, name: str) -> dict[str, Any] | None:
        path = self._folder / name
        if not path.exists():
            return None
        try:
            content = path.read_bytes()
        except OSError as error:
            raise _damaged(path) from error
        data, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
        # NumPy fails of damage in a dozen ways, so that it may see only what is whole.
        if hashlib.sha256(data).digest() != digest:
            raise _damaged(path)
        with np.load(io.BytesIO(data), allow_pickle=False) as found:
            return dict(found)

    def _save(self, name: str, **arrays: Any) -> None:
        file = io.BytesIO()
        np.savez(file, **arrays)
        data = file.getvalue()
        write_bytes(self._folder / name, data + hashlib.sha256(data).digest())


def _damaged(path: Path) -> OutputError:
    return OutputError(f"{path} is damaged. Overwrite the fit.")
