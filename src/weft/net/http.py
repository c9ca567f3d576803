"""One client, one request at a time: bounded, without redirects, cookies or surprises.

The rules: a redirect is an answer like any other; a body is bytes as they were sent, never unpacked; every
wait ends; an answer's headers are limited; what the caller's own body raises comes out as it was.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from weft import __version__
from weft.net.errors import HttpFailure
from weft.net.failures import broken, place, refused
from weft.net.network import Network
from weft.net.resolver import Resolver

__all__ = ["Body", "Http", "Response"]

_CONNECT_SECONDS = 15.0
# Between two pieces of a body, and for the answer to a request without one.
_IDLE_SECONDS = 60.0
# A registry on an object store copies an upload before it answers.
_COMMIT_SECONDS = 300.0
_DOCUMENT_SECONDS = 120.0
# Signed URLs in a Location reach 8 KiB; tokens in our own requests are not limited here.
_MAX_HEADER_BYTES = 32 * 1024
_MAX_HEADERS = 128
_CONNECTIONS = 16
_READ_BUFFER_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Body:
    """What to send: exactly ``size`` bytes, read once."""

    chunks: AsyncIterator[bytes]
    size: int


class Response:
    """An answer whose body has not been read yet."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.url = str(response.url)

    def all(self, header: str) -> list[str]:
        """Every value of a header that may come several times."""
        return list(self._response.headers.getall(header, []))

    @property
    def size(self) -> int | None:
        """What ``Content-Length`` says, if anything."""
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isdecimal() else None

    @property
    def retry_after(self) -> float:
        """The seconds that ``Retry-After`` asks for (RFC 9110 §10.2.3); 0 when there is none."""
        text = self.headers.get("Retry-After", "").strip()
        if text.isdecimal():
            return float(text)
        try:
            until = parsedate_to_datetime(text)
            return max(0.0, (until - datetime.now(until.tzinfo)).total_seconds())
        except (TypeError, ValueError):
            return 0.0

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, in pieces of any size; raises ``HttpFailure`` when it breaks off."""
        content = self._response.content
        # A chunk of a chunked transfer may be a byte: those are joined. To join the rest would only cost.
        joined = "Transfer-Encoding" in self.headers
        while True:
            try:
                chunk = await content.readany() if joined else (await content.readchunk())[0]
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise broken(error, self.url) from error
            if not chunk:
                return
            yield chunk

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
        self._resolver = Resolver(network.closed)
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open nothing yet; connections come with the first request."""
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=self._resolver, limit_per_host=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"User-Agent": f"weft/{__version__}", "Accept-Encoding": "identity"},
            read_bufsize=_READ_BUFFER_BYTES,
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
            max_headers=_MAX_HEADERS,
        )
        self._session = await self._stack.enter_async_context(session)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

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
        response = await self._send(method, url, dict(headers or {}), body)
        try:
            yield Response(response)
        finally:
            if response.content.at_eof():
                response.release()
            else:  # nobody wants the rest
                response.close()

    async def _send(
        self, method: str, url: str, headers: dict[str, str], body: Body | bytes | None
    ) -> aiohttp.ClientResponse:
        assert self._session is not None  # noqa: S101 - used outside `async with`
        parts = urlsplit(url)
        self._resolver.check(parts.hostname or "")
        secure = parts.scheme == "https"
        trust = self._network.trust_for(parts.netloc.rpartition("@")[2])
        sending = _Sending(body, self._idle) if isinstance(body, Body) else None
        if sending:
            headers["Content-Length"] = str(sending.size)
        try:
            async with asyncio.timeout(None) as watch:
                if sending:
                    sending.watch = watch
                return await self._session.request(
                    method,
                    URL(url, encoded=True),
                    headers=headers,
                    data=sending.chunks() if sending else body,
                    allow_redirects=False,
                    proxy=self._network.proxies.for_url(url),
                    ssl=trust.context() if secure else True,
                    server_hostname=trust.name or None,
                    timeout=aiohttp.ClientTimeout(
                        sock_connect=_CONNECT_SECONDS, sock_read=_COMMIT_SECONDS if sending else self._idle
                    ),
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if sending and sending.failure:
                raise sending.failure from None
            raise refused(error, method, url) from error


class _Sending:
    """A body on its way: each piece the network takes moves the end of patience."""

    def __init__(self, body: Body, idle: float) -> None:
        self.size = body.size
        self.watch: asyncio.Timeout | None = None
        self.failure: Exception | None = None
        self._body = body
        self._idle = idle

    async def chunks(self) -> AsyncIterator[bytes]:
        assert self.watch is not None  # noqa: S101 - set before the request starts
        clock = asyncio.get_running_loop().time
        try:
            async for chunk in self._body.chunks:
                self.watch.reschedule(clock() + self._idle)
                yield chunk
            self.watch.reschedule(None)
        except Exception as error:
            self.failure = error
            raise
