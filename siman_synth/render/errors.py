"""Why a font is not used, or a word not drawn."""

from siman_synth.errors import FontError


class UnusableFontError(Exception):
    """A font file that is skipped; the message is the reason that is counted."""


class RenderError(FontError):
    """A word cannot be drawn as planned.

    `reason` is a short stable phrase ("too wide", "no ink"…) that summaries count by.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type["RenderError"], tuple[str, str]]:
        """Pickle with both arguments, so that the error crosses processes."""
        return type(self), (str(self), self.reason)
