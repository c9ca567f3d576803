"""What ``weft list`` shows of each name: found out cheaply, one broken image never hiding the others.

Manifests are read and checked; of the other blobs only presence and size are looked at. Whoever uses an
image gets every byte checked by ``Store.get``.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from weft.errors import WeftError
from weft.image import Image, choose_manifest, flavor_of, unpack
from weft.oci import MAX_MANIFEST_BYTES, Descriptor, Digest, Index, Manifest, Reference, parse_manifest
from weft.store.blobs import Blobs
from weft.store.errors import BlobDamaged
from weft.store.names import LocalAnnotation, Name

__all__ = ["Entry", "ModuleBlob", "describe", "image_of", "module_in", "read_manifest"]

# An image with more than this in one blob is held by no Envoy. Base layers of containers may be large.
MAX_BLOB_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ModuleBlob:
    """The module itself, wherever the flavor keeps it."""

    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in the store, good or broken."""

    name: str
    """As the index has it: a full reference, unless another tool wrote it. Never empty."""
    reference: Reference | None
    digest: Digest | None
    """Of the manifest, or of the index that it was pulled as."""
    flavor: str | None
    module: ModuleBlob | None
    size: int
    """Bytes of all that belongs to the image, the manifest too."""
    updated: datetime
    path: Path
    """The file that is the module, or that holds it in an archive; the store's folder when broken."""
    problem: str | None
    """What is wrong; ``None`` when the image is good."""


def describe(name: Name, blobs: Blobs, root: Path) -> Entry | None:
    """The entry of ``name``; ``None`` for what is no image of its own (attachments have no name)."""
    digest = name.descriptor.digest if name.descriptor else None
    updated = name.updated or _changed(blobs.path(digest) if digest else root)
    flavor, module, size, path, problem = None, None, 0, root, name.problem
    if name.descriptor and not problem:
        try:
            manifest = image_of(name.descriptor, blobs)
            size = len(manifest.raw) + sum(blob.size for blob in manifest.blobs)
            flavor = flavor_of(manifest).NAME
            _look_at(manifest, blobs)
            module = _module(name.descriptor, manifest, blobs)
            path = blobs.path(_holder(manifest))
        except WeftError as error:
            problem = str(error)
    if not name.text and problem:
        return None
    return Entry(name.shown, name.reference, digest, flavor, module, size, updated, path, problem)


def read_manifest(descriptor: Descriptor, blobs: Blobs) -> Manifest | Index:
    """The manifest or index that ``descriptor`` names; raises ``BlobDamaged``, ``DocumentInvalid``."""
    raw = blobs.read(descriptor.digest, limit=MAX_MANIFEST_BYTES)
    return parse_manifest(raw, descriptor.media_type)


def image_of(descriptor: Descriptor, blobs: Blobs) -> Manifest:
    """The manifest of the one image meant, from an index the one that suits wasm."""
    document = read_manifest(descriptor, blobs)
    if isinstance(document, Index):
        document = read_manifest(choose_manifest(document), blobs)
    if isinstance(document, Index):
        raise BlobDamaged(f"index {descriptor.digest} leads to another index, not to an image")
    return document


def module_in(manifest: Manifest, blobs: Blobs) -> ModuleBlob:
    """The module of an image, unpacked when the manifest does not name it."""
    where = flavor_of(manifest).module_of(manifest)
    if where is None:
        content = {blob.digest: blobs.read(blob.digest, limit=MAX_BLOB_BYTES) for blob in manifest.blobs}
        module = unpack(Image(manifest, content)).module
        return ModuleBlob(Digest.of(module), len(module))
    return ModuleBlob(where.digest, where.size)


def _module(named: Descriptor, manifest: Manifest, blobs: Blobs) -> ModuleBlob:
    """As ``module_in``, but believing what was noted when the name was given, rather than to unpack."""
    notes = named.annotations
    digest, size = notes.get(LocalAnnotation.MODULE_DIGEST), notes.get(LocalAnnotation.MODULE_SIZE, "")
    if digest and size.isdecimal():
        return ModuleBlob(Digest.parse(digest), int(size))
    return module_in(manifest, blobs)


def _look_at(manifest: Manifest, blobs: Blobs) -> None:
    for blob in manifest.blobs:
        if fault := blobs.fault(blob):
            raise BlobDamaged(fault)


def _holder(manifest: Manifest) -> Digest:
    where = flavor_of(manifest).module_of(manifest)
    return (where or manifest.layers[-1]).digest


def _changed(path: Path) -> datetime:
    try:
        seconds = path.stat().st_mtime
    except OSError:
        seconds = 0.0
    return datetime.fromtimestamp(seconds, UTC)
