"""The store as a place to copy from and to."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack, aclosing

from weft.errors import NotFound
from weft.oci import Descriptor, Digest, Index, Manifest
from weft.store import BlobDamaged, Store
from weft.workflows.images.contents import Opener

__all__ = ["StoreContents"]

# What may be in memory beside what is being written.
_WAITING_BYTES = 1024 * 1024


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
        start: int = 0,
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a blob; raises ``BlobDamaged`` after the last when they are not right."""
        for chunk in self._store.open_blob(descriptor.digest):
            yield chunk[start:]
            start = max(0, start - len(chunk))

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """What was built with a manifest, or came with it."""
        return self._store.referrers(subject)

    async def has_manifest(self, descriptor: Descriptor) -> bool:  # noqa: ARG002 - the protocol's
        """Never sure: each blob is looked at, so that a damaged one is replaced."""
        return False

    async def has_blob(self, descriptor: Descriptor) -> bool:
        """Whether the blob is here, every byte of it."""
        return self._store.has_blob(descriptor.digest)

    async def put_blob(self, descriptor: Descriptor, source: Opener) -> bool:
        """Receive a blob, or what an interrupted run lacks of it; it is here when it is whole and right.

        Hashing, writing and the wait for the disk are in a thread, beside the network.
        """
        while True:
            there = 0
            try:
                with ExitStack() as stack:
                    blob = self._store.new_blob(descriptor.digest, descriptor.size, resume=True)
                    writer = stack.enter_context(blob)
                    there = await asyncio.to_thread(writer.take_up)
                    async with aclosing(source(there)) as chunks:
                        await _pour(chunks, writer.write)
                    await asyncio.to_thread(stack.pop_all().close)
            except BlobDamaged:
                if not there:
                    raise
                continue  # what was left was wrong, and is gone now
            return True

    async def put_manifest(self, manifest: Manifest | Index, tag: str | None = None) -> None:  # noqa: ARG002
        """Keep the bytes of a manifest; its name is the copier's business, and an attachment has none."""
        if isinstance(manifest, Manifest) and manifest.subject:
            self._store.attach(manifest)
        else:
            self._store.put_blob(manifest.digest, [manifest.raw], len(manifest.raw))


async def _pour(chunks: AsyncGenerator[bytes, None], write: Callable[[bytes], None]) -> None:
    """Hand ``chunks`` to ``write`` in a thread, in order, while the next ones arrive.

    Measured with 100 MB from a registry on the same machine: 15 to 25 % sooner than one after the other, and
    sooner than a thread per chunk.
    """

    def write_all(batch: list[bytes]) -> None:
        for chunk in batch:
            write(chunk)

    waiting: list[bytes] = []
    writing: asyncio.Future[None] | None = None
    try:
        async for chunk in chunks:
            waiting.append(chunk)
            if writing is None or writing.done() or sum(map(len, waiting)) >= _WAITING_BYTES:
                if writing:
                    await writing
                writing = asyncio.get_running_loop().run_in_executor(None, write_all, waiting)
                waiting = []
    finally:
        if writing:
            await asyncio.wait([writing])  # nobody closes the file under it
    if writing:
        await writing
    write_all(waiting)
