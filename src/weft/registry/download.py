"""Read one blob of a registry: streamed, resumed when the connection breaks, bounded in time.

A broken download goes on where it stopped (``Range``); a registry that then starts from the beginning is read
past what we have. Tries are counted since the last progress, and a trickle is no progress: less than
``_MIN_BYTES`` in ``_WINDOW_SECONDS`` ends it. What comes out is not verified here: see ``verified``.
"""

import re
from collections.abc import AsyncGenerator

from weft.net import HttpFailure, Response
from weft.oci import Descriptor
from weft.registry.connection import Connection, Request
from weft.registry.errors import ContentMismatch, RegistryError
from weft.registry.scopes import pull

__all__ = ["download"]

_MIN_BYTES = 64 * 1024
_WINDOW_SECONDS = 60.0
_OK = 200
_PARTIAL = 206
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(?:\d+|\*)")


async def download(
    connection: Connection, name: str, descriptor: Descriptor, start: int = 0
) -> AsyncGenerator[bytes, None]:
    """The bytes of a blob from ``start`` as they come, at most one piece more than its size.

    Raises ``RegistryError``, ``HttpFailure``, or ``ContentMismatch`` when another size is announced.
    """
    received = start
    if start >= descriptor.size > 0:
        return
    effort = connection.persistence.effort()
    failure: HttpFailure | RegistryError
    while True:
        try:
            async with connection.ask(_request(name, descriptor, received), persist=False) as response:
                skip = _skip(response, descriptor, received)
                async for chunk in _paced(response, connection):
                    piece = chunk[skip:]
                    skip -= len(chunk) - len(piece)
                    received += len(piece)
                    if piece:
                        effort.progress()
                        yield piece
                    if received > descriptor.size:
                        return
            if received == descriptor.size:
                return
            failure = _ended_early(connection, descriptor, received)
        except (HttpFailure, RegistryError) as error:
            failure = error
        await effort.after(failure)


def _request(name: str, descriptor: Descriptor, received: int) -> Request:
    return Request(
        method="GET",
        target=f"/v2/{name}/blobs/{descriptor.digest}",
        scopes=pull(name),
        expect=frozenset({_OK, _PARTIAL} if received else {_OK}),
        headers={"Range": f"bytes={received}-"} if received else {},
    )


def _skip(response: Response, descriptor: Descriptor, received: int) -> int:
    """How many of the coming bytes we have already; raises ``ContentMismatch`` for another size or place."""
    if response.status == _PARTIAL:
        match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if not match or int(match[1]) != received:
            raise ContentMismatch(
                f"asked for blob {descriptor.digest} from byte {received}, got another part"
            )
        return 0
    if response.size is not None and response.size != descriptor.size:
        raise ContentMismatch(
            f"blob {descriptor.digest} should have {descriptor.size} bytes, the registry has {response.size}"
        )
    return received


async def _paced(response: Response, connection: Connection) -> AsyncGenerator[bytes, None]:
    """The body, as long as it comes at a speed worth waiting for."""
    clock = connection.persistence.clock
    since, count = clock.now(), 0
    async for chunk in response.chunks():
        yield chunk
        count += len(chunk)
        if clock.now() - since > _WINDOW_SECONDS:
            if count < _MIN_BYTES:
                raise HttpFailure(
                    f"{connection.registry} sent only {count} bytes in {_WINDOW_SECONDS:g} s", temporary=True
                )
            since, count = clock.now(), 0


def _ended_early(connection: Connection, descriptor: Descriptor, received: int) -> HttpFailure:
    return HttpFailure(
        f"{connection.registry} gave {received} of the {descriptor.size} bytes of blob {descriptor.digest}",
        temporary=True,
    )
