"""One request as libcurl carries it out: what it calls while bytes move, and what waits between it and us.

libcurl takes and gives bytes in callbacks, we in coroutines; both run in one thread. A callback never waits:
where there is nothing to send, or too much has come that nobody took, it pauses its side, and the coroutine
that mends this lets it go on.
"""

import asyncio
import re
from collections import deque

import pycurl
from multidict import CIMultiDict, MultiMapping

__all__ = ["Transfer"]

# Signed URLs in a Location reach 8 KiB; tokens in our own requests are not limited here.
_MAX_HEADER_BYTES = 32 * 1024
_MAX_HEADERS = 128
_MOST_WAITING = 1024 * 1024
_MOST_READY = 2
_REFUSED = -1
_FINAL, _MULTIPLE_CHOICES = 200, 300
_STATUS = re.compile(rb"HTTP/[\d.]+\s+(\d{3})(?!\d)")
# Of the interim answers, this one is an end to HTTP.
_NO_ANSWER = frozenset({0, 101})
_BODILESS = frozenset({204, 304})


class Transfer:
    """The state of one request."""

    def __init__(self, multi: pycurl.AsyncCurlMulti, *, proxied: bool = False) -> None:
        self.proxied = proxied
        self.curl = curl = pycurl.Curl()
        """To be told what to ask."""
        self.status = 0
        self.headers: MultiMapping[str] = CIMultiDict()
        self.excess = ""
        """Which limit of ours the answer broke."""
        self.met: list[str] = []
        """Closed addresses that it led to."""
        self._multi = multi
        self._done: asyncio.Future[pycurl.Curl] | None = None
        self._changed = asyncio.Event()
        self._lines: list[bytes] = []
        self._arrived: list[bytes] = []
        self._waiting = 0
        """How many bytes have arrived that nobody took."""
        self._ready: deque[memoryview] = deque()
        self._all_ready = True
        self._bodiless = False
        self._begun = False
        self._paused = pycurl.PAUSE_CONT
        """The sides on which libcurl was told to wait."""
        curl.setopt(pycurl.HEADERFUNCTION, self._on_header)
        curl.setopt(pycurl.WRITEFUNCTION, self._on_data)

    # -- for the coroutine

    def start(self) -> None:
        """Let libcurl begin."""
        self._done = self._multi.add_handle(self.curl)
        self._done.add_done_callback(self._on_end)

    def close(self) -> None:
        """Nobody wants more of it. A connection is used again when the answer was read to its end."""
        if self._moving:
            self._multi.remove_handle(self.curl)
        self.curl.close()

    @property
    def over(self) -> bool:
        """Whether libcurl has nothing more to do. Raises ``pycurl.error`` when it failed."""
        if self._done is None or not self._done.done():
            return False
        if self._done.cancelled():
            raise pycurl.error(pycurl.E_ABORTED_BY_CALLBACK, "it was closed on our side")
        self._done.result()
        return True

    @property
    def readable(self) -> bool:
        """Whether the answer's headers are here, and a body may come; without one it is ``over`` soon."""
        bodiless = self._bodiless or self.status in _BODILESS or self.headers.get("Content-Length") == "0"
        return self.status > 0 and not bodiless

    @property
    def refused(self) -> bool:
        """Whether the answer is one after which libcurl sends no more of a body."""
        return self.status >= _MULTIPLE_CHOICES

    @property
    def fed(self) -> bool:
        """Whether all of the body was sent."""
        return self._all_ready and not self._ready

    async def change(self) -> None:
        """Wait until something has happened since the last look."""
        await self._changed.wait()
        self._changed.clear()

    def expect_headers_alone(self) -> None:
        """The answer has headers alone."""
        self._bodiless = True
        self.curl.setopt(pycurl.NOBODY, 1)

    def send_once(self) -> None:
        """Let it fail where libcurl would send it again: a used connection that ended without an answer.

        What was asked for may have been done by then.
        """
        self.curl.setopt(pycurl.PREREQFUNCTION, self._on_begin)

    def expect_body(self) -> None:
        """The request has a body, which ``send`` gives."""
        self._all_ready = False
        self.curl.setopt(pycurl.READFUNCTION, self._on_need)

    @property
    def hungry(self) -> bool:
        """Whether more of the body can be sent."""
        return not self._all_ready and len(self._ready) < _MOST_READY

    def send(self, chunk: bytes | None) -> None:
        """More of the body, or ``None`` after its end."""
        if chunk is None:
            self._all_ready = True
        elif chunk:
            self._ready.append(memoryview(chunk))  # a blob may come as one piece: it is not copied
        self._go_on(pycurl.PAUSE_SEND)

    def take(self) -> bytes:
        """What has arrived since the last time."""
        data = self._arrived[0] if len(self._arrived) == 1 else b"".join(self._arrived)
        self._arrived.clear()
        self._waiting = 0
        self._go_on(pycurl.PAUSE_RECV)
        return data

    def _go_on(self, side: int) -> None:
        if self._paused & side and self._moving:
            self._paused &= ~side
            self.curl.pause(self._paused)

    @property
    def _moving(self) -> bool:
        return self._done is not None and not self._done.done()

    # -- for libcurl

    def _on_begin(self, *_addresses: object) -> int:
        if self._begun:
            self.excess = "it ended without an answer"
            return int(pycurl.PREREQFUNC_ABORT)
        self._begun = True
        return int(pycurl.PREREQFUNC_OK)

    def _on_end(self, done: asyncio.Future[pycurl.Curl]) -> None:
        if not done.cancelled():
            done.exception()  # when nobody asks for it any more, it is no news
        self._changed.set()

    def _on_header(self, line: bytes) -> int | None:
        if self.status:  # trailers
            return None
        self._lines.append(line)
        if len(line) > _MAX_HEADER_BYTES or len(self._lines) > _MAX_HEADERS:
            self.excess = "a header is too long" if len(line) > _MAX_HEADER_BYTES else "too many headers"
        elif line in {b"\r\n", b"\n"}:
            self._end_headers()
        return _REFUSED if self.excess else None

    def _end_headers(self) -> None:
        first, *lines = self._lines
        self._lines = []
        found = _STATUS.match(first)
        status = int(found[1]) if found else 0
        if status in _NO_ANSWER:
            self.excess = "no answer to what was asked"
        if status < _FINAL:
            return
        fields = (line.decode("utf-8", "surrogateescape").partition(":") for line in lines[:-1])
        self.headers = CIMultiDict((name.strip(), value.strip()) for name, colon, value in fields if colon)
        self.status = status
        self._changed.set()

    def _on_data(self, data: bytes) -> int | None:
        if self._waiting >= _MOST_WAITING:
            self._paused |= pycurl.PAUSE_RECV
            return int(pycurl.WRITEFUNC_PAUSE)
        self._arrived.append(data)
        self._waiting += len(data)
        self._changed.set()
        return None

    def _on_need(self, size: int) -> bytes | int:
        if not self._ready:
            if self._all_ready:
                return b""
            self._paused |= pycurl.PAUSE_SEND
            self._changed.set()
            return int(pycurl.READFUNC_PAUSE)
        chunk = self._ready.popleft()
        if len(chunk) > size:
            self._ready.appendleft(chunk[size:])
        else:
            self._changed.set()
        return bytes(chunk[:size])
