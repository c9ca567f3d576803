"""Read what travels with an image, without its module."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from weft.attachments import AttachmentType
from weft.errors import NotFound, WeftError
from weft.image import choose_manifest
from weft.oci import DEFAULT_TAG, Annotation, Descriptor, Digest, Index, Manifest, Reference
from weft.store import Store
from weft.workflows.images.contents import Source
from weft.workflows.images.local import StoreContents

if TYPE_CHECKING:  # `weft run` reads schemas, and waits for no client
    from weft.registry import Registries

__all__ = ["SHOWN", "Document", "attached_documents", "read_attached"]

_MAX_BYTES = 16 * 1024 * 1024

SHOWN: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "readme": (AttachmentType.PROJECT, AttachmentType.README),
        "license": (AttachmentType.PROJECT, AttachmentType.LICENSE),
        "schema": (AttachmentType.PROJECT, AttachmentType.SCHEMA),
        "scenarios": (AttachmentType.PROJECT, AttachmentType.SCENARIO),
        "sbom": (AttachmentType.SBOM, AttachmentType.SBOM),
        "provenance": (AttachmentType.STATEMENT, AttachmentType.STATEMENT),
    }
)
"""What can be shown → the type of the attachment and of the files in it."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file that was attached."""

    title: str
    data: bytes


async def attached_documents(
    store: Store, registries: "Registries", reference: Reference, what: str
) -> list[Document]:
    """The documents of one kind of ``SHOWN``, of the store's image, or the registry's where it has none.

    Raises ``NotFound`` when the image has none of these.
    """
    source: Source
    try:
        source, digest = StoreContents(store), store.find(reference).digest
        place = "the store"
    except NotFound:
        source = registries.repository(reference.registry, reference.repository)
        digest = (await source.manifest(reference.digest or reference.tag or DEFAULT_TAG)).digest
        place = reference.registry
    found = await read_attached(source, digest, what)
    if not found:
        raise NotFound(
            f"no {what} travels with {reference} in {place}",
            hint="weft build attaches what the project has; weft discover lists what a registry has",
        )
    return found


async def read_attached(source: Source, image: Digest, what: str) -> list[Document]:
    """The documents of one kind of ``SHOWN`` at ``image``, or at the image in that index."""
    artifact_type, media_type = SHOWN[what]
    root = await source.manifest(image)
    subject = choose_manifest(root).digest if isinstance(root, Index) else image
    documents: list[Document] = []
    for entry in await source.referrers(subject):
        if entry.artifact_type != artifact_type:
            continue
        manifest = await source.manifest(entry.digest)
        layers = manifest.layers if isinstance(manifest, Manifest) else ()
        documents += [await _read(source, layer) for layer in layers if layer.media_type == media_type]
    return documents


async def _read(source: Source, layer: Descriptor) -> Document:
    if layer.size > _MAX_BYTES:
        raise WeftError(f"attachment {layer.digest} has {layer.size} bytes; {_MAX_BYTES} are the most")
    async with aclosing(source.open_blob(layer)) as chunks:
        data = b"".join([chunk async for chunk in chunks])
    return Document(layer.annotations.get(Annotation.TITLE, ""), data)
