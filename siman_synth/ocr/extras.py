"""The old place of `siman_synth.extras`."""

from siman_synth.extras import MissingPackageError, require

__all__ = ["MissingPackageError", "require"]
