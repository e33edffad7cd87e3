"""Contact sheets as files: a PNG that says whose it is, so that none replaces a file of somebody else's."""

from pathlib import Path

from siman_synth.errors import OutputError
from siman_synth.files import can_write, folder_above

SOFTWARE = "Software", "siman-synth"
"""The text inside a sheet, by which it is known again: a keyword of PNG, and its value."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MARK = b"tEXt" + "\0".join(SOFTWARE).encode()
_LOOKED_AT = 128
"""The text follows the header, within so many bytes."""


def require_sheet_name(path: Path) -> None:
    """Check, before any work, that a sheet may be written to `path`.

    Raises:
        OutputError: its ending is not that of a PNG, a file is there that is no sheet of ours, or its folder
            cannot be written to.
    """
    if path.suffix.lower() != ".png":
        raise OutputError(f"Cannot write the sheet {path}: it is a PNG. Give a name that ends in .png.")
    if path.is_symlink() or (path.exists() and not is_sheet(path)):
        raise OutputError(f"{path} exists and is not a sheet made here. Name another file for the sheet.")
    above = folder_above(path)
    if not (above.is_dir() and can_write(above)):
        raise OutputError(
            f"Cannot write the sheet {path}: {above} is no folder that can be written to. "
            "Name another file for the sheet."
        )


def is_sheet(path: Path) -> bool:
    """Return whether a file is a sheet that was made here."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT)
    return head.startswith(_SIGNATURE) and _MARK in head
