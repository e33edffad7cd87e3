"""Images of one width together, so that none is padded for another's sake."""

from collections.abc import Iterator, Sequence


def width_batches(widths_px: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Yield the numbers of images of equal width, up to `batch_size` at a time, narrow ones first."""
    groups: dict[int, list[int]] = {}
    for number, width_px in enumerate(widths_px):
        groups.setdefault(width_px, []).append(number)
    for width_px in sorted(groups):
        members = groups[width_px]
        for start in range(0, len(members), batch_size):
            yield members[start : start + batch_size]
