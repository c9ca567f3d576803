"""Read, write and delete manifests (distribution-spec, "Pulling manifests", "Pushing manifests").

Bytes are kept: what is parsed is a view. A manifest asked for by digest has that digest; one asked for by tag
has the digest that the registry announced, if it did.
"""

from weft.net import Response
from weft.oci import MAX_MANIFEST_BYTES, Descriptor, Digest, Index, Manifest, MediaType, parse_manifest
from weft.registry.connection import Connection, Request
from weft.registry.errors import ContentMismatch
from weft.registry.scopes import pull, push, remove

__all__ = ["delete", "get", "head", "put"]

_OK, _CREATED, _ACCEPTED, _NO_CONTENT, _NOT_FOUND, _NOT_ALLOWED = 200, 201, 202, 204, 404, 405
# Specific kinds first: some registries convert to the first kind they know.
_ACCEPT = (
    f"{MediaType.OCI_MANIFEST}, {MediaType.OCI_INDEX}, {MediaType.DOCKER_MANIFEST}, {MediaType.DOCKER_INDEX}"
)
_DIGEST = "Docker-Content-Digest"

Name = str | Digest
"""A tag, or a digest."""


async def head(connection: Connection, repository: str, name: Name) -> Descriptor | None:
    """What ``name`` points at, without reading it; ``None`` when it does not exist.

    A registry that cannot say (no HEAD, no digest header) is asked for the manifest itself.
    """
    request = Request(
        method="HEAD",
        target=_path(repository, name),
        scopes=pull(repository),
        expect=frozenset({_OK, _NOT_FOUND, _NOT_ALLOWED}),
        headers={"Accept": _ACCEPT},
    )
    async with connection.ask(request) as response:
        if response.status == _NOT_FOUND:
            return None
        announced, size = _announced(response), response.size
        digest = name if isinstance(name, Digest) else announced
        if announced and digest and announced.algorithm == digest.algorithm and announced != digest:
            raise ContentMismatch(f"asked {connection.registry} for manifest {name}, got {announced}")
        if response.status == _OK and size is not None and digest:
            kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
            return Descriptor(kind, digest, size)
    found = await get(connection, repository, name)
    return found.descriptor if found else None


async def get(connection: Connection, repository: str, name: Name) -> Manifest | Index | None:
    """The manifest called ``name``, verified; ``None`` when it does not exist.

    Raises ``ContentMismatch`` for another than was asked for, ``DocumentInvalid`` for none.
    """
    request = Request(
        method="GET",
        target=_path(repository, name),
        scopes=pull(repository),
        expect=frozenset({_OK, _NOT_FOUND}),
        headers={"Accept": _ACCEPT},
    )
    async with connection.ask(request) as response:
        if response.status == _NOT_FOUND:
            return None
        raw = await response.read(MAX_MANIFEST_BYTES, f"manifest {name}")
        wanted = name if isinstance(name, Digest) else _announced(response)
        media_type = response.headers.get("Content-Type", "")
    if wanted and (got := Digest.of(raw, wanted.algorithm)) != wanted:
        raise ContentMismatch(f"{connection.registry} gave {got} as manifest {wanted} of {repository}")
    return parse_manifest(raw, "" if _says_nothing(media_type) else media_type)


async def put(connection: Connection, repository: str, manifest: Manifest | Index, tag: str | None) -> bool:
    """Write ``manifest`` under ``tag``, or under its digest alone.

    Says whether the registry took note of its subject, if it has one (``OCI-Subject``).
    """
    request = Request(
        method="PUT",
        target=_path(repository, tag or manifest.digest),
        scopes=push(repository),
        expect=frozenset({_OK, _CREATED, _ACCEPTED, _NO_CONTENT}),
        headers={"Content-Type": manifest.media_type},
        body=manifest.raw,
    )
    async with connection.ask(request) as response:
        got = _announced(response)
        if got and got.algorithm == manifest.digest.algorithm and got != manifest.digest:
            raise ContentMismatch(f"{connection.registry} took manifest {manifest.digest} for {got}")
        return "OCI-Subject" in response.headers


async def delete(connection: Connection, repository: str, name: Name) -> bool:
    """Delete a tag, or a manifest with all its tags; say whether it was there."""
    request = Request(
        method="DELETE",
        target=_path(repository, name),
        scopes=remove(repository),
        expect=frozenset({_OK, _ACCEPTED, _NO_CONTENT, _NOT_FOUND}),
    )
    async with connection.ask(request) as response:
        return response.status != _NOT_FOUND


def _path(repository: str, name: Name) -> str:
    return f"/v2/{repository}/manifests/{name}"


def _announced(response: Response) -> Digest | None:
    """The digest that the registry says this is."""
    text = response.headers.get(_DIGEST, "")
    return Digest.parse(text) if text else None


def _says_nothing(media_type: str) -> bool:
    """What servers of plain files send for everything."""
    kind = media_type.partition(";")[0].strip().lower()
    return kind in {"application/json", "application/octet-stream", "text/plain", "binary/octet-stream"}
