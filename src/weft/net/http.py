"""One client, one request at a time: bounded, without redirects, cookies or surprises.

The rules: a redirect is an answer like any other; a body is bytes as they were sent, never unpacked; every
wait ends; an answer's headers are limited; what the caller's own body raises comes out as it was.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

import pycurl

from weft import __version__
from weft.net.addresses import is_closed
from weft.net.errors import HttpFailure
from weft.net.failures import broken, closed, place, refused, silent
from weft.net.network import Network
from weft.net.settings import guard, refuse_surprises, route, trust
from weft.net.transfer import Transfer
from weft.net.urls import read_url

__all__ = ["Body", "Http", "Response"]

# Between two pieces of a body, and for the answer to a request without one.
_IDLE_SECONDS = 60.0
# A registry on an object store copies an upload before it answers.
_COMMIT_SECONDS = 300.0
_DOCUMENT_SECONDS = 120.0
_CONNECTIONS = 16
# What a body can have; libcurl, too, ignores more.
_COUNT = re.compile(r"[0-9]{1,18}")
_WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})
_NOT_BY_ITSELF = ("Content-Type", "Expect")
_STANDING = {"Accept-Encoding": "identity", "Accept": "*/*"}


@dataclass(frozen=True, slots=True)
class Body:
    """What to send: exactly ``size`` bytes, read once."""

    chunks: AsyncIterator[bytes]
    size: int


class Response:
    """An answer whose body has not been read yet."""

    def __init__(self, transfer: Transfer, url: str, idle: float) -> None:
        self.status = transfer.status
        self.headers: Mapping[str, str] = transfer.headers
        """By name, in whatever case."""
        self.url = url
        self._transfer = transfer
        self._idle = idle

    def all(self, header: str) -> list[str]:
        """Every value of a header that may come several times."""
        return list(self._transfer.headers.getall(header, []))

    @property
    def size(self) -> int | None:
        """What ``Content-Length`` says, if anything."""
        text = self.headers.get("Content-Length", "")
        return int(text) if _COUNT.fullmatch(text) else None

    @property
    def retry_after(self) -> float:
        """The seconds that ``Retry-After`` asks for (RFC 9110 §10.2.3); 0 when there is none."""
        text = self.headers.get("Retry-After", "").strip()
        if text.isdecimal():
            return float(text)
        from email.utils import parsedate_to_datetime

        try:
            until = parsedate_to_datetime(text)
            return max(0.0, (until - datetime.now(until.tzinfo)).total_seconds())
        except (TypeError, ValueError, OverflowError):
            return 0.0

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, in pieces of any size; raises ``HttpFailure`` when it breaks off."""
        while data := await self._more():
            yield data

    async def _more(self) -> bytes:
        transfer = self._transfer
        try:
            async with asyncio.timeout(self._idle):
                while not (data := transfer.take()) and not transfer.over:
                    await transfer.change()
        except TimeoutError as error:
            raise HttpFailure(
                f"{place(self.url)} fell silent in the middle of a body", temporary=True
            ) from error
        except pycurl.error as error:
            raise broken(self.url) from error
        return data

    async def read(self, limit: int, what: str) -> bytes:
        """The whole body; raises ``HttpFailure`` when it has more than ``limit`` bytes or breaks off."""
        body = bytearray()
        try:
            async with asyncio.timeout(_DOCUMENT_SECONDS):
                async for chunk in self.chunks():
                    body += chunk
                    if len(body) > limit:
                        raise HttpFailure(
                            f"{what} from {place(self.url)} is larger than {limit} bytes", temporary=False
                        )
        except TimeoutError as error:
            raise HttpFailure(
                f"{what} from {place(self.url)} was not whole after {_DOCUMENT_SECONDS:g} s", temporary=True
            ) from error
        return bytes(body)


