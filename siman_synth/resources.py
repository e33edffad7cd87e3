"""Where the files that ship with siman-synth are: in the wheel or in a checkout.

In a wheel, `fonts/`, `corpora/` and `pretrain/recipes/` lie inside the package
(`force-include` in pyproject.toml). In a checkout they stand beside it.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent


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
