"""Fetch an image into the store."""

from weft.errors import UsageError
from weft.image import choose_manifest
from weft.oci import DEFAULT_TAG, Index, Platform, Reference
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
    platform: Platform | None = None,
    attached: bool = False,
    judge: Judge | None = None,
    progress: Progress | None = None,
) -> Report:
    """Copy ``reference`` into the store under its own name; its digest decides when it has one.

    ``judge`` is asked before anything but the manifest is fetched, and what it judged is what is kept.

    Of an index comes the image for ``platform``, or the one that suits wasm and the index itself, so that the
    index's digest stays the image's name. Raises ``NotFound``.
    """
    source = registries.repository(reference.registry, reference.repository)
    graph = await image_graph(source, reference, platform, attached=attached)
    if judge:
        await judge(source, reference, graph.root.digest)
    with store.adding():
        report = await Transfer(source, StoreContents(store), progress=progress).run(graph)
        store.keep(reference, graph.root)
    return report


async def image_graph(
    source: Repository, reference: Reference, platform: Platform | None = None, *, attached: bool = False
) -> Graph:
    """The manifest that ``reference`` names, and below an index the one image that suits wasm.

    With ``platform`` that image alone, without the index. With ``attached``, what refers to the image comes
    before it. Raises ``UsageError`` for a platform of what is no index.
    """
    root = await source.manifest(reference.digest or reference.tag or DEFAULT_TAG)
    if isinstance(root, Index):
        image = await source.manifest(choose_manifest(root, platform).digest)
    elif platform:
        raise UsageError(f"{reference} is one image, for any platform", hint="leave --platform out")
    else:
        image = root
    graph = without_tags(await read_graph(source, image, attachments=attached))
    return graph if platform or image is root else Graph((*graph.nodes, Node(root)))
