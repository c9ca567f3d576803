"""Copy images from place to place: registry to registry, and in and out of archives and the store.

A place is written as a reference (a registry), ``store:REF`` (this machine's store), or a file: what ends in
``.tar``, or starts with ``/`` or ``.``. ``oci-archive:FILE`` says it outright.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from weft.archive import ArchiveReader, ArchiveWriter
from weft.errors import UsageError
from weft.image import choose_manifest
from weft.oci import DEFAULT_TAG, Digest, Index, Manifest, Platform, Reference
from weft.registry import Registries
from weft.store import Store
from weft.workflows.images.contents import Judge, Sink, Source
from weft.workflows.images.graph import read_graph, without_tags
from weft.workflows.images.local import StoreContents
from weft.workflows.images.transfer import AT_ONCE, Progress, Report, Transfer

__all__ = ["InArchive", "InRegistry", "InStore", "Place", "copy", "hosts_of", "read_place"]

_ARCHIVE = "oci-archive:"
_STORE = "store:"


@dataclass(frozen=True, slots=True)
class InRegistry:
    """An image in a registry."""

    reference: Reference

    def __str__(self) -> str:
        return str(self.reference)


@dataclass(frozen=True, slots=True)
class InStore:
    """An image of this machine."""

    reference: Reference

    def __str__(self) -> str:
        return f"{_STORE}{self.reference}"


@dataclass(frozen=True, slots=True)
class InArchive:
    """An image in a file. Of several it is the one that is called as the other place."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


Place = InRegistry | InStore | InArchive


def read_place(text: str) -> Place:
    """What a person means by ``text``; raises ``ReferenceInvalid``."""
    if text.startswith(_STORE):
        return InStore(Reference.parse(text.removeprefix(_STORE)))
    if text.startswith(_ARCHIVE):
        return InArchive(Path(text.removeprefix(_ARCHIVE)))
    if text.endswith(".tar") or text.startswith((".", "/")):
        return InArchive(Path(text))
    return InRegistry(Reference.parse(text))


def hosts_of(*places: Place) -> list[str]:
    """The registries that ``places`` name."""
    return [place.reference.registry for place in places if not isinstance(place, InArchive)]


async def copy(
    source: Place,
    target: Place,
    *,
    registries: Registries,
    store: Store,
    attachments: bool = True,
    platform: Platform | None = None,
    judge: Judge | None = None,
    progress: Progress | None = None,
) -> Report:
    """Copy everything under ``source`` to ``target``: all platforms or one, and what refers to it.

    Raises ``NotFound``, ``UsageError`` for places that do not go together, and what the places raise.
    """
    if isinstance(source, InStore) and isinstance(target, InStore):
        raise UsageError("both are in the store", hint="weft tag gives an image another name")
    if isinstance(source, InArchive) and isinstance(target, InArchive):
        raise UsageError("both are files", hint="cp copies a file")
    async with AsyncExitStack() as stack:
        content, root = await _open_source(stack, source, target, registries, store)
        if platform:
            root = await _of_platform(content, root, platform)
        if judge:
            reference = _named(source, target)
            assert reference is not None  # noqa: S101 - one of two places is no archive
            await judge(_signed_in(source, content, registries), reference, root.digest)
        graph = await read_graph(content, root, attachments=attachments)
        if isinstance(target, InStore):  # cosign's older signatures are found by a tag, and it has none
            graph = without_tags(graph)
        sink, tag = _open_sink(stack, source, target, root, registries, store)
        # An archive is written in order, so that the same image gives the same file.
        at_once = 1 if isinstance(target, InArchive) else AT_ONCE
        report = await Transfer(content, sink, progress=progress, at_once=at_once).run(graph, tag)
        if isinstance(target, InStore):
            store.keep(target.reference, root)
        if isinstance(sink, ArchiveWriter) and tag is None:
            sink.name(root, str(_named(source, target)))
        return report


async def _of_platform(content: Source, root: Manifest | Index, platform: Platform) -> Manifest | Index:
    if isinstance(root, Manifest):
        raise UsageError(f"{root.digest} is one image, for any platform", hint="leave --platform out")
    return await content.manifest(choose_manifest(root, platform).digest)


def _signed_in(place: Place, content: Source, registries: Registries) -> Source:
    """Where signatures are: with the image, but the store has none, so those of its images are at home."""
    if isinstance(place, InStore):
        return registries.repository(place.reference.registry, place.reference.repository)
    return content


async def _open_source(
    stack: AsyncExitStack, place: Place, target: Place, registries: Registries, store: Store
) -> tuple[Source, Manifest | Index]:
    if isinstance(place, InArchive):
        archive = stack.enter_context(ArchiveReader(place.path))
        wanted = _named(place, target)
        names = (str(wanted), wanted.tag or "") if wanted else ()
        return archive, await archive.manifest(archive.find(*names).digest)
    if isinstance(place, InStore):
        return StoreContents(store), store.manifest(store.find(place.reference))
    repository = registries.repository(place.reference.registry, place.reference.repository)
    name: str | Digest = place.reference.digest or place.reference.tag or DEFAULT_TAG
    return repository, await repository.manifest(name)


def _open_sink(
    stack: AsyncExitStack,
    source: Place,
    target: Place,
    root: Manifest | Index,
    registries: Registries,
    store: Store,
) -> tuple[Sink, str | None]:
    """Where to write, and the tag of the root there."""
    if isinstance(target, InArchive):
        reference = _named(source, target)
        writer = stack.enter_context(ArchiveWriter(target.path, name=reference.name if reference else ""))
        return writer, reference.tag if reference else None
    if target.reference.digest not in {None, root.digest}:
        raise UsageError(f"{target} cannot name a manifest with digest {root.digest}")
    if isinstance(target, InStore):
        stack.enter_context(store.adding())
        return StoreContents(store), None
    same = isinstance(source, InRegistry) and source.reference.registry == target.reference.registry
    neighbour = source.reference.repository if same and isinstance(source, InRegistry) else None
    repository = registries.repository(
        target.reference.registry, target.reference.repository, mount_from=neighbour
    )
    return repository, target.reference.tag


def _named(source: Place, target: Place) -> Reference | None:
    """The reference that an image in an archive is known by: where it came from."""
    places = (source, target)
    return next((place.reference for place in places if not isinstance(place, InArchive)), None)
