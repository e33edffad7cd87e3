"""What can go wrong with an edit."""

from siman_synth.errors import SimanError


class EditError(SimanError):
    """A word cannot be edited as asked; nothing was written."""
