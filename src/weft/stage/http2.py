"""Just enough HTTP/2 to be the client and the servers of an Envoy on this machine: RFC 9113.

Headers, bodies and trailers leave exactly when and in the pieces they are asked to, and what Envoy sends is
kept as it comes. Both sides are told to send as much as they like, so there is no flow control; there is
no priority and no push.
"""

import asyncio
import struct
from collections.abc import Callable
from enum import IntEnum

from weft.stage.hpack import Decoder, Pairs, encode

__all__ = ["Peer", "Stream"]

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEAD = struct.Struct(">BHBBI")  # length in 24 bits, type, flags, stream
_END_STREAM, _ACK, _END_HEADERS, _PADDED, _PRIORITY = 1, 1, 4, 8, 0x20
_CANCEL = 8
_LARGEST = 16384
_MUCH = (1 << 31) - 1
# As much as it likes: window, and length of header lists.
_SETTINGS = struct.pack(">HIHI", 4, _MUCH, 6, 1 << 20)
_FIRST_WINDOW = 65535
_INFORMED = "1"
"""How a status begins after which another will come."""


class _Frame(IntEnum):
    DATA = 0
    HEADERS = 1
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Stream:
    """One request with its response. What came stands here; what is sent goes out at once."""

    def __init__(self, peer: "Peer", number: int) -> None:
        self.headers: Pairs | None = None
        self.body = bytearray()
        self.trailers: Pairs | None = None
        self.ended = False
        """Whether the other side said all it had to say."""
        self.broken = False
        """Whether the other side broke it off, be it after its end."""
        self._peer = peer
        self._number = number

    def send_headers(self, pairs: Pairs, *, end: bool) -> None:
        """Headers or trailers."""
        block = encode(pairs)
        flag = _END_STREAM if end else 0
        pieces = [block[at : at + _LARGEST] for at in range(0, len(block), _LARGEST)] or [b""]
        for index, piece in enumerate(pieces):
            last = _END_HEADERS if index == len(pieces) - 1 else 0
            kind = _Frame.CONTINUATION if index else _Frame.HEADERS
            self._peer.send(kind, last | (0 if index else flag), self._number, piece)

    def send_data(self, data: bytes, *, end: bool) -> None:
        """A piece of the body; one over 16 KiB becomes several."""
        pieces = [data[at : at + _LARGEST] for at in range(0, len(data), _LARGEST)] or [b""]
        for index, piece in enumerate(pieces):
            last = _END_STREAM if end and index == len(pieces) - 1 else 0
            self._peer.send(_Frame.DATA, last, self._number, piece)

    def reset(self) -> None:
        """Break it off."""
        self._peer.send(_Frame.RST_STREAM, 0, self._number, struct.pack(">I", _CANCEL))

    def take_headers(self, pairs: Pairs, *, end: bool) -> None:
        """Headers or trailers came."""
        if self.headers is None:
            if not dict(pairs).get(":status", "").startswith(_INFORMED):
                self.headers = pairs
        else:
            self.trailers = pairs
        self.ended = self.ended or end

    def take_data(self, data: bytes, *, end: bool) -> None:
        """A piece of the body came."""
        self.body += data
        self.ended = self.ended or end

    def take_end(self) -> None:
        """It was broken off."""
        self.broken = True


class Peer(asyncio.Protocol):
    """One connection. ``heard`` is called for each piece that came, ``opened`` for each stream of Envoy's."""

    def __init__(self, heard: Callable[[], None], opened: Callable[[Stream], None] | None = None) -> None:
        self.closed = False
        self._heard = heard
        self._opened = opened
        self._streams: dict[int, Stream] = {}
        self._next = 1
        self._data = b""
        self._preface = _PREFACE if opened else b""
        self._block = b""
        self._decoder = Decoder()
        self._transport: asyncio.Transport

    @property
    def port(self) -> int:
        """Our port."""
        return int(self._transport.get_extra_info("sockname")[1])

    def stream(self) -> Stream:
        """A new stream of ours."""
        made = self._streams[self._next] = Stream(self, self._next)
        self._next += 2
        return made

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def send(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        """One frame; to nowhere when the connection is gone."""
        if not self.closed:
            length = len(payload)
            self._transport.write(_HEAD.pack(length >> 16, length & 0xFFFF, kind, flags, stream) + payload)

    # -- what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - sockets have no other
        self._transport = transport
        if not self._opened:
            transport.write(_PREFACE)
        self.send(_Frame.SETTINGS, 0, 0, _SETTINGS)
        self.send(_Frame.WINDOW_UPDATE, 0, 0, struct.pack(">I", _MUCH - _FIRST_WINDOW))
        self._heard()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        """See ``asyncio.Protocol``."""
        self.closed = True
        for stream in self._streams.values():
            stream.take_end()
        self._heard()

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self._data += data
        if self._preface:
            if len(self._data) < len(self._preface):
                return
            self._data, self._preface = self._data[len(self._preface) :], b""
        while len(self._data) >= _HEAD.size:
            high, low, kind, flags, stream = _HEAD.unpack_from(self._data)
            end = _HEAD.size + (high << 16 | low)
            if len(self._data) < end:
                break
            payload, self._data = self._data[_HEAD.size : end], self._data[end:]
            self._take(kind, flags, stream & _MUCH, payload)
        self._heard()

    def _take(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if kind == _Frame.SETTINGS and not flags & _ACK:
            self.send(_Frame.SETTINGS, _ACK, 0, b"")
        elif kind == _Frame.PING and not flags & _ACK:
            self.send(_Frame.PING, _ACK, 0, payload)
        elif kind in {_Frame.HEADERS, _Frame.CONTINUATION}:
            self._take_block(kind, flags, number, payload)
        elif kind == _Frame.DATA:
            self._of(number).take_data(_unpadded(payload, flags), end=bool(flags & _END_STREAM))
        elif kind == _Frame.RST_STREAM:
            self._of(number).take_end()

    def _take_block(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if kind == _Frame.HEADERS:
            self._end = bool(flags & _END_STREAM)
            payload = _unpadded(payload, flags)
            self._block = payload[5:] if flags & _PRIORITY else payload
        else:
            self._block += payload
        if flags & _END_HEADERS:
            new = number not in self._streams
            stream = self._of(number)
            stream.take_headers(self._decoder.decode(self._block), end=self._end)
            if new and self._opened:
                self._opened(stream)

    def _of(self, number: int) -> Stream:
        return self._streams.setdefault(number, Stream(self, number))


def _unpadded(payload: bytes, flags: int) -> bytes:
    return payload[1 : len(payload) - payload[0]] if flags & _PADDED else payload
