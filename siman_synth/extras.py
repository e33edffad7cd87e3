"""Optional packages: named together when they are missing, before any work starts."""

import importlib.util
import sys
from collections.abc import Sequence

from siman_synth.errors import SimanError


class MissingPackageError(SimanError):
    """A feature needs packages that are not part of the plain installation."""


def require(extra: str, what: str, modules: Sequence[str]) -> None:
    """Check that `modules` can be imported; none is.

    Raises:
        MissingPackageError: names what is missing and the extra that brings it.
    """
    missing = [module for module in modules if not _is_there(module)]
    if missing:
        raise MissingPackageError(
            f'{what} needs {", ".join(missing)}, not installed here. Run: pip install "siman-synth[{extra}]"'
        )


def _is_there(module: str) -> bool:
    if module in sys.modules:
        return sys.modules[module] is not None
    return importlib.util.find_spec(module) is not None
