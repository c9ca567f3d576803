"""Which programs take an image as it is in the store or in a registry."""

from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from weft.errors import NotFound
from weft.image import (
    MAX_MODULE_BYTES,
    Answer,
    ImageInvalid,
    Published,
    ask_consumers,
    blobs_to_judge,
    linux_amd64,
)
from weft.oci import DEFAULT_TAG, Descriptor, Digest, Index, Manifest, Reference
from weft.registry import Registries
from weft.store import Store
from weft.workflows.images.contents import Source
from weft.workflows.images.local import StoreContents

__all__ = ["Consumers", "consumers_of"]


@dataclass(frozen=True, slots=True)
class Consumers:
    """The answers, and what they are about. ``place`` is ``store`` or the registry."""

    reference: Reference
    digest: Digest
    place: str
    answers: tuple[Answer, ...]

    def document(self) -> dict[str, Any]:
        """What ``weft check REF --consumers -o json`` shows.

        ::

            {"reference": "hub.example.com/f:v1", "digest": "sha256:…", "place": "store",
             "consumers": [{"consumer": "Istio", "versions": "1.16 and later", "accepts": true,
                            "error": "", "remark": ""}]}
        """
        return {
            "reference": str(self.reference),
            "digest": str(self.digest),
            "place": self.place,
            "consumers": [answer.document() for answer in self.answers],
        }


async def consumers_of(store: Store, registries: Registries, reference: Reference) -> Consumers:
    """Ask about the image of the store, or of the registry where the store has none.

    Raises ``NotFound``, ``ImageInvalid`` for an archive that is too large, or what the registry raises.
    """
    source: Source
    try:
        source, root = StoreContents(store), store.manifest(store.find(reference))
        place = "store"
    except NotFound:
        source = registries.repository(reference.registry, reference.repository)
        root = await source.manifest(reference.digest or reference.tag or DEFAULT_TAG)
        place = reference.registry
    return Consumers(reference, root.digest, place, ask_consumers(await _published(source, reference, root)))


async def _published(source: Source, reference: Reference, root: Manifest | Index) -> Published:
    index = root if isinstance(root, Index) else None
    manifest = root if isinstance(root, Manifest) else None
    if index and (entry := linux_amd64(index)):
        found = await source.manifest(entry.digest)
        manifest = found if isinstance(found, Manifest) else None
    blobs = {blob.digest: await _read(source, blob) for blob in blobs_to_judge(manifest)} if manifest else {}
    return Published(str(reference), manifest, blobs, index)


async def _read(source: Source, blob: Descriptor) -> bytes:
    if blob.size > MAX_MODULE_BYTES:
        raise ImageInvalid(f"layer {blob.digest} has {blob.size} bytes; {MAX_MODULE_BYTES} are the most")
    async with aclosing(source.open_blob(blob)) as chunks:
        return b"".join([chunk async for chunk in chunks])
