"""Fetch an image into the store."""

from weft.image import choose_manifest
from weft.oci import DEFAULT_TAG, Manifest, Reference
from weft.registry import Registries, Repository
from weft.store import Store
from weft.workflows.images.contents import Judge
from weft.workflows.images.graph import Graph, Node, read_graph, without_tags
from weft.workflows.images.local import StoreContents
from weft.workflows.images.transfer import Progress, Report, Transfer

__all__ = ["image_graph", "pull"]


async def pull(
    store: Store,
    registries: Registries,
    reference: Reference,
    *,
    attached: bool = False,
    judge: Judge | None = None,
    progress: Progress | None = None,
) -> Report:
    """Copy ``reference`` into the store under its own name; its digest decides when it has one.

    ``judge`` is asked before anything but the manifest is fetched, and what it judged is what is kept.

    Of an index comes the image that suits wasm, and the index itself, so that the index's digest stays the
    image's name. Raises ``NotFound``.
    """
    source = registries.repository(reference.registry, reference.repository)
    graph = await image_graph(source, reference, attached=attached)
    if judge:
        await judge(source, reference, graph.root.digest)
    with store.adding():
        report = await Transfer(source, StoreContents(store), progress=progress).run(graph)
        store.keep(reference, graph.root)
    return report


async def image_graph(source: Repository, reference: Reference, *, attached: bool = False) -> Graph:
    """The manifest that ``reference`` names, and below an index the one image that suits wasm.

    With ``attached``, what refers to that image comes before it.
    """
    root = await source.manifest(reference.digest or reference.tag or DEFAULT_TAG)
    image = root if isinstance(root, Manifest) else await source.manifest(choose_manifest(root).digest)
    graph = without_tags(await read_graph(source, image, attachments=attached))
    return graph if image is root else Graph((*graph.nodes, Node(root)))
