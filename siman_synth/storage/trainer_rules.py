"""What five trainers of text recognizers do to a label before they train on it.

Each rule is that trainer's filter with its default character set and length, read
from its source. A sample may be kept, dropped, or kept with another label than the
image shows, which is the worst of the three because nobody is told.
"""

import dataclasses
import re
import string
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from siman_synth.errors import DatasetError
from siman_synth.files import read_text

LOWER_ALPHANUMERICS = string.digits + string.ascii_lowercase
PRINTABLE_ASCII = string.digits + string.ascii_letters + string.punctuation
# MMOCR's english_digits_symbols.txt: printable ASCII without these four.
MMOCR_SYMBOLS = "".join(character for character in PRINTABLE_ASCII if character not in "^{|}")
UNKNOWN = "\N{REPLACEMENT CHARACTER}"

_TOO_LONG = "longer than {} characters"
_OUTSIDE = "with a character outside the trainer's set"
_NOTHING_LEFT = "without a character of the trainer's set"


@dataclass(frozen=True, slots=True)
class LabelOutcome:
    """What a trainer makes of one label.

    `text` is what it trains on, None when it drops the sample. `reason` says why a
    sample is dropped, or what silently changed in its label; a change of case alone
    is not one.
    """

    text: str | None
    reason: str | None = None

    @property
    def dropped(self) -> bool:
        """Whether the trainer leaves the sample out."""
        return self.text is None

    @property
    def altered(self) -> bool:
        """Whether the trainer keeps the sample with another label, beyond a change of case."""
        return self.text is not None and self.reason is not None


