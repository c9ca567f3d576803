"""What is to be looked at, each thing once, by one worker at a time.

A key that is added again while it waits stays one; while it is worked on it is handed out once more
afterwards. One that failed comes back later and later.
"""

import asyncio
import random
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from weft.base.retry import Patience

__all__ = ["WorkQueue"]

Key = TypeVar("Key", bound=Hashable)
_PATIENCE = Patience(tries=1_000_000, first=0.5, longest=120.0, deadline=float("inf"))


class WorkQueue(Generic[Key]):
    """Keys to be worked on. Everything happens in one event loop."""

    def __init__(self, patience: Patience = _PATIENCE, chance: Callable[[], float] = random.random) -> None:
        self._patience = patience
        self._chance = chance
        self._waiting: dict[Key, None] = {}
        self._working: set[Key] = set()
        self._again: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._later: dict[Key, asyncio.TimerHandle] = {}
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether nothing waits, now or later, and nothing is worked on."""
        return not (self._waiting or self._working or self._later)

    def add(self, key: Key) -> None:
        """``key`` must be looked at."""
        if (timer := self._later.pop(key, None)) is not None:
            timer.cancel()
        if key in self._working:
            self._again.add(key)
        else:
            self._waiting[key] = None
            self._some.set()

    def add_later(self, key: Key, seconds: float) -> None:
        """``key`` must be looked at after ``seconds``, unless it is sooner for another reason."""
        loop = asyncio.get_running_loop()
        held = self._later.get(key)
        if key in self._waiting or (held and held.when() <= loop.time() + seconds):
            return
        if held:
            held.cancel()
        self._later[key] = loop.call_later(seconds, self.add, key)

    async def take(self) -> Key:
        """The next key; every one taken must be given back with ``done`` or ``failed``."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        key = next(iter(self._waiting))
        del self._waiting[key]
        self._working.add(key)
        return key

    def done(self, key: Key) -> None:
        """``key`` is as it should be; its failures are forgotten."""
        self._failures.pop(key, None)
        self._release(key)

    def failed(self, key: Key, asked: float = 0.0) -> float:
        """``key`` comes back after a while, at least ``asked`` seconds; gives how many."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        wait = self._patience.wait(failures, spent=0.0, asked=asked, chance=self._chance()) or 0.0
        self._release(key)
        if key not in self._waiting:
            self.add_later(key, wait)
        return wait

    def _release(self, key: Key) -> None:
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)
