"""The store as a place to copy from and to."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, aclosing

from weft.errors import NotFound
from weft.oci import Descriptor, Digest, Index, Manifest
from weft.store import Store
from weft.workflows.contents import Opener

__all__ = ["StoreContents"]


class StoreContents:
    """The content of a store. Names are given by whoever copies, inside ``store.adding()``."""

    verifies = True

    def __init__(self, store: Store) -> None:
        self._store = store

    async def manifest(self, name: str | Digest) -> Manifest | Index:
        """The manifest with a digest; tags belong to repositories, and the store has none."""
        if isinstance(name, str):
            raise NotFound(f"the store knows no tag {name} without a repository")
        return self._store.manifest(Descriptor("", name, 0))

    async def open_blob(
        self,
        descriptor: Descriptor,
        *,
        verify: bool = True,  # noqa: ARG002 - always done
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a blob; raises ``BlobDamaged`` after the last when they are not right."""
        for chunk in self._store.open_blob(descriptor.digest):
            yield chunk

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:  # noqa: ARG002 - the protocol's
        """Nothing: attachments stay in registries and archives."""
        return ()

    async def has_manifest(self, descriptor: Descriptor) -> bool:  # noqa: ARG002 - the protocol's
        """Never sure: each blob is looked at, so that a damaged one is replaced."""
        return False

    async def has_blob(self, descriptor: Descriptor) -> bool:
        """Whether the blob is here, every byte of it."""
        return self._store.has_blob(descriptor.digest)

    async def put_blob(self, descriptor: Descriptor, source: Opener) -> bool:
        """Receive a blob; it is here when all of it came and is right.

        The wait for the disk is in a thread: several blobs then wait for it together.
        """
        with ExitStack() as stack:
            writer = stack.enter_context(self._store.new_blob(descriptor.digest, descriptor.size))
            async with aclosing(source()) as chunks:
                async for chunk in chunks:
                    writer.write(chunk)
            await asyncio.to_thread(stack.pop_all().close)
        return True

    async def put_manifest(self, manifest: Manifest | Index, tag: str | None = None) -> None:  # noqa: ARG002
        """Keep the bytes of a manifest; its name is the copier's business."""
        self._store.put_blob(manifest.digest, [manifest.raw], len(manifest.raw))
