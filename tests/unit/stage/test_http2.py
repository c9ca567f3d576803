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


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def take(self) -> bytes:
        """What was written since the last time."""
        taken, self.written = self.written, b""
        return taken


class Server:
    """A server's end, to be fed by hand."""

    def __init__(self) -> None:
        self.arrived: list[Stream] = []
        self.wire = Wire()
        self.peer = Peer(lambda: None, self.arrived.append)
        self.peer.connection_made(self.wire)
        self.wire.take()

    def feed(self, *frames: bytes) -> None:
        self.peer.data_received(b"".join(frames))


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, CONTINUATION, UNKNOWN = 0, 1, 3, 4, 6, 9, 0x63
ENDS, ACKNOWLEDGED, ALL_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 0x20
GET = b"\x82"
"""``:method: GET`` by its number."""


def test_frames_may_come_byte_by_byte() -> None:
    wire, server = Wire(), Server()
    client = Peer(lambda: None)
    client.connection_made(wire)
    client.stream().send_headers(REQUEST, end=True)
    for byte in wire.take():
        server.feed(bytes([byte]))
    assert [(stream.headers, stream.ended) for stream in server.arrived] == [(REQUEST, True)]


def test_a_padded_frame_with_a_priority_is_read() -> None:
    server = Server()
    padded = b"\2" + bytes(5) + GET + b"\0\0"
    server.feed(PREFACE, frame(HEADERS, PRIORITY | PADDED | ALL_HEADERS, 1, padded))
    server.feed(frame(DATA, PADDED | ENDS, 1, b"\1x\0"))
    assert [(stream.headers, bytes(stream.body), stream.ended) for stream in server.arrived] == [
        (((":method", "GET"),), b"x", True)
    ]


def test_headers_are_complete_when_their_last_frame_says_so() -> None:
    server = Server()
    server.feed(PREFACE, frame(HEADERS, ENDS, 1, b""), frame(CONTINUATION, 0, 1, GET))
    assert not server.arrived
    server.feed(frame(CONTINUATION, ALL_HEADERS, 1, b"\0\1a\1\xff"))
    (stream,) = server.arrived
    assert stream.headers == ((":method", "GET"), ("a", "\udcff"))
    assert stream.ended


def test_settings_and_pings_are_answered_once() -> None:
    server = Server()
    server.feed(PREFACE, frame(SETTINGS, 0, 0, b""), frame(PING, 0, 0, b"12345678"))
    assert server.wire.take() == frame(SETTINGS, ACKNOWLEDGED, 0, b"") + frame(
        PING, ACKNOWLEDGED, 0, b"12345678"
    )
    server.feed(frame(SETTINGS, ACKNOWLEDGED, 0, b""), frame(PING, ACKNOWLEDGED, 0, b"12345678"))
    server.feed(frame(UNKNOWN, 0, 0, b"?"))
    assert not server.wire.take()


def test_a_body_is_kept_though_its_length_is_not_the_one_that_was_told() -> None:
    server = Server()
    server.feed(PREFACE, frame(HEADERS, ALL_HEADERS, 1, GET + b"\0\x0econtent-length\1" + b"3"))
    server.feed(frame(DATA, ENDS, 1, b"abcde"))
    (stream,) = server.arrived
    assert (dict(stream.headers or ())["content-length"], bytes(stream.body)) == ("3", b"abcde")


def test_what_is_broken_off_after_its_end_is_both() -> None:
    server = Server()
    server.feed(PREFACE, frame(HEADERS, ALL_HEADERS | ENDS, 1, GET), frame(RESET, 0, 1, bytes(4)))
    assert [(stream.ended, stream.broken) for stream in server.arrived] == [(True, True)]


def test_nothing_is_written_to_a_connection_that_is_gone() -> None:
    server = Server()
    server.feed(PREFACE, frame(HEADERS, ALL_HEADERS | ENDS, 1, GET))
    server.peer.connection_lost(None)
    server.arrived[0].send_headers(((":status", "200"),), end=True)
    assert not server.wire.take()
    assert server.arrived[0].broken


async def test_metadata_is_a_frame_that_changes_nothing_of_a_message() -> None:
    async with connected() as pair:
        sent = pair.client.stream()
        sent.send_headers(REQUEST, end=False)
        sent.send_metadata((("a", "1"), ("b", "é")))
        before = sent.finished
        sent.send_data(b"abc", end=True)
        assert (before, sent.finished) == (False, True)
        await pair.until(lambda: bool(pair.arrived) and pair.arrived[0].ended)
        (came,) = pair.arrived
        assert (came.headers, bytes(came.body), came.trailers) == (REQUEST, b"abc", None)
