"""A connection without a protocol: our end of what a network filter passes on."""

import asyncio
import socket
import struct
from collections.abc import Callable

__all__ = ["Wire"]

_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: break off instead of saying goodbye."""


class Wire(asyncio.Protocol):
    """One connection. ``heard`` is called for whatever comes, ``opened`` when it is there."""

    def __init__(self, heard: Callable[[], None], opened: "Callable[[Wire], None] | None" = None) -> None:
        self.data = bytearray()
        self.ended = False
        """Whether the other side has no more to say."""
        self.closed = False
        """Whether it is gone, on both sides."""
        self._heard = heard
        self._opened = opened
        self._transport: asyncio.Transport

    def send(self, data: bytes) -> None:
        """Some bytes; to nowhere when the connection is gone."""
        if not self.closed:
            self._transport.write(data)

    def end(self) -> None:
        """Say that there is no more; the other side may go on."""
        if not self.closed and not self._transport.is_closing():
            self._transport.write_eof()

    def reset(self) -> None:
        """Break it off."""
        if not self.closed:
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self._transport.abort()

    # -- what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - sockets have no other
        self._transport = transport
        if self._opened:
            self._opened(self)
        self._heard()

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self.data += data
        self._heard()

    def eof_received(self) -> bool:
        """See ``asyncio.Protocol``; our side stays open."""
        self.ended = True
        self._heard()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        """See ``asyncio.Protocol``."""
        self.closed = True
        self._heard()
