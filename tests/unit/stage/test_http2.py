"""A client and a server of ours on one connection: what one sends is what stands at the other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from weft.stage.http2 import Peer, Stream

REQUEST = ((":method", "GET"), (":path", "/é"))
LONG = (*REQUEST, *((f"x-{number}", "y" * 900) for number in range(40)))


class Pair:
    """Both ends, and what came to the server."""

    def __init__(self) -> None:
        self.client: Peer
        self.arrived: list[Stream] = []
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


@asynccontextmanager
async def connected() -> AsyncIterator[Pair]:
    pair = Pair()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Peer(pair.heard, pair.arrived.append), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    _, pair.client = await loop.create_connection(lambda: Peer(pair.heard), "127.0.0.1", port)
    try:
        yield pair
    finally:
        pair.client.close()
        server.close()


@pytest.mark.parametrize("headers", [REQUEST, LONG], ids=["short", "in several frames"])
@pytest.mark.parametrize("body", [b"", b"abc", b"z" * 50_000], ids=["empty", "short", "in several frames"])
async def test_a_request_and_its_response_arrive(headers: tuple[tuple[str, str], ...], body: bytes) -> None:
    async with connected() as pair:
        sent = pair.client.stream()
        sent.send_headers(headers, end=False)
        sent.send_data(body, end=False)
        sent.send_headers((("t", "1"),), end=True)
        await pair.until(lambda: bool(pair.arrived) and pair.arrived[0].ended)
        (came,) = pair.arrived
        assert (came.headers, bytes(came.body), came.trailers) == (headers, body, (("t", "1"),))
        came.send_headers(((":status", "100"),), end=False)
        came.send_headers(((":status", "200"),), end=False)
        came.send_data(body, end=True)
        await pair.until(lambda: sent.ended)
        assert (sent.headers, bytes(sent.body), sent.trailers) == (((":status", "200"),), body, None)
        assert not sent.broken


async def test_what_is_open_is_not_at_its_end() -> None:
    async with connected() as pair:
        pair.client.stream().send_headers(REQUEST, end=False)
        await pair.until(lambda: bool(pair.arrived))
        assert not pair.arrived[0].ended


async def test_several_streams_are_kept_apart() -> None:
    async with connected() as pair:
        first, second = pair.client.stream(), pair.client.stream()
        second.send_headers(((":path", "/2"),), end=True)
        first.send_headers(((":path", "/1"),), end=True)
        await pair.until(lambda: len(pair.arrived) == 2)
        for stream in pair.arrived:
            stream.send_headers(stream.headers or (), end=True)
        await pair.until(lambda: first.ended and second.ended)
        assert (first.headers, second.headers) == (((":path", "/1"),), ((":path", "/2"),))


@pytest.mark.parametrize("how", ["reset", "hang up"])
async def test_what_is_broken_off_is_known_to_be(how: str) -> None:
    async with connected() as pair:
        sent = pair.client.stream()
        sent.send_headers(REQUEST, end=False)
        await pair.until(lambda: bool(pair.arrived))
        if how == "reset":
            sent.reset()
        else:
            pair.client.close()
        await pair.until(lambda: pair.arrived[0].broken)
        assert not pair.arrived[0].ended


async def test_frames_may_come_byte_by_byte() -> None:
    bytes_sent = bytearray()

    class Wire(asyncio.Transport):
        def write(self, data: bytes | bytearray | memoryview) -> None:
            bytes_sent.extend(data)

    client = Peer(lambda: None)
    client.connection_made(Wire())
    client.stream().send_headers(REQUEST, end=True)
    arrived: list[Stream] = []
    server = Peer(lambda: None, arrived.append)
    written, bytes_sent = bytes(bytes_sent), bytearray()
    server.connection_made(Wire())
    for at in range(len(written)):
        server.data_received(written[at : at + 1])
    assert [(stream.headers, stream.ended) for stream in arrived] == [(REQUEST, True)]


async def test_a_padded_frame_with_a_priority_is_read() -> None:
    arrived: list[Stream] = []

    class Wire(asyncio.Transport):
        def write(self, data: bytes | bytearray | memoryview) -> None:
            pass

    server = Peer(lambda: None, arrived.append)
    server.connection_made(Wire())
    block = b"\x82"
    padded = b"\2" + bytes(5) + block + b"\0\0"
    head = len(padded).to_bytes(3, "big") + bytes([1, 0x20 | 0x8 | 0x4]) + (1).to_bytes(4, "big")
    data = b"\1x\0"
    more = len(data).to_bytes(3, "big") + bytes([0, 0x8 | 0x1]) + (1).to_bytes(4, "big")
    server.data_received(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + head + padded + more + data)
    assert [(s.headers, bytes(s.body), s.ended) for s in arrived] == [(((":method", "GET"),), b"x", True)]
