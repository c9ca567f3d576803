"""Two ends of one connection: bytes, ends and breaks come over, each for itself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from weft.stage.wire import Wire


class Pair:
    """Both ends, as soon as they are there."""

    def __init__(self) -> None:
        self.client: Wire
        self.accepted: list[Wire] = []
        self._event = asyncio.Event()

    def heard(self) -> None:
        """Something came, somewhere."""
        self._event.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for it."""
        async with asyncio.timeout(10):
            while not holds():
                self._event.clear()
                await self._event.wait()

    @property
    def server(self) -> Wire:
        """The other end."""
        return self.accepted[0]


@asynccontextmanager
async def connected() -> AsyncIterator[Pair]:
    pair = Pair()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Wire(pair.heard, pair.accepted.append), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    _, pair.client = await loop.create_connection(lambda: Wire(pair.heard), "127.0.0.1", port)
    await pair.until(lambda: bool(pair.accepted))
    try:
        yield pair
    finally:
        for wire in (pair.client, pair.server):
            wire.reset()
        server.close()


async def test_each_side_says_what_it_has_to_say() -> None:
    async with connected() as pair:
        pair.client.send(b"hello ")
        pair.client.send(b"there")
        pair.client.end()
        await pair.until(lambda: pair.server.ended)
        assert bytes(pair.server.data) == b"hello there"
        pair.server.send(b"bye")
        await pair.until(lambda: pair.client.data == b"bye")
        assert not pair.client.ended


async def test_a_break_is_no_end() -> None:
    async with connected() as pair:
        pair.client.reset()
        await pair.until(lambda: pair.server.closed)
        assert not pair.server.ended


@pytest.mark.parametrize("said", [b"x", b""], ids=["bytes", "an end"])
async def test_nothing_can_be_said_to_one_that_is_gone(said: bytes) -> None:
    async with connected() as pair:
        pair.client.reset()
        await pair.until(lambda: pair.client.closed)
        pair.client.send(said)
        pair.client.end()
        pair.client.reset()
        assert pair.client.closed
