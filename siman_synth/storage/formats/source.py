"""What every layout offers to a reader, and images that lie as files below a folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from siman_synth.errors import CropError, DatasetError
from siman_synth.imaging.decode import read_picture


class Entry(NamedTuple):
    """What a listing says of one image."""

    image: str
    """Path of the image below the folder of the listing."""
    label: str | None
    meta: Mapping[str, Any] | None = None


class Source(Protocol):
    """Labeled images by index, counted from 0."""

    @property
    def files(self) -> Sequence[Path]:
        """The files that say what belongs to the set: listings, or what holds the images, too."""
        ...

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """Return what sample `index` is called."""
        ...

    def image(self, index: int) -> bytes:
        """Return the encoded image of sample `index`.

        Raises:
            DatasetError: it cannot be read.
        """
        ...

    def label(self, index: int) -> str | None:
        """Return the label of sample `index`, None if it has none.

        Raises:
            DatasetError: it cannot be read.
        """
        ...

    def meta(self, index: int) -> Mapping[str, Any] | None:
        """Return what else is known of sample `index`."""
        ...


class ListedImages:
    """Images as files below a folder, of which a listing tells path and label.

    With `confined`, an image that lies outside of the folder, be it by its name or by a link, is refused.
    """

    def __init__(self, root: Path, files: Sequence[Path], confined: bool = False) -> None:
        self._root = root.absolute()
        self._confined = confined
        self.files = files

    def __len__(self) -> int:
        raise NotImplementedError

    def entry(self, index: int) -> Entry:
        """Return what the listing says of sample `index`."""
        raise NotImplementedError

    def name(self, index: int) -> str:
        """Return the path of the image, or the line that should tell it."""
        try:
            return self.entry(index).image
        except DatasetError:
            return f"{self.files[0].name} {index + 1}"

    def image(self, index: int) -> bytes:
        """Return the bytes of the file."""
        name = self.entry(index).image
        path = self._root / name
        if self._confined and not path.resolve().is_relative_to(self._root.resolve()):
            raise DatasetError(f"{name} lies outside of {self._root}, and only what is in there is read.")
        try:
            return read_picture(path, name)
        except CropError as error:
            raise DatasetError(f"{self.files[0]} lists an image that cannot be read. {error}") from error

    def label(self, index: int) -> str | None:
        """Return the label."""
        return self.entry(index).label

    def meta(self, index: int) -> Mapping[str, Any] | None:
        """Return what else the listing says."""
        return self.entry(index).meta