class Http:
    """The connections of one run. ``async with Http(network) as http: …``."""

    def __init__(
        self, network: Network, *, idle: float = _IDLE_SECONDS, connections: int = _CONNECTIONS
    ) -> None:
        """``idle`` seconds without a byte end a request; a host gets as many ``connections`` at most."""
        self._network = network
        self._idle = idle
        self._connections = connections
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._multi = pycurl.AsyncCurlMulti()

    async def __aenter__(self) -> Self:
        """Open nothing yet; connections come with the first request."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._multi.aclose()

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body | bytes | None = None,
    ) -> AsyncIterator[Response]:
        """Send and give the answer, whatever its status, with its body unread.

        Raises ``HttpFailure`` when there is none, ``UsageError`` for certificates that cannot be used, and
        whatever ``body`` raises.
        """
        asked = _Asked(method, url, headers or {}, body)
        async with self._slots.setdefault(asked.host, asyncio.Semaphore(self._connections)):
            transfer = self._prepared(asked)
            try:
                await self._begin(transfer, asked)
                yield Response(transfer, url, self._idle)
            finally:
                transfer.close()

    def _prepared(self, asked: "_Asked") -> Transfer:
        """A request that nobody has sent yet."""
        network, parts = self._network, asked.parts
        secure, proxy = parts.scheme == "https", network.proxies.for_url(asked.url)
        if is_closed(parts.hostname or "", network.closed):
            raise closed(parts.hostname or "")
        transfer = Transfer(self._multi, proxied=proxy is not None)
        curl = transfer.curl
        refuse_surprises(curl)
        curl.setopt(pycurl.USERAGENT, f"weft/{__version__}")  # for a proxy's tunnel, too
        if network.socket:
            curl.setopt(pycurl.UNIX_SOCKET_PATH, bytes(network.socket))
        elif proxy is None:
            guard(curl, network.closed, transfer.met)
        trusted = network.trust_for(asked.host)
        route(curl, asked.url, proxy, network.trust.authorities)
        if secure:
            trust(curl, asked.url, trusted)
        named = {"Host": asked.host} if secure and trusted.name else {}
        curl.setopt(pycurl.HTTPHEADER, _lines({**named, **_STANDING, **asked.headers}))
        if asked.stream:
            curl.setopt(pycurl.UPLOAD, 1)
            curl.setopt(pycurl.INFILESIZE_LARGE, asked.stream.size)
            transfer.expect_body()
        elif asked.body is not None or asked.method in _WITH_LENGTH:
            curl.setopt(pycurl.POSTFIELDS, asked.body or b"")
        if asked.method == "POST":
            transfer.send_once()
        if asked.method == "HEAD":
            transfer.expect_headers_alone()
        else:
            curl.setopt(pycurl.CUSTOMREQUEST, asked.method)
        return transfer

    async def _begin(self, transfer: Transfer, asked: "_Asked") -> None:
        """Send the request and wait for its answer to begin."""
        try:
            async with asyncio.timeout(self._idle) as patience:
                transfer.start()
                if asked.stream:
                    await self._feed(transfer, asked.stream, patience)
                    last = _COMMIT_SECONDS if isinstance(asked.body, Body) else self._idle
                    patience.reschedule(asyncio.get_running_loop().time() + last)
                while not (transfer.over or transfer.readable):
                    await transfer.change()
        except TimeoutError as error:
            if not patience.expired():  # it is the body's own
                raise
            raise silent(asked.method, asked.url) from error
        except pycurl.error as error:
            if transfer.met:
                raise closed(transfer.met[0]) from error
            raise refused(error, transfer, asked.method, asked.url) from error

    async def _feed(self, transfer: Transfer, body: Body, patience: asyncio.Timeout) -> None:
        """Send the body as fast as it is taken; each piece that is taken moves the end of patience."""
        clock = asyncio.get_running_loop().time
        while not (transfer.over or transfer.refused or transfer.fed):
            if transfer.hungry:
                transfer.send(await anext(body.chunks, None))
                patience.reschedule(clock() + self._idle)
            else:
                await transfer.change()


class _Asked:
    """A request, as it was asked for."""

    def __init__(self, method: str, url: str, headers: Mapping[str, str], body: Body | bytes | None) -> None:
        self.method = method
        self.url = url
        self.parts = read_url(url)
        self.headers = headers
        self.body = body
        self.stream = body if isinstance(body, Body) else None

    @property
    def host(self) -> str:
        return self.parts.netloc.rpartition("@")[2]


def _lines(headers: Mapping[str, str]) -> list[bytes]:
    """As libcurl wants them; one without a value takes away what libcurl would add by itself."""
    for name, value in headers.items():
        if not (name + value).isprintable():
            raise HttpFailure(f"a value that cannot be sent as header {name}", temporary=False)
    sent = [f"{name}: {value}" if value else f"{name};" for name, value in headers.items()]
    added = [f"{name}:" for name in _NOT_BY_ITSELF if name not in headers]
    return [line.encode() for line in (*sent, *added)]
