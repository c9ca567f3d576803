"""What belongs to a manifest: signatures, documents, other flavors (distribution-spec, "Listing Referrers").

Registries with the referrers API keep the list themselves. For others the list is an index under the tag
``<algorithm>-<hex>`` that every writer updates ("Referrers Tag Schema"); two writers at once can lose an
entry, so what was written is read again.
"""

from weft.errors import WeftError
from weft.oci import Descriptor, Digest, Index, Manifest, MediaType, compact_json, parse_manifest
from weft.registry import listing, manifests
from weft.registry.connection import Connection

__all__ = ["find", "note", "strike"]

# A lost update shows at once; somebody else cannot win for ever.
_TRIES = 5


async def find(
    connection: Connection, repository: str, subject: Digest, artifact_type: str = ""
) -> list[Descriptor]:
    """What refers to ``subject``, of one artifact type or of any."""
    found = await listing.referrers(connection, repository, subject, artifact_type)
    if found is None:
        found = await _listed(connection, repository, subject)
    # A registry may leave the filtering to us (OCI-Filters-Applied).
    return [entry for entry in found if not artifact_type or entry.artifact_type == artifact_type]


async def note(connection: Connection, repository: str, manifest: Manifest | Index) -> None:
    """Put ``manifest`` on its subject's list, at a registry that does not do so itself."""
    if manifest.subject is None:
        return
    entry = _entry(manifest)
    for _ in range(_TRIES):
        entries = await _listed(connection, repository, manifest.subject.digest)
        if any(known.digest == entry.digest for known in entries):
            return
        await _write(connection, repository, manifest.subject.digest, [*entries, entry])
    raise WeftError(f"others keep rewriting the list of what refers to {manifest.subject.digest}")


async def strike(connection: Connection, repository: str, manifest: Manifest | Index) -> None:
    """Take ``manifest`` off its subject's list, if there is one under a tag."""
    if manifest.subject is None:
        return
    entries = await _listed(connection, repository, manifest.subject.digest)
    remaining = [entry for entry in entries if entry.digest != manifest.digest]
    if len(remaining) < len(entries):
        await _write(connection, repository, manifest.subject.digest, remaining)


def _entry(manifest: Manifest | Index) -> Descriptor:
    kind = manifest.artifact_type
    if not kind and isinstance(manifest, Manifest):
        kind = manifest.config.media_type
    return Descriptor(
        manifest.media_type, manifest.digest, len(manifest.raw), manifest.annotations, artifact_type=kind
    )


async def _listed(connection: Connection, repository: str, subject: Digest) -> list[Descriptor]:
    found = await manifests.get(connection, repository, _tag(subject))
    return list(found.manifests) if isinstance(found, Index) else []


async def _write(connection: Connection, repository: str, subject: Digest, entries: list[Descriptor]) -> None:
    document = {
        "schemaVersion": 2,
        "mediaType": MediaType.OCI_INDEX,
        "manifests": [entry.to_json() for entry in entries],
    }
    await manifests.put(connection, repository, parse_manifest(compact_json(document)), _tag(subject))


def _tag(subject: Digest) -> str:
    return f"{subject.algorithm}-{subject.hex}"[:128]
