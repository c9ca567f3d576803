"""Find the signatures of a manifest in its repository, wherever cosign or weft put them.

Whoever may push may put things beside an image, so there are limits, and what cannot be read is a reason
for people, never the end: it must not hide the good signature next to it. Only a registry that does not
answer ends the search.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from weft.errors import NotFound
from weft.oci import Descriptor, Digest, DocumentInvalid, Index, Manifest, MediaType
from weft.registry import ContentMismatch, RegistryError
from weft.signing import (
    BUNDLE_TYPE,
    SIMPLE_TYPE,
    Signature,
    SignatureInvalid,
    read_bundle,
    read_simple,
    signature_tag,
)
from weft.workflows.images.contents import Source

__all__ = ["MAX_DOCUMENTS", "Found", "find_bundles", "find_signatures", "find_simple", "simple_manifest"]

# An image is signed by a person, a build and perhaps a release; each place may hold this many documents.
MAX_DOCUMENTS = 64
# A bundle may hold several signatures.
_MAX_SIGNATURES = 256
_MAX_BUNDLE_BYTES = 1024 * 1024
_MAX_SIMPLE_BYTES = 64 * 1024
_BUNDLE_PREFIX = BUNDLE_TYPE.partition(".v0")[0]
# Where a registry has no referrers API, cosign notes a bundle under the type of its empty config.
_CANDIDATES = frozenset({"", MediaType.OCI_EMPTY})
_GONE = 404


@dataclass(frozen=True, slots=True)
class Found:
    """The signatures that could be read, and why others could not."""

    signatures: tuple[Signature, ...] = ()
    problems: tuple[str, ...] = ()

    def __add__(self, other: "Found") -> "Found":
        return Found(self.signatures + other.signatures, self.problems + other.problems)


async def find_signatures(repository: Source, digest: Digest) -> Found:
    """All signatures of ``digest``, in both of cosign's layouts."""
    return await find_simple(repository, digest) + await find_bundles(repository, digest)


async def find_simple(repository: Source, digest: Digest) -> Found:
    """The signatures in the image at the tag ``sha256-<hex>.sig``."""
    where = f"{repository}:{signature_tag(digest)}"
    try:
        manifest = await simple_manifest(repository, digest)
    except (DocumentInvalid, SignatureInvalid, ContentMismatch) as error:
        return Found(problems=(f"{where} was left out: {error}",))
    layers = [layer for layer in manifest.layers if layer.media_type == SIMPLE_TYPE] if manifest else []

    async def each(layer: Descriptor) -> list[Signature]:
        payload = await _read(repository, layer, _MAX_SIMPLE_BYTES)
        return [read_simple(layer, payload, where=str(repository))]

    return await _gather(layers, each, where)


async def simple_manifest(repository: Source, digest: Digest) -> Manifest | None:
    """The image at the tag ``sha256-<hex>.sig``, if there is one.

    Raises ``SignatureInvalid`` for an index, which cosign never writes there.
    """
    tag = signature_tag(digest)
    try:
        manifest = await repository.manifest(tag)
    except NotFound:
        return None
    if isinstance(manifest, Index):
        raise SignatureInvalid(f"{repository}:{tag} is an index, not signatures")
    return manifest


async def find_bundles(repository: Source, digest: Digest) -> Found:
    """The signatures in the bundles that refer to ``digest``."""
    where = f"what refers to {repository}@{digest}"
    try:
        referrers = await repository.referrers(digest)
    except DocumentInvalid as error:
        return Found(problems=(f"{where} was left out: {error}",))
    candidates = [
        entry
        for entry in referrers
        if entry.artifact_type.startswith(_BUNDLE_PREFIX) or entry.artifact_type in _CANDIDATES
    ]

    async def each(entry: Descriptor) -> list[Signature]:
        manifest = await repository.manifest(entry.digest)
        layers = manifest.layers if isinstance(manifest, Manifest) else ()
        if len(layers) != 1 or not layers[0].media_type.startswith(_BUNDLE_PREFIX):
            return []  # something else that somebody attached
        return read_bundle(await _read(repository, layers[0], _MAX_BUNDLE_BYTES), where=str(repository))

    return await _gather(candidates, each, where)


async def _gather(
    entries: Sequence[Descriptor], each: Callable[[Descriptor], Awaitable[list[Signature]]], where: str
) -> Found:
    """What ``each`` reads of the entries, up to the limits; what it cannot read becomes a problem."""
    signatures: list[Signature] = []
    problems: list[str] = []
    for entry in entries[:MAX_DOCUMENTS]:
        try:
            signatures += await each(entry)
        except (DocumentInvalid, SignatureInvalid, ContentMismatch, NotFound) as error:
            problems.append(f"{entry.digest.short} was left out: {error}")
        except RegistryError as error:
            if error.status != _GONE:
                raise
            problems.append(f"{entry.digest.short} was left out: {error}")
    if len(entries) > MAX_DOCUMENTS or len(signatures) > _MAX_SIGNATURES:
        problems.append(f"{where}: more signatures than anybody needs; the rest were not looked at")
    return Found(tuple(signatures[:_MAX_SIGNATURES]), tuple(problems))


async def _read(repository: Source, blob: Descriptor, limit: int) -> bytes:
    """A small blob, verified; raises ``SignatureInvalid`` for one that is not small."""
    if blob.size > limit:
        raise SignatureInvalid(f"{blob.digest} has {blob.size} bytes, more than the {limit} of a signature")
    async with aclosing(repository.open_blob(blob)) as chunks:
        return b"".join([chunk async for chunk in chunks])
