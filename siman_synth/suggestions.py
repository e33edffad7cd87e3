"""The nearest known name, for error messages."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x' or 'y'?" for the names nearest to `name`, or nothing."""
    by_key = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), by_key, n=3)
    if not near:
        return ""
    return f" Did you mean {' or '.join(repr(by_key[key]) for key in near)}?"


def one_name(spec: str) -> str:
    """Return a hint for a spec that looks like a list of names, or nothing."""
    if "," in spec or spec.startswith(("[", "{")):
        return " It looks like a list: give each name by itself, without commas, brackets or quotes."
    return ""
