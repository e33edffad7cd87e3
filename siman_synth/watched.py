"""A file that is read, as it was when it was opened, and whether it is still the same."""

import os
from pathlib import Path

from siman_synth.errors import InputChangedError
from siman_synth.files import content_hash

_Version = tuple[int, ...]


class WatchedFile:
    """A file whose contents are known by their hash.

    Make it before the file is opened: whatever happens to the file from then on is seen. Looking
    again costs one `stat`; the contents are hashed anew only when that has changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._version = _version(path)
        self._sha256: str | None = None

    def know(self, sha256: str) -> None:
        """Take the hash from a caller who has read all of the file, which spares reading it again."""
        self._sha256 = sha256

    @property
    def sha256(self) -> str:
        """The hash of the contents, in hexadecimal.

        Raises:
            InputChangedError: the file was changed or is gone since it was opened.
        """
        if self._sha256 is None:
            found = self._hashed()
            if _version(self.path) != self._version:
                raise self._changed()
            self._sha256 = found
        return self._sha256

    def require_same(self) -> None:
        """Compare the file with what it was.

        Raises:
            InputChangedError: it holds something else, or is gone.
        """
        version = _version(self.path)
        if version is not None and version == self._version:
            return
        if self._sha256 is None or self._hashed() != self._sha256:
            raise self._changed()
        self._version = version  # touched, or replaced by its equal

    def _hashed(self) -> str:
        try:
            return content_hash(self.path)
        except OSError as error:
            raise self._changed() from error

    def _changed(self) -> InputChangedError:
        return InputChangedError(
            f"{self.path} was changed while it was in use. Put back what it held and resume the run, or "
            "begin it anew."
        )


def _version(path: Path) -> _Version | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    # The time of the last change of any kind, too: that of the contents can be set back, and tools do.
    times = status.st_mtime_ns, status.st_ctime_ns
    return status.st_dev, status.st_ino, status.st_size, *times
