"""From a reference to its module in the folder, through a registry."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from weft.errors import WeftError
from weft.image import MAX_MODULE_BYTES, Image, ImageInvalid, choose_manifest, flavor_of, unpack
from weft.nodecache.folder import Folder
from weft.oci import DEFAULT_TAG, Descriptor, Digest, Index, Manifest, Reference
from weft.registry import Registries, Repository

__all__ = ["Admit", "Source"]

Admit = Callable[[Reference], Awaitable[Reference]]
"""Lets an image pass: gives the reference pinned to what was verified, or raises."""

_MAGIC = b"\0asm"


class Source:
    """Brings modules. ``admit`` decides which images may be used; without it all may."""

    def __init__(self, registries: Registries, admit: Admit | None = None) -> None:
        self._registries = registries
        self._admit = admit
        self._busy: dict[Digest, asyncio.Lock] = {}
        self.downloads = 0
        self.downloaded_bytes = 0

    async def resolve(self, reference: Reference) -> Digest:
        """What ``reference`` means now. Raises ``NotFound``, ``Unverified`` or what the registry raises."""
        if self._admit:
            digest = (await self._admit(reference)).digest
            assert digest is not None  # noqa: S101 - that is what it is for
            return digest
        if reference.digest:
            return reference.digest
        return (await self._repository(reference).resolve(reference.tag or DEFAULT_TAG)).digest

    async def bring(self, reference: Reference, image: Digest, folder: Folder) -> Digest:
        """Put the module of ``image`` into ``folder``, unless it is there; its digest.

        Raises ``ImageInvalid``, ``ContentMismatch``, ``OSError`` or what the registry raises.
        """
        repository = self._repository(reference)
        manifest = await _manifest(repository, image)
        raw = flavor_of(manifest).module_of(manifest)
        if raw is None or raw.digest.algorithm != "sha256":
            return await self._unpack(repository, manifest, folder)
        async with self._busy.setdefault(raw.digest, asyncio.Lock()):
            if not await asyncio.to_thread(folder.holds, raw.digest):
                await self._stream(repository, raw, folder)
        return raw.digest

    def renew(self) -> None:
        """A credential was refused: it may have been rotated, so look it up anew."""
        self._registries.forget()

    def _repository(self, reference: Reference) -> Repository:
        return self._registries.repository(reference.registry, reference.repository)

    async def _stream(self, repository: Repository, module: Descriptor, folder: Folder) -> None:
        """The blob is the module: it is never in memory as a whole."""
        _check_size(module, repository)
        with folder.adding(module.digest) as file:
            begin = b""
            async with aclosing(repository.open_blob(module)) as chunks:
                async for chunk in chunks:
                    begin = begin or chunk[: len(_MAGIC)]
                    await asyncio.to_thread(file.write, chunk)
            if begin != _MAGIC:
                raise ImageInvalid(f"blob {module.digest} of {repository} is not WebAssembly")
            self._count(module)

    async def _unpack(self, repository: Repository, manifest: Manifest, folder: Folder) -> Digest:
        """The module is inside an archive, so all of it is needed."""
        blobs: dict[Digest, bytes] = {}
        async with self._busy.setdefault(manifest.digest, asyncio.Lock()):
            for blob in manifest.blobs:
                _check_size(blob, repository)
                blobs[blob.digest] = b"".join([chunk async for chunk in repository.open_blob(blob)])
                self._count(blob)
            module = (await asyncio.to_thread(unpack, Image(manifest, blobs))).module
            digest = Digest("sha256", hashlib.sha256(module).hexdigest())
            if not await asyncio.to_thread(folder.holds, digest):
                with folder.adding(digest) as file:
                    await asyncio.to_thread(file.write, module)
        return digest

    def _count(self, blob: Descriptor) -> None:
        self.downloads += 1
        self.downloaded_bytes += blob.size


async def _manifest(repository: Repository, image: Digest) -> Manifest:
    found = await repository.manifest(image)
    if isinstance(found, Index):
        found = await repository.manifest(choose_manifest(found).digest)
    if isinstance(found, Index):
        raise ImageInvalid(f"index {image} of {repository} holds another index")
    return found


def _check_size(blob: Descriptor, repository: Repository) -> None:
    if blob.size > MAX_MODULE_BYTES:
        raise WeftError(
            f"blob {blob.digest} of {repository} has {blob.size} bytes; {MAX_MODULE_BYTES} are the most"
        )
