"""A cluster's API whose reads are answered from what reflectors hold.

For programs that look at the same things again and again. What was written here is seen here at once, before
the API's watch tells of it; so what is read is never older than what this program did.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from weft.base.tasks import together
from weft.kube.client import Kube, Read
from weft.kube.errors import Missing
from weft.kube.objects import Listing, Object, Ref
from weft.kube.reflector import Reflector
from weft.kube.selectors import matches

__all__ = ["CachedKube"]

_NOT_FOUND = 404


class CachedKube(Kube):
    """``Kube``, and reflectors of what it is asked for."""

    def __init__(self, kube: Kube) -> None:
        super().__init__(kube.transport, kube.cluster)
        self._api = kube
        self.writes = 0
        """Requests that were sent to change something."""
        self._reflectors: list[Reflector] = []
        self._memory: dict[Callable[[Object], Any], dict[Ref, tuple[Object, Any]]] = {}

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
        for reflector in self._covering(api_version, kind, namespace):
            if not fields and reflector.answers(labels):
                return Listing(
                    tuple(
                        held
                        for held in reflector
                        if namespace in {"", held["metadata"].get("namespace")}
                        and matches(labels, held["metadata"].get("labels") or {})
                    ),
                    "",
                )
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
        memory = self._memory.setdefault(of, {})
        found = []
        for held in (await self.list(api_version, kind, namespace=namespace, labels=labels)).items:
            key = Ref.of(held)
            known = memory.get(key)
            if known is None or known[0] is not held:
                known = memory[key] = (held, of(held))
            found.append(known[1])
        return tuple(found)

    async def knows(self, api_version: str, kind: str) -> bool:
        """Whether the cluster has ``kind``; of what is followed, whether it had it at the last look."""
        for reflector in self._covering(api_version, kind, ""):
            if reflector.synced.is_set():
                return not reflector.unknown
        return await super().knows(api_version, kind)

    async def apply(self, held: Object, **words: Any) -> Object:
        """As ``Kube.apply``."""
        return self._note(await super().apply(held, **words))

    async def merge(self, ref: Ref, patch: Mapping[str, Any], *, subresource: str = "") -> Object:
        """As ``Kube.merge``."""
        return self._note(await super().merge(ref, patch, subresource=subresource))

    async def create(self, held: Object) -> Object:
        """As ``Kube.create``."""
        return self._note(await super().create(held))

    async def replace(self, held: Object) -> Object:
        """As ``Kube.replace``."""
        return self._note(await super().replace(held))

    async def delete(self, ref: Ref, *, uid: str = "", wait_for_children: bool = False) -> bool:
        """As ``Kube.delete``."""
        self.writes += 1
        there = await super().delete(ref, uid=uid, wait_for_children=wait_for_children)
        for reflector in self._covering(ref.api_version, ref.kind, ref.namespace):
            reflector.forget(ref.name, ref.namespace)
        return there

    def _note(self, held: Object) -> Object:
        self.writes += 1
        ref = Ref.of(held)
        for reflector in self._covering(ref.api_version, ref.kind, ref.namespace):
            reflector.note(held)
        return held

    def _covering(self, api_version: str, kind: str, namespace: str) -> Sequence[Reflector]:
        return [one for one in self._reflectors if one.covers(api_version, kind, namespace)]
