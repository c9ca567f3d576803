"""Calls that a filter makes to other services."""

from collections.abc import Callable

from weft.testhost import Callout, Host
from weft.testing.message import Headers, HeadersLike, pairs_of

__all__ = ["Call"]


class Call:
    """An HTTP or gRPC call that nobody answered yet. Answer it once."""

    def __init__(self, host: Host, callout: Callout, check: Callable[[], None]) -> None:
        self._host = host
        self._callout = callout
        self._check = check

    @property
    def cluster(self) -> str:
        """The service, or the whole name of it for gRPC."""
        return self._callout.cluster

    @property
    def headers(self) -> Headers:
        """Of the request; for gRPC the initial metadata."""
        return Headers(self._callout.headers)

    @property
    def body(self) -> bytes:
        """Of the request; for gRPC the message."""
        return self._callout.body

    @property
    def timeout(self) -> float:
        """Seconds; 0 is never."""
        return self._callout.timeout_ms / 1000

    def reply(
        self,
        status: int = 200,
        *,
        headers: HeadersLike = (),
        body: bytes | str = b"",
        trailers: HeadersLike = (),
    ) -> None:
        """Answer an HTTP call. Raises ``FilterCrashed`` when the filter fails over it."""
        data = body.encode() if isinstance(body, str) else body
        given = ((":status", str(status)), *pairs_of(headers))
        self._host.reply(self._callout, given, data, tuple(pairs_of(trailers)))
        self._check()

    def fail(self) -> None:
        """Break an HTTP call off without an answer."""
        self._host.fail(self._callout)
        self._check()

    def time_out(self) -> None:
        """Answer as Envoy does when the time is over: 504, or DEADLINE_EXCEEDED for gRPC."""
        self._host.time_out(self._callout)
        self._check()

    def message(self, data: bytes) -> None:
        """Send a message of gRPC to the filter."""
        self._host.grpc_receive(self._callout, data)
        self._check()

    def close(self, status: int = 0, message: str = "") -> None:
        """End a gRPC call or stream."""
        self._host.grpc_close(self._callout, status, message)
        self._check()
