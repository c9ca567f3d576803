"""A cluster's API whose reads are answered from what reflectors hold.

For programs that look at the same things again and again. What was written here is seen here at once, before
the API's watch tells of it; so what is read is never older than what this program did.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from weft.base.tasks import together
from weft.kube.client import Kube, Read
from weft.kube.errors import Missing
from weft.kube.objects import Listing, Object, Ref
from weft.kube.reflector import Reflector
from weft.kube.selectors import matches

__all__ = ["CachedKube"]

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class _Memory:
    """What was read of the objects of ``reflector`` when it had changed ``changes`` times."""

    reflector: Reflector
    changes: int
    found: tuple[Any, ...]
    held: Mapping[int, tuple[Object, Any]]
    """By identity; the object itself is here, so that no other has it."""


class CachedKube(Kube):
    """``Kube``, and reflectors of what it is asked for."""

    def __init__(self, kube: Kube) -> None:
        super().__init__(kube.transport, kube.cluster)
        self._api = kube
        self.writes = 0
        """Requests that were sent to change something."""
        self._reflectors: list[Reflector] = []
        self._memory: dict[tuple[Any, ...], _Memory] = {}

    def follow(self, api_version: str, kind: str, **words: Any) -> Reflector:
        """Hold these objects from now on; ``words`` are those of ``Reflector``."""
        reflector = Reflector(self._api, api_version, kind, **words)
        self._reflectors.append(reflector)
        return reflector

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """All that is followed is up to date while the block runs; it starts when all was listed once."""
        async with together(*(reflector.run() for reflector in self._reflectors)):
            for reflector in self._reflectors:
                await reflector.synced.wait()
            yield

    async def get(self, ref: Ref) -> Object:
        """The object, from what is held where that is sure to have it; raises ``Missing``."""
        held = self._covering(ref.api_version, ref.kind, ref.namespace)
        found = next((one for reflector in held if (one := reflector.get(ref.name, ref.namespace))), None)
        if found is not None:
            return found
        if any(reflector.whole for reflector in held):
            raise Missing(f"get {ref}: there is none", code=_NOT_FOUND, reason="NotFound")
        return await super().get(ref)

    async def list(
        self,
        api_version: str,
        kind: str,
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        keep: Callable[[Object], Object] = lambda held: held,
    ) -> Listing:
        """All objects of ``kind``, from what is held where that has them all."""
        reflector = None if fields else self._answering(api_version, kind, namespace, labels)
        if reflector is not None:
            return Listing(tuple(_chosen(reflector, namespace, labels)), "")
        where = {"namespace": namespace, "labels": labels, "fields": fields}
        return await super().list(api_version, kind, keep=keep, **where)

    async def read(
        self,
        api_version: str,
        kind: str,
        of: Callable[[Object], Read],
        *,
        namespace: str = "",
        labels: str = "",
    ) -> tuple[Read, ...]:
        """As ``Kube.read``; an object that did not change is not read again by the same ``of``."""
        reflector = self._answering(api_version, kind, namespace, labels)
        if reflector is None:
            return await super().read(api_version, kind, of, namespace=namespace, labels=labels)
        key = (of, api_version, kind, namespace, labels)
        memory = self._memory.get(key)
        if memory is None or memory.reflector is not reflector or memory.changes != reflector.changes:
            known = memory.held if memory else {}
            held = {
                id(one): known.get(id(one)) or (one, of(one)) for one in _chosen(reflector, namespace, labels)
            }
            found = tuple(read for _, read in held.values())
            memory = self._memory[key] = _Memory(reflector, reflector.changes, found, held)
        return memory.found

    async def knows(self, api_version: str, kind: str) -> bool:
        """Whether the cluster has ``kind``; of what is followed, whether it had it at the last look."""
        for reflector in self._covering(api_version, kind, ""):
            if reflector.synced.is_set():
                return not reflector.unknown
        return await super().knows(api_version, kind)

    async def apply(self, held: Object, **words: Any) -> Object:
        """As ``Kube.apply``."""
        with self._writing(Ref.of(held)):
            return self._note(await super().apply(held, **words))

    async def merge(self, ref: Ref, patch: Mapping[str, Any], **words: Any) -> Object:
        """As ``Kube.merge``."""
        with self._writing(ref):
            return self._note(await super().merge(ref, patch, **words))

    async def create(self, held: Object) -> Object:
        """As ``Kube.create``."""
        with self._writing(Ref.of(held)):
            return self._note(await super().create(held))

    async def replace(self, held: Object) -> Object:
        """As ``Kube.replace``."""
        with self._writing(Ref.of(held)):
            return self._note(await super().replace(held))

    async def delete(self, ref: Ref, *, uid: str = "", wait_for_children: bool = False) -> bool:
        """As ``Kube.delete``."""
        with self._writing(ref):
            there = await super().delete(ref, uid=uid, wait_for_children=wait_for_children)
            for reflector in self._covering(ref.api_version, ref.kind, ref.namespace):
                reflector.forget(ref.name, ref.namespace)
            return there

    @contextmanager
    def _writing(self, ref: Ref) -> Iterator[None]:
        """What the API answers is noted before its watch tells of it, which would be news then."""
        self.writes += 1
        with ExitStack() as stack:
            for reflector in self._covering(ref.api_version, ref.kind, ref.namespace):
                stack.enter_context(reflector.waiting(ref.name, ref.namespace))
            yield

    def _note(self, held: Object) -> Object:
        ref = Ref.of(held)
        for reflector in self._covering(ref.api_version, ref.kind, ref.namespace):
            reflector.note(held)
        return held

    def _answering(self, api_version: str, kind: str, namespace: str, labels: str) -> Reflector | None:
        """One that has all of them."""
        covering = self._covering(api_version, kind, namespace)
        return next((one for one in covering if one.answers(labels)), None)

    def _covering(self, api_version: str, kind: str, namespace: str) -> Sequence[Reflector]:
        return [one for one in self._reflectors if one.covers(api_version, kind, namespace)]


def _chosen(reflector: Reflector, namespace: str, labels: str) -> Iterator[Object]:
    return (
        held
        for held in reflector
        if namespace in {"", held["metadata"].get("namespace")}
        and (not labels or matches(labels, held["metadata"].get("labels") or {}))
    )
