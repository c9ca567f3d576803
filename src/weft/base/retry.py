"""When to try again, decided without waiting.

Waits double from ``first`` to ``longest``, each shortened by chance so that a crowd does not come back as
one. What the other side asked for (Retry-After) is granted, unless it ends after ``deadline``: then there is
no point in waiting at all.
"""

from dataclasses import dataclass

__all__ = ["Patience"]

# Half of each wait is certain, half is chance.
_CERTAIN = 0.5
# Doublings after which any wait is the longest.
_MANY = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how long to try, in seconds."""

    tries: int = 6
    first: float = 0.25
    longest: float = 15.0
    deadline: float = 90.0

    def wait(self, failures: int, *, spent: float, asked: float = 0.0, chance: float = 1.0) -> float | None:
        """Seconds to wait after the ``failures``-th failure in a row, or ``None``: give up.

        ``spent`` is the time since the first try or the last progress, ``asked`` what the other side wants
        us to wait, ``chance`` a number from 0 to 1.
        """
        if failures >= self.tries:
            return None
        own = min(self.first * 2 ** min(failures - 1, _MANY), self.longest)
        wait = max(own * (_CERTAIN + (1 - _CERTAIN) * chance), asked)
        return wait if spent + wait <= self.deadline else None
