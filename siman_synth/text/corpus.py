"""A word list on disk: an index of its usable lines in memory, words read when they are drawn.

Ten million lines take 40 MB, whatever their length, and a second or two to index. Files
are read in blocks; whatever holds for whole blocks (decoding, NFC, finding newlines,
measuring lengths) is done on blocks, and Python looks at single lines only where a block
holds something unusual: control characters, or white space at the edge of a line.
"""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from siman_synth.errors import CorpusError
from siman_synth.escaping import storable
from siman_synth.limits import require_whole
from siman_synth.resources import own_file, own_path
from siman_synth.suggestions import did_you_mean, one_name
from siman_synth.tally import Tally
from siman_synth.text import blocks
from siman_synth.text.catalogue import CorpusEntry, bundled_catalogue
from siman_synth.text.lines import BOM, LONGEST_LINE_BYTES, whole_lines
from siman_synth.text.spaces import plain_spaces
from siman_synth.watched import WatchedFile

_LINE_BYTES = 128
_NEWLINE = 0x0A
_MOST_WORDS = 100_000_000
"""Their index takes four to eight bytes each."""
_JSON = re.compile(rb'\s*[\[{]\s*["\[{]')


class Corpus:
    """Words to draw from, each stripped, in NFC, without control characters, with plain spaces.

    `skipped` counts the lines of the file that are not in it, by reason; `respaced` those whose
    label holds other white space than the file does.
    """

    def __init__(
        self,
        name: str,
        file: BinaryIO,
        starts: npt.NDArray[Any],
        skipped: Tally,
        respaced: Tally,
        watched: WatchedFile,
        characters: frozenset[str],
    ) -> None:
        """Take an open UTF-8 file and the byte offsets at which its usable lines start."""
        self.name = name
        self.skipped = skipped
        self.respaced = respaced
        self.watched = watched
        self._file = file
        self._starts = starts
        self._characters = characters

    @classmethod
    def open(cls, name_or_path: str | Path, max_length: int = 25) -> "Corpus":
        """Index a bundled corpus by name, or a UTF-8 file with one word a line.

        Lines are stripped and NFC-normalised; spaces inside a line are kept, because a phrase is
        a label too, as one U+0020 each (`plain_spaces`). What lies on the disk under a name goes
        before a bundled corpus. Lines that are blank, hold a control character or have
        more than `max_length` characters are left out and counted in `skipped`.

        Raises:
            ConfigError: `max_length` is no whole number above 0.
            CorpusError: no such corpus or file, not UTF-8 (naming line and byte offset), or
                no usable line.
        """
        require_whole("max_length", max_length, 1)
        path, name = _locate(name_or_path)
        skipped, respaced = Tally(), Tally()
        digest = hashlib.sha256()
        starts: list[npt.NDArray[Any]] = []
        seen = np.zeros(0x110000, np.bool_)
        count = 0

        def too_long(line: int, beginning: bytes) -> None:
            blocks.skip_too_long(line, beginning.decode(errors="replace"), max_length, skipped)

        try:
            # Unbuffered and kept open: words stay those of the file that was indexed, and a
            # process that forks does not share a position in it.
            watched = WatchedFile(path)
            file = path.open("rb", buffering=0)
            for raw, first_line, first_byte in whole_lines(file, digest, too_long):
                if first_byte == 0:
                    _refuse_json(raw, path)
                # A newline composes with nothing, so the NFC of a block is the NFC of its lines.
                decoded = _decoded(raw, path, first_line, first_byte)
                text = _normalised(decoded)
                blocks.count_other_spaces(decoded, first_line, respaced)
                usable = blocks.usable_lines(text, first_line, max_length, skipped)
                starts.append(_line_starts(raw, usable, first_byte))
                _note_characters(text, usable, seen)
                count += len(starts[-1])
                if count > _MOST_WORDS:
                    raise CorpusError(
                        f"Corpus {path} has more than {_MOST_WORDS} usable lines. "
                        "Give fewer, such as every tenth."
                    )
        except OSError as error:
            raise CorpusError(f"Corpus {path} cannot be read: {error.strerror or error}.") from error
        if not count:
            reasons = "; ".join(skipped.lines()) or "the file is empty"
            raise CorpusError(f"Corpus {path} has no usable line: {reasons}. Give one word a line, in UTF-8.")
        characters = frozenset(map(chr, np.flatnonzero(seen).tolist())) - {"\n"}
        watched.know(digest.hexdigest())
        return cls(name, file, np.concatenate(starts), skipped, respaced, watched, characters)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> str:
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"Corpus '{self.name}' has {count} words, no number {index}.")
        index %= count
        return self._word(int(self._starts[index]))

    def __iter__(self) -> Iterator[str]:
        return (self[index] for index in range(len(self)))

    def draw(self, rng: np.random.Generator) -> str:
        """Return a word, each as likely as any other."""
        return self[int(rng.integers(len(self)))]

    def characters(self) -> frozenset[str]:
        """Return every character that some word holds."""
        return self._characters

    def _word(self, start: int) -> str:
        size, ended, line = _LINE_BYTES, False, b""
        while not ended and size <= 4 * LONGEST_LINE_BYTES:
            found = _read_at(self._file, start, size)
            line = found.splitlines()[0] if found else b""
            ended = len(line) < len(found) or len(found) < size
            size *= 4
        try:
            word = _normalised(line.decode()).strip() if ended else ""
        except UnicodeDecodeError:
            word = ""
        if not word:
            raise CorpusError(f"Corpus '{self.name}' was changed while it was in use. Start again.")
        return word


