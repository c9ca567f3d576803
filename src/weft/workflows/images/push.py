"""Publish an image of the store."""

from weft.oci import Reference
from weft.registry import Registries
from weft.store import Store
from weft.workflows.images.graph import read_graph
from weft.workflows.images.local import StoreContents
from weft.workflows.images.transfer import Progress, Report, Transfer

__all__ = ["push"]


async def push(
    store: Store,
    registries: Registries,
    reference: Reference,
    *,
    target: Reference | None = None,
    progress: Progress | None = None,
) -> Report:
    """Copy ``reference`` from the store to its registry, or to where ``target`` says.

    Raises ``NotFound`` when the store has no such image.
    """
    target = target or reference
    source = StoreContents(store)
    manifest = store.manifest(store.find(reference))
    graph = await read_graph(source, manifest)
    sink = registries.repository(target.registry, target.repository)
    return await Transfer(source, sink, progress=progress).run(graph, target.tag)
