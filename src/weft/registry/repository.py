"""One repository: everything that can be done with the content in it."""

from collections.abc import AsyncGenerator, AsyncIterator

from weft.errors import NotFound
from weft.oci import Descriptor, Digest, Index, Manifest
from weft.registry import listing, manifests, referrers
from weft.registry.connection import Connection, Request
from weft.registry.download import download
from weft.registry.errors import RegistryError
from weft.registry.scopes import pull, remove
from weft.registry.upload import Opener, Upload, upload
from weft.registry.verified import verified

__all__ = ["Repository"]

_OK, _ACCEPTED, _NO_CONTENT, _NOT_FOUND = 200, 202, 204, 404


class Repository:
    """``registry/name``. Made by ``Registries.repository``; cheap, and safe for several tasks at once."""

    verifies = False  # a registry should, but what it does is not ours to promise

    def __init__(
        self, connection: Connection, name: str, *, mount_from: str | None = None, chunk: int = 0
    ) -> None:
        """``mount_from``: where blobs may be taken over from; ``chunk``: how many bytes to send at a time."""
        self.name = name
        self._connection = connection
        self._mount_from = mount_from
        self._chunk = chunk

    def __str__(self) -> str:
        return f"{self._connection.registry}/{self.name}"

    async def resolve(self, name: str | Digest) -> Descriptor:
        """What a tag or digest points at; raises ``NotFound``."""
        found = await manifests.head(self._connection, self.name, name)
        if found is None:
            raise self._missing(name)
        return found

    async def manifest(self, name: str | Digest) -> Manifest | Index:
        """The manifest called by a tag or digest, verified; raises ``NotFound``."""
        found = await manifests.get(self._connection, self.name, name)
        if found is None:
            raise self._missing(name)
        return found

    async def has_manifest(self, descriptor: Descriptor) -> bool:
        """Whether the repository has this manifest."""
        return await manifests.head(self._connection, self.name, descriptor.digest) is not None

    async def put_manifest(self, manifest: Manifest | Index, tag: str | None = None) -> None:
        """Write a manifest under ``tag`` or its digest, after its blobs. It joins its subject's list."""
        noted = await manifests.put(self._connection, self.name, manifest, tag)
        if not noted:
            await referrers.note(self._connection, self.name, manifest)

    async def delete_manifest(self, name: str | Digest) -> None:
        """Delete a tag, or with a digest the manifest and all its tags; raises ``NotFound``."""
        if isinstance(name, Digest):
            await referrers.strike(self._connection, self.name, await self.manifest(name))
        if not await manifests.delete(self._connection, self.name, name):
            raise self._missing(name)

    async def has_blob(self, descriptor: Descriptor) -> bool:
        """Whether the repository has this blob."""
        request = Request(
            method="HEAD",
            target=f"/v2/{self.name}/blobs/{descriptor.digest}",
            scopes=pull(self.name),
            expect=frozenset({_OK, _NOT_FOUND}),
        )
        async with self._connection.ask(request) as response:
            return response.status == _OK

    def open_blob(
        self, descriptor: Descriptor, *, verify: bool = True, start: int = 0
    ) -> AsyncGenerator[bytes, None]:
        """The blob's bytes; the last come only when all are known to match digest and size.

        Without ``verify`` the reader must check them, and has the first ``start`` already. Raises
        ``ContentMismatch``, ``RegistryError`` or ``HttpFailure`` while it is read.
        """
        stream = download(self._connection, self.name, descriptor, start)
        return verified(stream, descriptor, str(self)) if verify else stream

    async def put_blob(self, descriptor: Descriptor, source: Opener) -> bool:
        """Write a blob that ``source`` gives; say whether its bytes were sent (else they were mounted)."""
        task = Upload(
            repository=self.name,
            descriptor=descriptor,
            source=source,
            mount_from=self._mount_from,
            chunk=self._chunk,
        )
        return await upload(self._connection, task)

    async def delete_blob(self, digest: Digest) -> None:
        """Delete a blob; raises ``NotFound``."""
        request = Request(
            method="DELETE",
            target=f"/v2/{self.name}/blobs/{digest}",
            scopes=remove(self.name),
            expect=frozenset({_OK, _ACCEPTED, _NO_CONTENT, _NOT_FOUND}),
        )
        async with self._connection.ask(request) as response:
            if response.status == _NOT_FOUND:
                raise self._missing(digest)

    async def tags(self) -> AsyncIterator[str]:
        """All tags, page by page; raises ``NotFound`` when there is no such repository."""
        try:
            async for tag in listing.tags(self._connection, self.name):
                yield tag
        except RegistryError as error:
            if error.status != _NOT_FOUND:
                raise
            raise NotFound(f"there is no repository {self}") from error

    async def referrers(self, subject: Digest, artifact_type: str = "") -> list[Descriptor]:
        """What refers to ``subject``, through the registry's API or the tag that stands in for it."""
        return await referrers.find(self._connection, self.name, subject, artifact_type)

    def _missing(self, name: str | Digest) -> NotFound:
        joint = "@" if isinstance(name, Digest) else ":"
        return NotFound(f"{self}{joint}{name} does not exist")
