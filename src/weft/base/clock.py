"""Time as something handed over, so that tests need not wait."""

import asyncio
import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Seconds that only go forward, and a way to let some pass."""

    def now(self) -> float:
        """Seconds since some moment in the past."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let at least ``seconds`` pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds that no correction of the wall clock disturbs."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let the loop do something else for ``seconds``."""
        await asyncio.sleep(seconds)
