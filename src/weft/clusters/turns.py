"""One at a time: who changes a filter that a person deployed says so in its record, for others to see.

The record is a ConfigMap, and its key ``changing`` names who is at work. It is written on the record as it
was read, so of two who begin at the same moment the API lets one pass. Whoever finds that key looks on for as
long as it lasts: if it is renewed, the other is at work, and we are refused; if it stays as it is, the other
was killed, and we take its place. Who could not renew it for two thirds of that time stops acting, before
anybody may have taken its place, and undoes nothing.
"""

import asyncio
import json
import os
import platform
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from weft.base.clock import Clock, SystemClock
from weft.base.tasks import beside
from weft.clusters.records import Record, record_map, record_ref, record_text, recorded
from weft.errors import WeftError
from weft.kube import Conflict, Kube, KubeError, Missing, Object

__all__ = ["Outrun", "Turn", "TurnLost"]

_SECONDS = 15.0
_LOOK_SECONDS = 1.0
_TRIES = 5
_HINT = "look with `weft status` how it stands, and do it again where that is still needed"


class Outrun(WeftError):
    """Somebody else was faster with the same filter."""

    exit_code = 8


class TurnLost(WeftError):
    """Somebody else may act by now, because we could not say for too long that we do."""


@dataclass(slots=True, kw_only=True)
class Turn:
    """The ``Keeper`` of one filter's record, while one deploys or undeploys it; use it once."""

    kube: Kube
    clock: Clock = field(default_factory=SystemClock)
    say: Callable[[str], None] = lambda _: None
    holder: str = field(default_factory=lambda: f"{platform.node()}-{os.getpid()}")
    _token: str = field(default_factory=lambda: uuid4().hex)
    _renewals: int = 0
    _since: str = ""
    _held: Object | None = None
    """The record's ConfigMap, as it was when we last read or wrote it."""
    _good: float = float("-inf")
    """When the last request that renewed it was sent: nobody can have seen it earlier."""
    _trouble: str = ""
    """Why it could not be renewed the last time."""
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def taken(self, before: Record | None, during: Record) -> AsyncIterator[None]:
        """Nobody else changes the filter while the block runs; the record says ``during`` from now on.

        Raises ``Outrun`` when the record is not ``before`` any more or somebody else is at work; inside the
        block, too, when somebody else takes the turn, and ``TurnLost`` when it could not be renewed.
        """
        await self._begin(before, during)
        try:
            async with beside(self._renew(during)):
                yield
        finally:
            await self._end(during)

    def guard(self) -> None:
        """Raises ``TurnLost`` when somebody else may act by now."""
        if self._left() <= 0:
            why = f" ({self._trouble})" if self._trouble else ""
            raise TurnLost(f"that we are at work could not be said for {_SECONDS * 2 / 3:g} s{why}")

    async def write(self, record: Record) -> None:
        """Keep ``record``, in place of the one that was there."""
        self.guard()
        async with self._writing:
            await self._put(record, {"record": record_text(record)})

    async def forget(self, record: Record) -> None:
        """The filter is gone."""
        self.guard()
        async with self._writing:
            uid = str(self._held["metadata"].get("uid", "")) if self._held else ""
            await self.kube.delete(record_ref(record), uid=uid)
            self._held = None

    async def _begin(self, before: Record | None, during: Record) -> None:
        held = await self.kube.find(record_ref(during))
        if held is not None and _changing(held):
            held = await self._look_on(during, held)
        if (recorded(held) if held else None) != before:
            raise _outrun(during, "was changed by somebody else meanwhile")
        self._held, self._since = held, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        began, mark = self.clock.now(), self._mark()
        try:
            if held is None:
                self._held = await self.kube.create(record_map(during, changing=mark))
            else:
                await self._put(during, {"record": record_text(during), "changing": mark})
        except KubeError as error:
            if error.reason != "AlreadyExists":
                raise
            raise _outrun(during, "is being changed by somebody else") from error
        self._good = began

    async def _look_on(self, record: Record, held: Object) -> Object:
        """The ConfigMap, once it is sure that who is changing the filter is no more."""
        mark, end = _changing(held), self.clock.now() + _SECONDS
        who = f"{mark.get('by') or 'somebody'} (since {mark.get('since') or 'some time'})"
        self.say(f"{record} is being changed by {who}; looking whether that goes on")
        while self.clock.now() < end:
            await self.clock.sleep(_LOOK_SECONDS)
            now = await self.kube.find(record_ref(record))
            if now is None or not _changing(now):
                raise _outrun(record, f"was changed by {who} meanwhile")
            if _changing(now) != mark:
                raise _outrun(record, f"is being changed by {who}")
            held = now
        self.say(f"{record}: {who} is heard of no more; going on from what stands")
        return held

    async def _renew(self, record: Record) -> None:
        """Until it is forgotten; raises ``Outrun`` or ``TurnLost`` when it cannot be."""
        while self._held is not None:
            await self.clock.sleep(min(_SECONDS / 5, max(0.0, self._left())))
            self.guard()
            began = self.clock.now()
            try:
                async with asyncio.timeout(min(_SECONDS / 3, self._left())), self._writing:
                    if self._held is not None:
                        await self._put(record, {"changing": self._mark()})
            except Outrun:
                self._good = float("-inf")
                raise
            except (WeftError, TimeoutError) as error:  # there is time to try again
                self._trouble = str(error) or self._trouble
                continue
            self._good = began

    async def _end(self, record: Record) -> None:
        """So that the next need not look on; it does not matter when that fails."""
        if self._held is not None and self._left() > 0:
            with suppress(WeftError, TimeoutError):
                async with asyncio.timeout(_SECONDS / 3):
                    await self._put(record, {"changing": None})

    async def _put(self, record: Record, data: Mapping[str, Any]) -> None:
        """Write these keys on the record as we know it, or as it is now where that is still ours."""
        ref = record_ref(record)
        for _ in range(_TRIES):
            version = self._held["metadata"]["resourceVersion"] if self._held else ""
            try:
                self._held = await self.kube.merge(
                    ref, {"metadata": {"resourceVersion": version}, "data": data}
                )
            except Missing as error:
                raise _outrun(record, "has no record any more: somebody else deleted it") from error
            except Conflict as error:  # a label of others, or our own write that was sent twice
                now = await self.kube.find(ref)
                if now is None or _changing(now).get("token") != self._token:
                    raise _outrun(record, "is being changed by somebody else") from error
                self._held = now
            else:
                return
        raise _outrun(record, "has a record that others change again and again")

    def _mark(self) -> str:
        self._renewals += 1
        mark = {"by": self.holder, "since": self._since, "token": self._token, "renewals": self._renewals}
        return json.dumps(mark)

    def _left(self) -> float:
        """The seconds for which nobody else may start."""
        return self._good + _SECONDS * 2 / 3 - self.clock.now()


def _changing(held: Object) -> dict[str, Any]:
    """Who is at work; what is not ours to read counts as somebody."""
    text = (held.get("data") or {}).get("changing")
    if not text:
        return {}
    try:
        mark = json.loads(text)
    except ValueError:
        mark = None
    return mark if isinstance(mark, dict) and mark else {"by": "", "text": text}


def _outrun(record: Record, how: str) -> Outrun:
    return Outrun(f"{record} {how}", hint=_HINT)
