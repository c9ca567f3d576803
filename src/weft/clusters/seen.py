"""What is there of the objects that steps are about, found with few requests.

Many of one kind in one namespace are listed together. What a list said may be old when its turn comes: so a
change of it names the version it was judged on, and where that is no longer there, the object is asked for by
itself.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from weft.kube import Denied, Kube, Missing, Object, Ref

__all__ = ["Seen"]

Place = tuple[str, str, str]
# To list is one request for each 500 objects that are there; to ask is one for each that is wanted.
_FEW = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """Objects as they were at a look."""

    kube: Kube
    _listed: dict[Place, dict[Ref, Object]] = field(default_factory=dict)
    _old: set[Ref] = field(default_factory=set)

    async def look(self, refs: Iterable[Ref]) -> None:
        """List where many of ``refs`` are; what was seen before is forgotten."""
        self._listed.clear()
        self._old.clear()
        places = Counter(map(_place, refs))
        for place in (place for place, wanted in places.items() if wanted > _FEW):
            api_version, kind, namespace = place
            try:
                listing = await self.kube.list(api_version, kind, namespace=namespace)
            except (Missing, Denied):  # each by itself, then
                continue
            self._listed[place] = {Ref.of(held): held for held in listing.items}

    async def find(self, ref: Ref) -> Object | None:
        """The object, or ``None`` when there is none."""
        listed = self._listed.get(_place(ref))
        return await self.kube.find(ref) if listed is None or ref in self._old else listed.get(ref)

    def as_seen(self, change: Object, held: Object | None) -> Object:
        """``change``, to be refused when ``held``, which it was judged on, is no longer what a list said."""
        ref = Ref.of(change)
        if held is None or ref in self._old or _place(ref) not in self._listed:
            return change
        metadata: dict[str, Any] = {**change["metadata"]}
        metadata["resourceVersion"] = held["metadata"]["resourceVersion"]
        return {**change, "metadata": metadata}

    def is_old(self, ref: Ref) -> bool:
        """Somebody changed it since: find it anew. Gives whether that can help."""
        helps = _place(ref) in self._listed and ref not in self._old
        self._old.add(ref)
        return helps


def _place(ref: Ref) -> Place:
    return ref.api_version, ref.kind, ref.namespace