def bundled_corpus(name: str | Path) -> CorpusEntry | None:
    """Return the bundled corpus of that name, None if there is none."""
    return bundled_catalogue().corpora.get(str(name))


def _locate(name_or_path: str | Path) -> tuple[Path, str]:
    path, entry = own_file(name_or_path), bundled_corpus(name_or_path)
    if path is not None and not path.is_file():
        raise CorpusError(f"Corpus {path} is not a regular file. Save its words to one.")
    if path is not None:
        return path, storable(path.name)
    if entry is None:
        if folder := own_path(name_or_path):
            raise CorpusError(f"Corpus {folder} is a folder. Give a text file with one word a line.")
        entries = bundled_catalogue().corpora
        raise CorpusError(
            f"No corpus '{name_or_path}': no such file, and the bundled ones are "
            f"{', '.join(sorted(entries)) or 'none'}."
            f"{one_name(str(name_or_path)) or did_you_mean(str(name_or_path), entries)}"
        )
    if not entry.path.is_file():
        raise CorpusError(f"The bundled corpus {entry.path} is missing. Reinstall siman-synth.")
    return entry.path, entry.name


def _read_at(file: BinaryIO, start: int, size: int) -> bytes:
    if hasattr(os, "pread"):  # processes that fork share one position in the file
        return os.pread(file.fileno(), size, start)
    file.seek(start)
    return file.read(size)


def _line_starts(raw: bytes, usable: npt.NDArray[np.bool_], first_byte: int) -> npt.NDArray[Any]:
    """Return the byte offsets in the file of the usable lines of a block, in as few bytes as will do."""
    ends = np.flatnonzero(np.frombuffer(raw, np.uint8) == _NEWLINE)
    starts = first_byte + np.concatenate([[0], ends[:-1] + 1])
    if first_byte == 0 and raw.startswith(BOM):
        starts[0] = len(BOM)
    return starts[usable].astype(np.uint32 if first_byte + len(raw) < 1 << 32 else np.int64)


def _note_characters(text: str, usable: npt.NDArray[np.bool_], seen: npt.NDArray[np.bool_]) -> None:
    """Mark the characters of the usable lines in `seen`."""
    if not _unseen(text, seen):
        return
    lines = zip(text.split("\n"), usable.tolist(), strict=False)
    text = "\n".join(line.strip() for line, is_usable in lines if is_usable)
    seen[_unseen(text, seen)] = True


def _unseen(text: str, seen: npt.NDArray[np.bool_]) -> list[int]:
    if text.isascii():
        # Taking out what is known leaves next to nothing to look at.
        known = np.flatnonzero(seen[:128]).astype(np.uint8).tobytes()
        return list(set(text.encode().translate(None, known)))
    codes = blocks.code_points(text)
    return [int(code) for code in np.unique(codes[~seen[codes]])]


def _normalised(text: str) -> str:
    text = plain_spaces(text)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _refuse_json(raw: bytes, path: Path) -> None:
    """Refuse a list in brackets, whose lines would make labels of brackets and quotes."""
    if _JSON.match(raw.removeprefix(BOM)) and raw.rstrip()[-1:] in b"]}":
        raise CorpusError(f"Corpus {path} is JSON. Give a text file with one word a line, in UTF-8.")


def _decoded(raw: bytes, path: Path, first_line: int, first_byte: int) -> str:
    bom = len(BOM) if first_byte == 0 and raw.startswith(BOM) else 0
    try:
        return raw[bom:].decode()
    except UnicodeDecodeError as error:
        position = bom + error.start
        line = first_line + raw.count(b"\n", 0, position)
        advice = "Save it as UTF-8."
        if first_byte == 0 and raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            advice = "It looks like UTF-16; save it as UTF-8."
        raise CorpusError(
            f"Corpus {path} is not UTF-8: byte 0x{raw[position]:02x} in line {line}, "
            f"at byte offset {first_byte + position}. {advice}"
        ) from error
