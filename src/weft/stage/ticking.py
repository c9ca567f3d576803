"""The filter's timer on a stage. It runs in real time, so not always does what is asked for come.

A tick is waited for. As soon as another number of ticks came than the scenario says, the case ends; so it
does from the first tick on after every step, for what the filter does then may be another tick's.
"""

from collections.abc import Callable, Sequence

from weft.envoy import Record
from weft.scenario import Impossible, LeftOut
from weft.stage.calls import Calls
from weft.stage.limits import MOST_MS, TICKS, NotHere
from weft.stage.seeing import tick_count, tick_period
from weft.stage.stage import Stage

__all__ = ["Ticking"]

_MARGIN = 2.0


class Ticking:
    """What came of the timer in one case; ``records`` are the filter's."""

    def __init__(self, stage: Stage, calls: Calls, records: Callable[[], Sequence[Record]]) -> None:
        self._stage = stage
        self._calls = calls
        self._records = records
        self._wanted: int | None = None

    async def tick(self, times: int) -> None:
        """Wait for so many ticks. Raises ``Impossible`` without a timer, ``NotHere`` for a slow one."""
        period = tick_period(self._records())
        if not period:
            raise Impossible("tick", "a timer", "the filter set none")
        if period * times > MOST_MS:
            raise NotHere(LeftOut("tick", f"it would really take {period * times} ms"))
        self._wanted = wanted = (self._wanted or 0) + times
        await self._calls.wait(period * times)
        await self._stage.until(lambda: tick_count(self._records()) >= wanted, at_most=_MARGIN)

    def check(self) -> None:
        """Raise ``NotHere`` when other ticks came than were waited for."""
        if self._wanted is not None and tick_count(self._records()) != self._wanted:
            raise NotHere(LeftOut("tick", TICKS))
