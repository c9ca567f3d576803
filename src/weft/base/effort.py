"""Trying again, with time and chance handed over."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from weft.base.clock import Clock, SystemClock
from weft.base.retry import Patience
from weft.errors import WeftError

__all__ = ["Effort", "Persistence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """How stubborn the clients of a run are, and by which clock."""

    patience: Patience = field(default_factory=Patience)
    clock: Clock = field(default_factory=SystemClock)
    chance: Callable[[], float] = random.random

    def effort(self) -> "Effort":
        """A fresh count for one operation."""
        return Effort(self)


class Effort:
    """The failures in a row of one operation, and since when."""

    def __init__(self, persistence: Persistence) -> None:
        self._told = persistence
        self.progress()

    def progress(self) -> None:
        """Something moved: earlier failures no longer count."""
        self._failures = 0
        self._since = self._told.clock.now()

    async def after(self, error: WeftError) -> None:
        """Wait before the next try; raise ``error`` when waiting will not help, or has not."""
        if not getattr(error, "temporary", False):
            raise error
        self._failures += 1
        wait = self._told.patience.wait(
            self._failures,
            spent=self._told.clock.now() - self._since,
            asked=getattr(error, "wait", 0.0),
            chance=self._told.chance(),
        )
        if wait is None:
            raise error
        await self._told.clock.sleep(wait)
