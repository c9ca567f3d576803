"""Sizes for people."""

__all__ = ["human_size"]

_UNIT = 1000


def human_size(size: int) -> str:
    """``512 B``, ``12.6 kB``, ``1.0 MB``: powers of 1000 with one decimal, as wasme shows them."""
    if size < _UNIT:
        return f"{size} B"
    amount, prefix = float(size), ""
    for letter in "kMGTPE":
        if size < _UNIT:
            break
        size //= _UNIT
        amount /= _UNIT
        prefix = letter
    return f"{amount:.1f} {prefix}B"
