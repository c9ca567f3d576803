"""A filter's record in the custom resource that asked for it, and the finalizer that keeps both."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from weft.clusters import ANNOTATION, Record, annotation
from weft.kube import Kube, Missing, Object, Ref

__all__ = ["FINALIZER", "InResource"]

FINALIZER = "weft.dev/undeploy"


@dataclass(frozen=True, slots=True)
class InResource:
    """A ``Keeper`` of one record."""

    kube: Kube
    ref: Ref

    @asynccontextmanager
    async def taken(self, before: Record | None, during: Record) -> AsyncIterator[None]:
        """Of operators only one acts, and it does one thing at a time with each resource."""
        if before != during:
            await self.write(during)
        yield

    def guard(self) -> None:
        """Whose turn it is, the operator's Lease says."""

    async def write(self, record: Record) -> None:
        """Keep it, and the resource with it until the filter is gone."""
        held = await self.kube.get(self.ref)
        kept = list(held["metadata"].get("finalizers") or ())
        finalizers = kept if FINALIZER in kept else [*kept, FINALIZER]
        await self._patch(held, finalizers, annotation(record))

    async def forget(self, record: Record) -> None:  # noqa: ARG002 - there is but one
        """The filter is gone; the resource may go."""
        await self.let_go()

    async def let_go(self) -> None:
        """Take finalizer and record from the resource, if it is still there and has them."""
        try:
            held = await self.kube.get(self.ref)
        except Missing:
            return
        kept = list(held["metadata"].get("finalizers") or ())
        if FINALIZER in kept or ANNOTATION in (held["metadata"].get("annotations") or {}):
            await self._patch(held, [one for one in kept if one != FINALIZER], None)

    async def _patch(self, held: Object, finalizers: list[str], text: str | None) -> None:
        """Only on the resource as it was read: the list of finalizers is not ours alone."""
        metadata: dict[str, Any] = {"annotations": {ANNOTATION: text}}
        metadata["resourceVersion"] = held["metadata"]["resourceVersion"]
        if finalizers != list(held["metadata"].get("finalizers") or ()):
            metadata["finalizers"] = finalizers
        await self.kube.merge(self.ref, {"metadata": metadata})
