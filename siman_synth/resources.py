"""Where the files that ship with siman-synth are: in the wheel or in a checkout.

In a wheel, `fonts/`, `corpora/` and `pretrain/recipes/` lie inside the package
(`force-include` in pyproject.toml). In a checkout they stand beside it.
"""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent


def own_path(name: str | Path) -> Path | None:
    """Return the user's file or folder called `name`, None if there is none.

    The one rule for corpora, fonts, styles and recipes: what lies on the disk under a name goes
    before what ships under it, and `~` is the home folder.
    """
    if not os.fspath(name):  # `Path` takes it for the folder at hand
        return None
    try:
        path = Path(name).expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError, ValueError):  # longer than a name can be; a user without a home
        return None


def own_file(name: str | Path) -> Path | None:
    """Return the user's file called `name`, None if there is none or a folder is called so.

    For what can be no folder, such as a corpus: one that happens to be there hides nothing.
    """
    path = own_path(name)
    return None if path is None or path.is_dir() else path


def resource_folder(name: str) -> Path:
    """Return the folder of bundled files called `name` ("fonts", "corpora", "pretrain/recipes"…).

    Raises:
        FileNotFoundError: neither the wheel nor a checkout holds it.
    """
    for root in (_PACKAGE, _PACKAGE / "assets", _CHECKOUT):
        folder = root / name
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"The bundled folder '{name}' is missing from {_PACKAGE}. Reinstall siman-synth.")