class TrainerRule(Protocol):
    """A trainer's filter: `read` is a pure function of the label."""

    @property
    def name(self) -> str:
        """The name that `siman-synth verify --for` takes."""
        ...

    @property
    def charset(self) -> str:
        """The characters that it trains on."""
        ...

    def read(self, label: str) -> LabelOutcome:
        """Return what the trainer makes of `label`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DtrbRule:
    """clovaai/deep-text-recognition-benchmark, `dataset.py`, `LmdbDataset`.

    Without `--data_filtering_off`: dropped if longer than `batch_max_length`, or if
    `label.lower()` holds a character outside `opt.character`. Then lower-cased, unless the set
    has capitals (`--sensitive`). Nothing is deleted: what could be, was dropped before.
    """

    name: ClassVar[str] = "dtrb"
    charset: str = LOWER_ALPHANUMERICS
    max_length: int = 25

    def read(self, label: str) -> LabelOutcome:
        """Return what the trainer makes of `label`."""
        if len(label) > self.max_length:
            return LabelOutcome(None, _TOO_LONG.format(self.max_length))
        lowered = label.lower()
        if any(character not in self.charset for character in lowered):
            return LabelOutcome(None, _OUTSIDE)
        return LabelOutcome(label if self.charset != self.charset.lower() else lowered)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseqRule:
    """baudm/parseq, `strhub/data/dataset.py` (`LmdbDataset`) and `CharsetAdapter`; `charset: 94_full`.

    All white space is removed, NFKD folded to ASCII (accents and foreign scripts disappear; with a
    set beyond ASCII it is taken that `normalize_unicode` is off), longer than `max_label_length`
    dropped, characters outside the set deleted, and the sample dropped if nothing is left.
    """

    name: ClassVar[str] = "parseq"
    charset: str = PRINTABLE_ASCII
    max_length: int = 25

    def read(self, label: str) -> LabelOutcome:
        """Return what the trainer makes of `label`."""
        text = "".join(label.split())
        if self.charset.isascii():
            text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        if len(text) > self.max_length:
            return LabelOutcome(None, _TOO_LONG.format(self.max_length))
        if self.charset == self.charset.lower():
            text = text.lower()
        elif self.charset == self.charset.upper():
            text = text.upper()
        return _after_deletion(label, _only(text, self.charset))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenocrRule:
    """Topdu/OpenOCR, `openrec/preprocess/ctc_label_encode.py`, training, no `character_dict_path`.

    Lower-cased (with the default set only), characters outside the set deleted without a word, and dropped if
    empty or longer than `max_text_length` *after* the deletion.
    """

    name: ClassVar[str] = "openocr"
    charset: str = LOWER_ALPHANUMERICS
    max_length: int = 25

    def read(self, label: str) -> LabelOutcome:
        """Return what the trainer makes of `label`."""
        text = _only(_lowered(label, self.charset), self.charset)
        if len(text) > self.max_length:
            return LabelOutcome(None, _TOO_LONG.format(self.max_length))
        return _after_deletion(label, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaddleocrRule:
    """PaddlePaddle/PaddleOCR, `ppocr/data/imaug/label_ops.py`, no `character_dict_path`.

    Dropped if longer than `max_text_length` *before* the deletion; then lower-cased (with the
    default set only), characters outside the set deleted without a word, dropped if nothing is left.
    """

    name: ClassVar[str] = "paddleocr"
    charset: str = LOWER_ALPHANUMERICS
    max_length: int = 25

    def read(self, label: str) -> LabelOutcome:
        """Return what the trainer makes of `label`."""
        if len(label) > self.max_length:
            return LabelOutcome(None, _TOO_LONG.format(self.max_length))
        return _after_deletion(label, _only(_lowered(label, self.charset), self.charset))


@dataclass(frozen=True, slots=True, kw_only=True)
class MmocrRule:
    """open-mmlab/mmocr 1.x, `recog_lmdb_dataset.py` and `module_losses/base.py`; the SATRN configuration.

    The dataset drops nothing. The dictionary (`english_digits_symbols`, with an
    unknown token) reads characters outside it as unknown, and the target is cut to
    `max_seq_len`, in which the start token takes the first place.
    """

    name: ClassVar[str] = "mmocr"
    charset: str = MMOCR_SYMBOLS
    max_length: int = 25

    def read(self, label: str) -> LabelOutcome:
        """Return what the trainer makes of `label`; unknown characters show as U+FFFD."""
        text = "".join(character if character in self.charset else UNKNOWN for character in label)
        room = self.max_length - 1
        if len(text) > room:
            return LabelOutcome(text[:room], f"cut to {room} characters")
        return LabelOutcome(text, "characters read as unknown" if UNKNOWN in text else None)


TRAINER_RULES: Mapping[str, TrainerRule] = {
    rule.name: rule for rule in (DtrbRule(), ParseqRule(), OpenocrRule(), PaddleocrRule(), MmocrRule())
}


def trainer_rule(name: str, charset: Path | None = None, max_length: int | None = None) -> TrainerRule:
    """Return the rule of a trainer, set up with the characters of a file and another longest label.

    Raises:
        DatasetError: the file cannot be read as characters.
    """
    changes: dict[str, Any] = {} if charset is None else {"charset": read_charset(charset)}
    if max_length is not None:
        changes["max_length"] = max_length
    rule: Any = TRAINER_RULES[name]
    found: TrainerRule = dataclasses.replace(rule, **changes)
    return found


def read_charset(path: Path) -> str:
    """Return the characters of a UTF-8 file, one a line or all in one; a line of one space is a space.

    Raises:
        DatasetError: it cannot be read, is not UTF-8, or is empty.
    """
    try:
        text = read_text(path)
    except OSError as error:
        raise DatasetError(f"Character set {path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"Character set {path} is not UTF-8. Save it as UTF-8.") from error
    found = "".join(dict.fromkeys(character for line in text.splitlines() for character in line))
    if not found:
        raise DatasetError(f"Character set {path} is empty. Give a file with the trainer's characters.")
    return found


def _lowered(label: str, charset: str) -> str:
    return label.lower() if charset == LOWER_ALPHANUMERICS else label


def _only(text: str, charset: str) -> str:
    return re.sub(f"[^{re.escape(charset)}]", "", text)


def _after_deletion(label: str, text: str) -> LabelOutcome:
    if not text:
        return LabelOutcome(None, _NOTHING_LEFT)
    if len(text) < len(label):
        return LabelOutcome(text, "characters deleted")
    return LabelOutcome(text, "characters replaced" if text.lower() != label.lower() else None)
