"""Limits of settings, and the messages when one is passed."""


def check_range(name: str, limits: tuple[float, float], least: float, most: float) -> None:
    """Check a range that something is drawn from.

    Raises:
        ValueError: it is not two rising values between `least` and `most`.
    """
    low, high = limits
    if not (least <= low <= high <= most):
        raise ValueError(f"{name} must be two values from {least} to {most}, low then high, found {limits}.")


def check_share(name: str, share: float) -> None:
    """Check a share.

    Raises:
        ValueError: it is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"{name} must be a share between 0 and 1, found {share}.")
