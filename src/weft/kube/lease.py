"""One of several that acts, the others wait: leader election by a Lease (coordination.k8s.io/v1).

The holder renews its lease; who sees it unchanged for as long as it lasts, by its own clock, takes it. A
holder that cannot renew it for two thirds of that time stops acting: before another may start.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from weft.base.clock import Clock, SystemClock
from weft.base.tasks import beside
from weft.errors import WeftError
from weft.kube.client import Kube
from weft.kube.errors import Conflict, KubeError
from weft.kube.objects import Ref

__all__ = ["Lease", "LeaseLost"]

_API = "coordination.k8s.io/v1"


class LeaseLost(WeftError):
    """Another may be acting now."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The lease as it was when its holder last changed it, by our clock."""

    record: tuple[str, str]
    at: float


class Lease:
    """The right to act, by name. ``async with lease.held(): …``."""

    def __init__(
        self,
        kube: Kube,
        ref_name: str,
        namespace: str,
        holder: str,
        *,
        seconds: float = 15.0,
        on_trouble: Callable[[WeftError], None] = lambda _: None,
        clock: Clock | None = None,
    ) -> None:
        """``holder`` is nobody else's name; ``on_trouble`` is told why the API was no help."""
        self._kube = kube
        self._ref = Ref(_API, "Lease", ref_name, namespace)
        self._holder = holder
        self._seconds = seconds
        self._on_trouble = on_trouble
        self._clock = clock or SystemClock()
        self._seen: _Seen | None = None
        self._good = 0.0
        """When the last request that renewed it was sent: nobody can have seen it earlier."""

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Wait until the lease is ours, and keep it while the block runs; it is given back at the end.

        Raises ``LeaseLost`` inside the block when it could not be renewed in time.
        """
        try:
            while not await self._try(self._seconds / 3):
                await self._clock.sleep(self._seconds / 5)
            async with beside(self._renew()):
                yield
        finally:
            await self._give_back()

    async def _renew(self) -> None:
        while (left := self._left()) > 0:
            await self._clock.sleep(min(self._seconds / 5, left))
            if (left := self._left()) <= 0 or await self._try(min(self._seconds / 3, left)):
                continue
            holder = self._seen.record[0] if self._seen else ""
            if holder not in {"", self._holder}:
                raise LeaseLost(f"the {self._ref} was taken by {holder}")
        raise LeaseLost(f"the {self._ref} could not be renewed for {self._clock.now() - self._good:.0f} s")

    def _left(self) -> float:
        """The seconds for which nobody else may start."""
        return self._good + self._seconds * 2 / 3 - self._clock.now()

    async def _try(self, within: float) -> bool:
        """Take or renew; gives whether the lease is ours."""
        began = self._clock.now()
        try:
            async with asyncio.timeout(within):
                ours = await self._take()
        except WeftError as error:
            self._on_trouble(error)
            return False
        except TimeoutError:
            self._on_trouble(WeftError(f"the {self._ref}: no answer within {within:.1f} s"))
            return False
        if ours:
            self._good = began
        return ours

    async def _take(self) -> bool:
        held = await self._kube.find(self._ref)
        if held is None:
            return await self._put(None, {})
        spec = dict(held.get("spec") or {})
        record = (str(spec.get("holderIdentity") or ""), str(spec.get("renewTime") or ""))
        if self._seen is None or self._seen.record != record:
            self._seen = _Seen(record, self._clock.now())
        lasts = float(spec.get("leaseDurationSeconds") or self._seconds)
        taken = record[0] not in {"", self._holder}
        if taken and self._clock.now() - self._seen.at < lasts:
            return False
        return await self._put(held, spec)

    async def _put(self, held: Any, spec: dict[str, Any]) -> bool:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        if spec.get("holderIdentity") != self._holder:
            spec["acquireTime"] = now
            spec["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + (1 if held else 0)
        spec |= {
            "holderIdentity": self._holder,
            "renewTime": now,
            "leaseDurationSeconds": max(1, round(self._seconds)),
        }
        metadata = {"name": self._ref.name, "namespace": self._ref.namespace}
        if held is None:
            written = {"apiVersion": _API, "kind": "Lease", "metadata": metadata, "spec": spec}
            return await self._write(self._kube.create(written))
        return await self._write(self._kube.replace({**held, "spec": spec}))

    @staticmethod
    async def _write(writing: Any) -> bool:
        try:
            await writing
        except Conflict:
            return False
        except KubeError as error:
            if error.reason == "AlreadyExists":
                return False
            raise
        return True

    async def _give_back(self) -> None:
        """So that the next need not wait; it does not matter when that fails."""
        try:
            async with asyncio.timeout(self._seconds / 3):
                held = await self._kube.find(self._ref)
                if held and (held.get("spec") or {}).get("holderIdentity") == self._holder:
                    spec = {**held["spec"], "holderIdentity": ""}
                    await self._write(self._kube.replace({**held, "spec": spec}))
        except (WeftError, TimeoutError):
            return
