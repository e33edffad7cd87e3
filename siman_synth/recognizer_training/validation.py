"""Reading the validation sets now and then, and keeping the best recognizer so far."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from siman_synth.recognition.recognizer import Recognizer
from siman_synth.recognizer_training.labeled_words import LabeledWords
from siman_synth.recognizer_training.testing import read_words, scores_of


class Best:
    """The best validation so far, as a part of a run's state."""

    def __init__(self) -> None:
        self.step, self.share = 0, -1.0

    def state_dict(self) -> dict[str, Any]:
        """Return step and share."""
        return {"step": self.step, "share": self.share}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.step, self.share = int(state["step"]), float(state["share"])


class Validation:
    """Read validation sets with the averaged recognizer, and export it when it reads more than ever.

    Args:
        recognizer: the averaged one.
        sets: what is read.
        best: what was best so far.
        export: writes the recognizer as that of a step.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        sets: Sequence[LabeledWords],
        best: Best,
        export: Callable[[int], None],
    ) -> None:
        self._recognizer, self._sets, self._best, self._export = recognizer, sets, best, export

    def make(self, step: int) -> Mapping[str, float]:
        """Read, keep the best, and return the figures: over several sets, the mean of their shares."""
        scores = [scores_of(read_words(self._recognizer, words)) for words in self._sets]
        right = sum(score.right for score in scores) / len(scores)
        # A resumed run takes steps again that it had taken before it was killed.
        if right > self._best.share or step == self._best.step:
            self._best.step, self._best.share = step, right
            self._export(step)
        return {
            "validation_right": right,
            "validation_within_one_edit": sum(score.within_one_edit for score in scores) / len(scores),
            "validation_edit_similarity": sum(score.edit_similarity for score in scores) / len(scores),
        }
