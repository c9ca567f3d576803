"""Time that passes only when somebody waits, and waiting for what will be so, within bounds."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class FakeClock:
    """A clock for ``Persistence``; ``slept`` has every wait, ``tick`` passes at every look."""

    time: float = 0.0
    tick: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        self.time += self.tick
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


async def until(so: Callable[[], bool], seconds: float = 20.0) -> None:
    """Let the loop go on until it is ``so``."""
    async with asyncio.timeout(seconds):
        while not so():  # noqa: ASYNC110 - anything may make it so
            await asyncio.sleep(0.001)


@dataclass
class HeldBack(FakeClock):
    """A clock that stands still at ``late``: who would sleep longer waits until a test moves that."""

    late: float = 1e9

    async def sleep(self, seconds: float) -> None:
        await until(lambda: self.time + seconds <= self.late, 60)
        await super().sleep(seconds)
