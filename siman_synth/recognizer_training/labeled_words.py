"""A labeled LMDB as words to learn or to be tested on: which of its samples can be used, and which not."""

import contextlib
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from siman_synth import stopping
from siman_synth.errors import CropError, DatasetError
from siman_synth.imaging.decode import decode_crop
from siman_synth.recognition.charset import Charset, charset_of
from siman_synth.storage.labeled_set import LabeledSet
from siman_synth.tally import Tally

NO_LABEL, NO_CHARACTER = "no label", "no character of the charset in the label"
TOO_LONG = "label too long for model.width_px or model.longest"


def characters_of(paths: Sequence[str | Path]) -> str:
    """Return the characters of all labels of labeled LMDBs, each once.

    Raises:
        DatasetError: one cannot be read, or there is no label.
    """
    found: set[str] = set()
    for path in paths:
        with LabeledSet.open(path) as reader:
            for index in range(len(reader)):
                if index % 1000 == 0:
                    stopping.check()
                with contextlib.suppress(DatasetError):  # not UTF-8: counted when words are opened
                    found |= set(unicodedata.normalize("NFC", reader.label(index) or ""))
    if not found:
        raise DatasetError(
            f"There are no labels in {', '.join(map(str, paths)) or 'no data set'} to take characters from. "
            "Name a charset."
        )
    return charset_of(found)


class LabeledWords:
    """The usable samples of a labeled LMDB; images are read when they are asked for.

    Args:
        path: the LMDB.
        charset: labels are cleaned with it (`Charset.clean`).
        fits: whether a cleaned label, as classes, can be learned; None takes all.
        most: no more than so many, the first ones.

    Raises:
        DatasetError: it cannot be read, or holds no usable sample.
    """

    def __init__(
        self,
        path: str | Path,
        charset: Charset,
        fits: Callable[[list[int]], bool] | None = None,
        most: int | None = None,
    ) -> None:
        self.path = Path(path)
        self.left_out = Tally()
        """What cannot be used, by reason; grows when an image is met that cannot be decoded."""
        self._reader = LabeledSet.open(self.path)
        self._charset = charset
        self._broken: set[int] = set()
        kept: list[int] = []
        for index in range(len(self._reader)):
            if len(kept) == most:
                break
            if index % 1000 == 0:
                stopping.check()
            reason = self._problem(index, fits)
            if reason is None:
                kept.append(index)
            else:
                self.left_out.add(reason, self._name(index))
        self._indices = np.array(kept, dtype=np.int64)
        if not kept:
            reasons = "; ".join(self.left_out.lines()) or "it is empty"
            raise DatasetError(f"{self.path} holds no word to read: {reasons}. Give a labeled data set.")

    def __len__(self) -> int:
        return len(self._indices)

    def label(self, number: int) -> str:
        """Return the cleaned label of usable sample `number`."""
        return self._charset.clean(self._reader.label(int(self._indices[number])) or "")

    def height_px(self, number: int) -> int:
        """Return the height of the image of usable sample `number`, as stored."""
        return self._reader[int(self._indices[number])].height_px

    def index(self, number: int) -> int:
        """Return the place of usable sample `number` in the LMDB, from 0."""
        return int(self._indices[number])

    def image(self, number: int) -> np.ndarray | None:
        """Return the image, uint8 (H, W, 3), or None, counted once, if it cannot be decoded."""
        index = int(self._indices[number])
        if index in self._broken:
            return None
        try:
            return decode_crop(self._reader.image(index), self._name(index))
        except (CropError, DatasetError) as error:
            self._broken.add(index)
            reason = error.reason if isinstance(error, CropError) else "no image"
            self.left_out.add(reason, self._name(index))
            return None

    def fingerprint(self) -> str:
        """Return a hash of the whole file."""
        return self._reader.fingerprint()

    def _name(self, index: int) -> str:
        return f"{self.path.name} {self._reader.number(index)}"

    def _problem(self, index: int, fits: Callable[[list[int]], bool] | None) -> str | None:
        try:
            label = self._reader.label(index)
        except DatasetError:
            return "label not UTF-8"
        if not label:
            return NO_LABEL
        classes = self._charset.encode(label)
        if not classes:
            return NO_CHARACTER
        return None if fits is None or fits(classes) else TOO_LONG
