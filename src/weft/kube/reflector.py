"""What is in a cluster, at hand and up to date.

A reflector lists a kind once and watches it from there. When the watch ends it goes on where it stopped; when
that is too long ago, or the API was away, it lists again and tells what changed meanwhile, removals included.
So whoever is told acts on how things are, not on how they became so.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager

from weft.base.clock import Clock, SystemClock
from weft.base.retry import Patience
from weft.base.tasks import beside
from weft.errors import WeftError
from weft.kube.client import Kube, WatchEvent
from weft.kube.errors import Expired, Missing
from weft.kube.objects import Object
from weft.kube.selectors import matches

__all__ = ["Reflector"]

Key = tuple[str, str]
OnChange = Callable[[Object | None, Object | None], None]
# For ever: the API server comes back some day.
_PATIENCE = Patience(tries=1_000_000, first=0.2, longest=15.0, deadline=float("inf"))
_LONGEST_ASKED = 60.0
# No watch of the API's own ends as soon as this.
_SHORT = 1.0
_DELETED = "DELETED"
_BOOKMARK = "BOOKMARK"


class Reflector:
    """All objects of one kind, of a namespace or of all.

    ``on_change(before, now)`` is told each difference: ``before`` is ``None`` for a new object, ``now`` for a
    removed one. ``keep`` makes what is held smaller; it is given an object and gives what to keep of it, the
    ``resourceVersion`` always.
    """

    def __init__(
        self,
        kube: Kube,
        api_version: str,
        kind: str,
        *,
        on_change: OnChange = lambda _before, _now: None,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        keep: Callable[[Object], Object] = lambda held: held,
        on_trouble: Callable[[WeftError], None] = lambda _: None,
        clock: Clock | None = None,
    ) -> None:
        self._kube = kube
        self._what = (api_version, kind)
        self._where = {"namespace": namespace, "labels": labels, "fields": fields}
        self._on_change = on_change
        self._on_trouble = on_trouble
        self._keep = keep
        self._clock = clock or SystemClock()
        self._failures = 0
        self._held: dict[Key, Object] = {}
        self._forgotten: dict[Key, Object] = {}
        self._waiting: dict[Key, list[WatchEvent]] = {}
        self._version = ""
        self.changes = 0
        """How often something of what is held became other than it was."""
        self.synced = asyncio.Event()
        """Set once everything was listed for the first time, or there is no such kind."""
        self.unknown = False
        """Whether the cluster has no such kind."""

    def __iter__(self) -> Iterator[Object]:
        return iter(tuple(self._held.values()))

    def __len__(self) -> int:
        return len(self._held)

    def get(self, name: str, namespace: str = "") -> Object | None:
        """The object as it was last seen."""
        return self._held.get((namespace, name))

    def covers(self, api_version: str, kind: str, namespace: str) -> bool:
        """Whether this is where an object of that kind and namespace (all, when empty) would be."""
        return self._what == (api_version, kind) and self._where["namespace"] in {"", namespace}

    def answers(self, labels: str) -> bool:
        """Whether nothing is missing here that ``labels`` select."""
        return self.synced.is_set() and self._where["labels"] in {"", labels} and not self._where["fields"]

    @property
    def whole(self) -> bool:
        """Whether an object that is not here is not there either."""
        return self.answers("")

    def note(self, held: Object) -> None:
        """The API just gave us this object: hold it, if it is one of ours. The watch tells of it later."""
        if self.synced.is_set() and matches(self._where["labels"], held["metadata"].get("labels") or {}):
            key = _key(held)
            if not _older(_version(held), self._held.get(key)):
                self._hold(key, self._keep(held))

    def forget(self, name: str, namespace: str = "") -> None:
        """The API just removed this object, for us: nobody is told."""
        key = (namespace, name)
        held = self._held.get(key)
        if held is not None and not held["metadata"].get("finalizers"):
            self._drop(key)
            self._forgotten[key] = held

    @contextmanager
    def waiting(self, name: str, namespace: str) -> Iterator[None]:
        """Whoever is told hears of this object only after the block."""
        key = (namespace, name)
        if key in self._waiting:  # another block will see to it
            yield
            return
        events = self._waiting[key] = []
        try:
            yield
        finally:
            del self._waiting[key]
            for event in events:
                self._take(key, event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Reflector"]:
        """Up to date while the block runs."""
        async with beside(self.run()):
            yield self

    async def run(self) -> None:
        """Follow the cluster until cancelled; what goes wrong is told to ``on_trouble`` and tried again."""
        while True:
            try:
                if not self._version:
                    await self._list()
                began = self._clock.now()
                await self._watch()
                if self._clock.now() - began < _SHORT:  # something between us and the API ended it
                    await self._pause()
                else:
                    self._failures = 0
            except WeftError as error:
                if isinstance(error, Missing):
                    self.unknown = True
                    self.synced.set()
                if not getattr(error, "temporary", False):
                    self._version = ""
                if not isinstance(error, Expired):
                    self._on_trouble(error)
                await self._pause(getattr(error, "wait", 0.0))

    async def _pause(self, asked: float = 0.0) -> None:
        """Longer each time: a right may be granted and a kind installed while we wait."""
        self._failures += 1
        wait = _PATIENCE.wait(
            self._failures,
            spent=0.0,
            asked=min(asked, _LONGEST_ASKED),
            chance=random.random(),  # noqa: S311 - spreads clients out
        )
        await self._clock.sleep(wait or _PATIENCE.longest)

    async def _list(self) -> None:
        listing = await self._kube.list(*self._what, keep=self._keep, **self._where)
        seen = {_key(held): held for held in listing.items}
        for gone in [key for key in self._held if key not in seen]:
            self._remove(gone, listing.version)
        for key, held in seen.items():
            before = self._held.get(key)
            if before is None or _version(before) != _version(held):
                self._tell(key, held)
        self._forgotten.clear()
        self._version = listing.version
        self.unknown = False
        self.synced.set()

    async def _watch(self) -> None:
        api_version, kind = self._what
        async with aclosing(self._kube.watch(api_version, kind, self._version, **self._where)) as events:
            async for event in events:
                if event.type != _BOOKMARK:
                    key = _key(event.object)
                    if (waiting := self._waiting.get(key)) is not None:
                        waiting.append(event)
                    else:
                        self._take(key, event)
                self._version = _version(event.object)
                self._failures = 0

    def _take(self, key: Key, event: WatchEvent) -> None:
        gone = self._forgotten.get(key)
        if event.type == _DELETED:
            self._forgotten.pop(key, None)
            self._remove(key, _version(event.object))
        elif gone is None or _older(_version(gone), event.object):  # else it is from before it was forgotten
            self._tell(key, self._keep(event.object))

    def _hold(self, key: Key, now: Object) -> None:
        self._held[key] = now
        self.changes += 1

    def _drop(self, key: Key) -> None:
        del self._held[key]
        self.changes += 1

    def _tell(self, key: Key, now: Object) -> None:
        before = self._held.get(key)
        if before is not None and _version(now) == _version(before):
            now = before  # the API told it as an answer already
        elif not _older(_version(now), before):
            self._hold(key, now)
        self._on_change(before, now)

    def _remove(self, key: Key, version: str) -> None:
        """It was not there any more at ``version``; one that was noted since is another."""
        before = self._held.get(key)
        if before is not None and not _older(version, before):
            self._drop(key)
            self._on_change(before, None)


def _older(version: str, held: Object | None) -> bool:
    """Whether ``held`` came after ``version``. Versions of one kind of object grow (KEP-5504)."""
    theirs = "" if held is None else _version(held)
    return version.isdecimal() and theirs.isdecimal() and int(version) < int(theirs)


def _key(held: Object) -> Key:
    metadata = held["metadata"]
    return str(metadata.get("namespace", "")), str(metadata.get("name", ""))


def _version(held: Object) -> str:
    return str(held["metadata"].get("resourceVersion", ""))
