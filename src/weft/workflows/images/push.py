"""Publish an image of the store, in its flavor or another, and others beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from weft.errors import UsageError
from weft.image import Image, RuntimeConfig, flavor_of, pack_beside, unpack
from weft.image import pack as pack_image
from weft.oci import Reference
from weft.registry import Registries
from weft.store import Store
from weft.workflows.images.contents import Source
from weft.workflows.images.graph import Graph, Node, read_graph
from weft.workflows.images.local import StoreContents
from weft.workflows.images.packed import PackedContents
from weft.workflows.images.transfer import Progress, Report, Transfer

__all__ = ["Pushed", "push"]


@dataclass(frozen=True, slots=True)
class Pushed:
    """One image that is published now, and what that took."""

    reference: Reference
    report: Report


async def push(
    store: Store,
    registries: Registries,
    reference: Reference,
    *,
    target: Reference | None = None,
    flavor: str = "",
    also: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[Pushed]:
    """Copy ``reference`` from the store to its registry, or to where ``target`` says.

    What is attached to it in the store goes along. With ``flavor`` its module is packed anew where the image
    is of another one. Of every flavor in ``also`` an image is published beside it, at ``TAG-FLAVOR``, with
    the first as its subject. Raises ``NotFound``, and ``UsageError`` for a flavor that does not exist.
    """
    target = target or reference
    sink = registries.repository(target.registry, target.repository)
    manifest = store.manifest(store.find(reference))
    siblings: list[tuple[Reference, Image]] = []
    main = None
    if flavor or also:
        kept = store.get(reference)
        main = _in_flavor(kept, flavor)
        siblings = [(_beside(target, name), pack_beside(main, name)) for name in _others(main, also)]

    async def publish(name: Reference, source: Source, graph: Graph) -> Pushed:
        return Pushed(name, await Transfer(source, sink, progress=progress).run(graph, name.tag))

    if main is None or main.digest == manifest.digest:
        contents = StoreContents(store)
        graph = await read_graph(contents, manifest, attachments=True)
        done = [await publish(target, contents, graph)]
    else:
        done = [await publish(target, PackedContents(main), _alone(main))]
    done += [await publish(name, PackedContents(image), _alone(image)) for name, image in siblings]
    return done


def _alone(image: Image) -> Graph:
    return Graph((Node(image.manifest),))


def _others(main: Image, also: Sequence[str]) -> Sequence[str]:
    own = flavor_of(main.manifest).NAME
    if own in also:
        raise UsageError(f"the image is of flavor {own} already", hint=f"leave {own} out of --also")
    return also


def _in_flavor(image: Image, flavor: str) -> Image:
    if flavor in {"", flavor_of(image.manifest).NAME}:
        return image
    contents = unpack(image)
    return pack_image(contents.module, contents.runtime or RuntimeConfig(), flavor=flavor)


def _beside(target: Reference, flavor: str) -> Reference:
    """``NAME:TAG-FLAVOR``: found by those who can only name a tag."""
    if target.tag is None:
        raise UsageError(f"{target} has no tag for --also to add to", hint=f"push {target.name}:TAG")
    return Reference.parse(f"{target.name}:{target.tag}-{flavor}")
