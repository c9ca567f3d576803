"""Calls that a filter makes to other services."""

from collections.abc import Callable

from weft.testhost import Callout, GrpcReply, Host
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
        """Whom it goes to."""
        return self._callout.cluster

    @property
    def service(self) -> str:
        """Of gRPC, as ``envoy.service.auth.v3.Authorization``; empty for HTTP."""
        return self._callout.service

    @property
    def method(self) -> str:
        """Of gRPC; empty for HTTP."""
        return self._callout.method

    @property
    def headers(self) -> Headers:
        """Of the request; for gRPC the initial metadata."""
        return Headers(self._callout.headers)

    @property
    def body(self) -> bytes:
        """Of the request; for a unary gRPC call its message."""
        return self._callout.body

    @property
    def messages(self) -> list[bytes]:
        """Of gRPC: all the filter said so far."""
        return list(self._callout.sent)

    @property
    def ended(self) -> bool:
        """Whether the filter said all it had to say."""
        return self._callout.kind == "http" or self._callout.ended_at is not None

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
        """Break a call off: one of HTTP without an answer, one of gRPC after the headers of its answer."""
        self._host.fail(self._callout)
        self._check()

    def time_out(self) -> None:
        """Answer as Envoy does when the time is over: 504, or UNAVAILABLE for gRPC."""
        self._host.time_out(self._callout)
        self._check()

    def message(self, data: bytes, *, metadata: HeadersLike = ()) -> None:
        """Answer gRPC: the only message of a unary call, one of a stream, which stays open.

        ``metadata`` is the initial one, which goes before the first message of a stream.
        """
        status = None if self._callout.kind == "grpc-stream" else 0
        self._say(GrpcReply(headers=tuple(pairs_of(metadata)), messages=(data,), status=status))

    def close(self, status: int = 0, message: str = "", *, metadata: HeadersLike = ()) -> None:
        """End a gRPC call or stream; ``metadata`` is the trailing one."""
        self._say(GrpcReply(trailers=tuple(pairs_of(metadata)), status=status, message=message))

    def _say(self, reply: GrpcReply) -> None:
        self._host.grpc_answer(self._callout, reply)
        self._check()
