"""Write one blob to a registry (distribution-spec, "Pushing blobs").

First a session is opened, by an attempt to mount the blob from a repository that has it. Then it goes in one
piece (POST, PUT), or in chunks (POST, PATCH…, PUT) when the registry refuses it whole (413) or the caller
wants so. When something breaks, the session is asked how far it got and goes on from there; a session that
cannot say is given up, and a fresh one begins at the start.

The source is whatever gives the blob's bytes again and again; the registry verifies them by the digest.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from weft.net import Body, HttpFailure, Response
from weft.oci import Descriptor
from weft.registry.connection import Connection, Request
from weft.registry.elsewhere import join
from weft.registry.errors import ContentMismatch, RegistryError
from weft.registry.scopes import push

__all__ = ["DEFAULT_CHUNK_BYTES", "Opener", "Upload", "upload"]

# What registries behind a proxy with a body limit of 100 MB take.
DEFAULT_CHUNK_BYTES = 64 * 1024 * 1024
_OK, _CREATED, _ACCEPTED, _NO_CONTENT = 200, 201, 202, 204
_TOO_LARGE = 413
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")
_BINARY = {"Content-Type": "application/octet-stream"}

Opener = Callable[[], AsyncIterator[bytes]]
"""Gives the bytes of a blob from the start, as often as it is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What to write where. ``chunk`` bytes at a time, or everything at once with 0."""

    repository: str
    descriptor: Descriptor
    source: Opener = field(repr=False)
    mount_from: str | None = None
    chunk: int = 0


async def upload(connection: Connection, task: Upload) -> bool:
    """Write the blob; say whether its bytes went over the wire (``False``: mounted).

    Raises ``RegistryError``, ``HttpFailure``, or whatever the source raises.
    """
    session = _Session(connection, task)
    effort = connection.persistence.effort()
    while True:
        try:
            return await session.run()
        except (RegistryError, HttpFailure) as error:
            if isinstance(error, RegistryError) and error.status == _TOO_LARGE and not session.chunk:
                session.chunk = DEFAULT_CHUNK_BYTES
                session.location = ""
                continue
            failure = error
        before = session.offset
        await effort.after(failure)
        await session.recover()
        if session.offset > before:
            effort.progress()


class _Session:
    """An upload at the registry: where to go on, and from which byte."""

    def __init__(self, connection: Connection, task: Upload) -> None:
        self.chunk = task.chunk
        self.location = ""
        self.offset = 0
        self._connection = connection
        self._task = task

    async def run(self) -> bool:
        """Open the session unless it is open, and write what it lacks."""
        if not self.location and not await self._start():
            return False
        size = self._task.descriptor.size
        if self.chunk or self.offset:
            chunk = self.chunk or size
            reader = _Reader(self._task.source())
            await reader.skip(self.offset)
            while self.offset < size:
                await self._send_chunk(reader, min(chunk, size - self.offset))
            await self._close(None)
        else:
            await self._close(lambda: Body(self._task.source(), size))
        return True

    async def recover(self) -> None:
        """Ask the registry how far it got; forget a session that cannot say, or did not get anywhere."""
        location, self.location, self.offset = self.location, "", 0
        if not location:
            return
        try:
            answer = self._ask("GET", location, {_OK, _ACCEPTED, _NO_CONTENT})
            async with answer as response:
                match = _RANGE.fullmatch(response.headers.get("Range", ""))
                offset = int(match[1]) + 1 if match else 0
                # Registries say 0-0 for one byte and for none.
                if 1 < offset <= self._task.descriptor.size:
                    self.location = _location(response) or location
                    self.offset = offset
        except (RegistryError, HttpFailure):
            return

    async def _start(self) -> bool:
        """Open a session; ``False`` when the blob was mounted instead."""
        task = self._task
        mount = f"?mount={task.descriptor.digest}&from={task.mount_from}" if task.mount_from else ""
        target = f"/v2/{task.repository}/blobs/uploads/{mount}"
        expected = {_CREATED, _ACCEPTED} if mount else {_ACCEPTED}
        async with self._ask("POST", target, expected, persist=True) as response:
            if response.status == _CREATED:
                return False
            self.location, self.offset = _location(response), 0
            if not self.location:
                raise ContentMismatch(f"{self._connection.registry} opened an upload without a Location")
            smallest = response.headers.get("OCI-Chunk-Min-Length", "")
            if self.chunk and smallest.isdecimal():
                self.chunk = max(self.chunk, int(smallest))
            return True

    async def _send_chunk(self, reader: "_Reader", count: int) -> None:
        headers = {**_BINARY, "Content-Range": f"{self.offset}-{self.offset + count - 1}"}
        expected = {_ACCEPTED, _CREATED, _NO_CONTENT}
        body = reader.once(count)
        async with self._ask("PATCH", self.location, expected, headers=headers, body=body) as response:
            self.location = _location(response) or self.location
            self.offset += count

    async def _close(self, body: Callable[[], Body] | None) -> None:
        digest = self._task.descriptor.digest
        joint = "&" if "?" in self.location else "?"
        target = f"{self.location}{joint}digest={digest}"
        async with self._ask("PUT", target, {_CREATED, _NO_CONTENT}, headers=_BINARY, body=body) as response:
            got = response.headers.get("Docker-Content-Digest", str(digest))
            if got != str(digest):
                raise ContentMismatch(f"{self._connection.registry} took blob {digest} for {got[:100]!r}")

    def _ask(
        self,
        method: str,
        target: str,
        expect: set[int],
        *,
        headers: Mapping[str, str] | None = None,
        body: Callable[[], Body] | None = None,
        persist: bool = False,
    ) -> AbstractAsyncContextManager[Response]:
        request = Request(
            method=method,
            target=target,
            scopes=push(self._task.repository, self._task.mount_from),
            expect=frozenset(expect),
            headers=headers or {},
            body=body,
        )
        return self._connection.ask(request, persist=persist)


class _Reader:
    """A stream of bytes, taken in pieces of a given length."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def once(self, count: int) -> Callable[[], Body]:
        """The next ``count`` bytes as a body that can be sent once; asked again, it fails as a broken try."""
        given = False

        def body() -> Body:
            nonlocal given
            if given:
                raise HttpFailure("a chunk was refused after it had been sent", temporary=True)
            given = True
            return Body(self._take(count), count)

        return body

    async def skip(self, count: int) -> None:
        """Read past ``count`` bytes."""
        async for _ in self._take(count):
            pass

    async def _take(self, count: int) -> AsyncIterator[bytes]:
        while count:
            chunk = self._left or await anext(self._chunks, b"")
            if not chunk:
                return
            piece, self._left = chunk[:count], chunk[count:]
            count -= len(piece)
            yield piece


def _location(response: Response) -> str:
    """Where the upload goes on, as a URL; empty when the registry does not say."""
    location = response.headers.get("Location", "")
    return join(response.url, location, response.url) if location else ""
