"""The client and the servers of an Envoy on this machine, over HTTP/2: RFC 9113.

Frames and headers are written and read by ``hyperframe`` and ``hpack``. Above them is no more than this:
headers, bodies and trailers leave exactly when and in the pieces they are asked to, and what Envoy sends is
kept as it comes, be its length not the one it announced. Both sides are told to send as much as they like,
so there is no flow control; there is no priority and no push.
"""

import asyncio
from collections.abc import Callable

from hpack import Decoder, Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

__all__ = ["Pairs", "Peer", "Stream"]

Pairs = tuple[tuple[str, str], ...]

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEAD = 9
_CANCEL = 8
_METADATA, _END_METADATA = 0x4D, 4
"""Envoy's extension: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/metadata"""
_LARGEST = 16384
_MUCH = (1 << 31) - 1
_LONGEST_LIST = 1 << 20
_SETTINGS = {SettingsFrame.INITIAL_WINDOW_SIZE: _MUCH, SettingsFrame.MAX_HEADER_LIST_SIZE: _LONGEST_LIST}
_FIRST_WINDOW = 65535
_INFORMED = "1"
"""How a status begins after which another will come."""


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
        self.finished = False
        """Whether we said all we had to say."""
        self._peer = peer
        self._number = number

    def send_headers(self, pairs: Pairs, *, end: bool) -> None:
        """Headers or trailers."""
        self.finished = end
        first, *rest = _pieces(self._peer.encode(pairs))
        frames: list[Frame] = [HeadersFrame(self._number, first, flags=["END_STREAM"] if end else [])]
        frames += [ContinuationFrame(self._number, piece) for piece in rest]
        frames[-1].flags.add("END_HEADERS")
        self._peer.send(*frames)

    def send_data(self, data: bytes, *, end: bool) -> None:
        """A piece of the body; one over 16 KiB becomes several."""
        self.finished = end
        frames = [DataFrame(self._number, piece) for piece in _pieces(data)]
        if end:
            frames[-1].flags.add("END_STREAM")
        self._peer.send(*frames)

    def send_metadata(self, pairs: Pairs) -> None:
        """What is neither headers nor body; its block is compressed without regard to any other."""
        block = Encoder().encode((_bytes(name), _bytes(value)) for name, value in pairs)
        frame = ExtensionFrame(_METADATA, self._number, flag_byte=_END_METADATA, body=block)
        frame.body_len = len(block)
        self._peer.send(frame)

    def reset(self) -> None:
        """Break it off."""
        self._peer.send(RstStreamFrame(self._number, error_code=_CANCEL))

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
        self._encoder, self._decoder = Encoder(), Decoder(_LONGEST_LIST)
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

    def encode(self, pairs: Pairs) -> bytes:
        """A block of headers, to be sent before any other is made."""
        return self._encoder.encode((_bytes(name), _bytes(value)) for name, value in pairs)

    def send(self, *frames: Frame) -> None:
        """Frames, to nowhere when the connection is gone."""
        if not self.closed:
            self._transport.write(b"".join(frame.serialize() for frame in frames))

    # -- what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - sockets have no other
        self._transport = transport
        if not self._opened:
            transport.write(_PREFACE)
        self.send(SettingsFrame(settings=_SETTINGS))
        self.send(WindowUpdateFrame(0, window_increment=_MUCH - _FIRST_WINDOW))
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
        while len(self._data) >= _HEAD:
            frame, length = Frame.parse_frame_header(memoryview(self._data)[:_HEAD])
            end = _HEAD + length
            if len(self._data) < end:
                break
            frame.parse_body(memoryview(self._data)[_HEAD:end])
            self._data = self._data[end:]
            self._take(frame)
        self._heard()

    def _take(self, frame: Frame) -> None:
        if isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
            self.send(SettingsFrame(flags=["ACK"]))
        elif isinstance(frame, PingFrame) and "ACK" not in frame.flags:
            self.send(PingFrame(opaque_data=frame.opaque_data, flags=["ACK"]))
        elif isinstance(frame, HeadersFrame):
            self._block, self._end = frame.data, "END_STREAM" in frame.flags
            self._take_block(frame)
        elif isinstance(frame, ContinuationFrame):
            self._block += frame.data
            self._take_block(frame)
        elif isinstance(frame, DataFrame):
            self._of(frame.stream_id).take_data(frame.data, end="END_STREAM" in frame.flags)
        elif isinstance(frame, RstStreamFrame):
            self._of(frame.stream_id).take_end()

    def _take_block(self, frame: Frame) -> None:
        if "END_HEADERS" not in frame.flags:
            return
        fields = self._decoder.decode(self._block, raw=True)
        pairs = tuple((_text(field[0]), _text(field[1])) for field in fields)
        new = frame.stream_id not in self._streams
        stream = self._of(frame.stream_id)
        stream.take_headers(pairs, end=self._end)
        if new and self._opened:
            self._opened(stream)

    def _of(self, number: int) -> Stream:
        return self._streams.setdefault(number, Stream(self, number))


def _pieces(data: bytes) -> list[bytes]:
    """Each fits in a frame; there is always one."""
    return [data[at : at + _LARGEST] for at in range(0, len(data), _LARGEST)] or [b""]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(data: bytes | str) -> str:
    return data if isinstance(data, str) else data.decode("utf-8", "surrogateescape")
