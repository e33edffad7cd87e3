"""How many words of a set OCR reads right."""

from collections.abc import Sequence
from dataclasses import dataclass

from siman_synth.evaluation.word_set import WordSet, in_width_order
from siman_synth.ocr.comparison import comparable, edit_distance, edit_similarity
from siman_synth.ocr.recognizer import Ocr, Reading, judged_by


@dataclass(frozen=True, slots=True)
class ReadWord:
    """One word that was compared: its place in the set, what should and what was read."""

    index: int
    label: str
    reading: Reading
    distance: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Readability:
    """Shares over `words` compared words; the others could not be compared."""

    ocr: str
    words: int
    right: float
    within_one_edit: float
    edit_similarity: float
    without_letters: int
    outside_alphabet: int
    without_accents: int = 0
    """Of the compared words, those judged without accents or by look-alike letters."""

    @property
    def labels(self) -> int:
        """How many labels there were, compared or not."""
        return self.words + self.without_letters + self.outside_alphabet

    @property
    def right_error(self) -> float:
        """The standard error of `right` for a random sample of this size."""
        return float((self.right * (1 - self.right) / self.words) ** 0.5) if self.words else 0.0


def read_words(words: WordSet, ocr: Ocr) -> tuple[Readability, list[ReadWord]]:
    """Read the labeled images of a set, and compare."""
    indices = [index for index, label in enumerate(words.labels) if label is not None]
    title = f"read {words.path.name}"
    readings = in_width_order([words.images[index] for index in indices], ocr.read, title)
    return compare([words.labels[index] or "" for index in indices], readings, indices, ocr)


def compare(
    labels: Sequence[str], readings: Sequence[Reading], indices: Sequence[int], ocr: Ocr
) -> tuple[Readability, list[ReadWord]]:
    """Compare labels and readings as `siman_synth.ocr.comparison` says.

    Labels without a letter or digit, and those with a character that the OCR cannot
    write, are left out and counted.
    """
    compared: list[ReadWord] = []
    without_letters = outside_alphabet = folded_labels = 0
    for index, label, reading in zip(indices, labels, readings, strict=True):
        if not comparable(label):
            without_letters += 1
        elif (judged := judged_by(ocr, label, reading.text)) is None:
            outside_alphabet += 1
        else:
            wanted, found = judged
            folded_labels += wanted != comparable(label)
            distance, similarity = edit_distance(wanted, found), edit_similarity(wanted, found)
            compared.append(ReadWord(index, label, reading, distance, similarity))
    count = max(1, len(compared))
    summary = Readability(
        ocr=ocr.name,
        words=len(compared),
        right=sum(word.distance == 0 for word in compared) / count,
        within_one_edit=sum(word.distance <= 1 for word in compared) / count,
        edit_similarity=sum(word.similarity for word in compared) / count,
        without_letters=without_letters,
        outside_alphabet=outside_alphabet,
        without_accents=folded_labels,
    )
    return summary, compared
