"""A word list in memory: one bytes blob and an array of offsets.

Ten million lines take about 200 MB and a few seconds. Files are read in blocks;
whatever holds for whole blocks (decoding, NFC, finding newlines, measuring lengths)
is done on blocks, and Python looks at single lines only where a block holds
something unusual: control characters, or white space at the edge of a line.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from siman_synth.errors import CorpusError
from siman_synth.tally import Tally
from siman_synth.text import blocks
from siman_synth.text.catalogue import bundled_catalogue
from siman_synth.text.suggestions import did_you_mean

_BLOCK_BYTES = 1 << 22
_BOM = b"\xef\xbb\xbf"


class Corpus:
    """Words to draw from, each stripped, in NFC, without control characters.

    `skipped` counts the lines of the file that are not in it, by reason.
    """

    def __init__(
        self, name: str, blob: bytearray, offsets: npt.NDArray[Any], skipped: Tally, sha256: str
    ) -> None:
        """Take words as UTF-8 in `blob`, a newline after each; word i spans offsets[i] to offsets[i+1]."""
        self.name = name
        self.skipped = skipped
        self.sha256 = sha256
        self._blob = blob
        self._offsets = offsets
        self._characters: frozenset[str] | None = None

    @classmethod
    def open(cls, name_or_path: str | Path, max_length: int = 25) -> "Corpus":
        """Read a bundled corpus by name, or a UTF-8 file with one word a line.

        Lines are stripped and NFC-normalised; spaces inside a line are kept, because a
        phrase is a label too. Lines that are blank, hold a control character or have
        more than `max_length` characters are left out and counted in `skipped`.

        Raises:
            CorpusError: no such corpus or file, not UTF-8 (naming line and byte offset), or
                no usable line.
        """
        if max_length < 1:
            raise ValueError(f"max_length must be at least 1, found {max_length}.")
        path, name = _locate(name_or_path)
        skipped = Tally()
        digest = hashlib.sha256()
        blob = bytearray()
        lengths: list[npt.NDArray[np.uint32]] = []
        try:
            for raw, first_line, first_byte in _whole_lines(path, digest):
                text = blocks.normalised(_decoded(raw, path, first_line, first_byte))
                kept, kept_lengths = blocks.clean_lines(text, first_line, max_length, skipped)
                blob += kept
                lengths.append(kept_lengths)
        except OSError as error:
            raise CorpusError(f"Corpus {path} cannot be read: {error.strerror or error}.") from error
        if not blob:
            reasons = "; ".join(skipped.lines()) or "the file is empty"
            raise CorpusError(f"Corpus {path} has no usable line: {reasons}. Give one word a line, in UTF-8.")
        return cls(name, blob, _offsets(lengths, len(blob)), skipped, digest.hexdigest())

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, index: int) -> str:
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"Corpus '{self.name}' has {count} words, no number {index}.")
        index %= count
        return self._blob[int(self._offsets[index]) : int(self._offsets[index + 1]) - 1].decode()

    def __iter__(self) -> Iterator[str]:
        return (self[index] for index in range(len(self)))

    def draw(self, rng: np.random.Generator) -> str:
        """Return a word, each as likely as any other."""
        return self[int(rng.integers(len(self)))]

    def characters(self) -> frozenset[str]:
        """Return every character that some word holds; computed once, then remembered."""
        if self._characters is None:
            found: set[str] = set()
            start = 0
            while start < len(self._blob):
                # Blocks end at a newline, never inside a character.
                end = self._blob.find(b"\n", min(start + _BLOCK_BYTES, len(self._blob) - 1)) + 1
                found.update(self._blob[start:end].decode())
                start = end
            self._characters = frozenset(found - {"\n"})
        return self._characters


def is_corpus(name_or_path: str | Path) -> bool:
    """Tell whether this is a bundled corpus or something that exists on disk."""
    return str(name_or_path) in bundled_catalogue().corpora or Path(name_or_path).exists()


def _locate(name_or_path: str | Path) -> tuple[Path, str]:
    entries = bundled_catalogue().corpora
    if str(name_or_path) in entries:
        entry = entries[str(name_or_path)]
        if not entry.path.is_file():
            raise CorpusError(f"The bundled corpus {entry.path} is missing. Reinstall siman-synth.")
        return entry.path, entry.name
    path = Path(name_or_path)
    if path.is_dir():
        raise CorpusError(f"Corpus {path} is a folder. Give a text file with one word a line.")
    if not path.exists():
        raise CorpusError(
            f"No corpus '{name_or_path}': no such file, and the bundled ones are "
            f"{', '.join(sorted(entries)) or 'none'}.{did_you_mean(str(name_or_path), entries)}"
        )
    return path, path.name


def _offsets(lengths: list[npt.NDArray[np.uint32]], total: int) -> npt.NDArray[Any]:
    """Return where each word begins, and the end of the last one, in as few bytes as will do."""
    offsets = np.zeros(sum(map(len, lengths)) + 1, np.uint32 if total < 1 << 32 else np.int64)
    filled = 0
    for part in lengths:
        end = filled + len(part)
        words = offsets[filled + 1 : end + 1]
        np.cumsum(part, out=words, dtype=offsets.dtype)
        np.add(words, offsets[filled], out=words)
        filled = end
    return offsets


def _whole_lines(path: Path, digest: "hashlib._Hash") -> Iterator[tuple[bytes, int, int]]:
    """Yield (bytes of whole lines, number of the first line, byte offset of the first line)."""
    with path.open("rb") as file:
        offset, line, rest = 0, 1, b""
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            cut = block.rfind(b"\n") + 1
            if cut == 0:
                rest += block
                continue
            raw = rest + block[:cut]
            rest = block[cut:]
            yield raw, line, offset
            offset += len(raw)
            line += raw.count(b"\n")
        if rest:
            yield rest, line, offset


def _decoded(raw: bytes, path: Path, first_line: int, first_byte: int) -> str:
    bom = len(_BOM) if first_byte == 0 and raw.startswith(_BOM) else 0
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
