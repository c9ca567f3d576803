"""One request and its response, step by step."""

from collections.abc import Callable

from weft.errors import UsageError
from weft.testhost import Host, LocalReply
from weft.testhost import Message as Sent
from weft.testing.message import Headers, HeadersLike, Message, pairs_of

__all__ = ["Stream"]


class Stream:
    """What a client asked through the filter. Everything raises ``FilterCrashed`` when the filter traps."""

    def __init__(self, host: Host, check: Callable[[], None]) -> None:
        self._host = host
        self._check = check
        self._stream = host.stream()
        self._answered = False

    @property
    def upstream(self) -> Message | None:
        """The request as it left the filter; ``None`` while the filter holds it, or when it never left."""
        return _message(self._stream.upstream)

    @property
    def client(self) -> Message | None:
        """The response as the client gets it; ``None`` as long as there is none."""
        return _message(self._stream.client)

    @property
    def local_reply(self) -> LocalReply | None:
        """An answer that the filter gave in the upstream's place."""
        return self._stream.local_reply

    @property
    def reset(self) -> bool:
        """Whether the stream was broken off."""
        return self._stream.reset

    def request(
        self, headers: HeadersLike, body: bytes | str | None, trailers: HeadersLike, *, end: bool
    ) -> None:
        """Begin it; ``Filter.request`` does this."""
        data, last = _bytes(body), pairs_of(trailers)
        self._stream.request_headers(pairs_of(headers), end=end and data is None and not last)
        if data is not None:
            self._stream.request_body(data, end=end and not last)
        if last:
            self._stream.request_trailers(last)
        self._settle()

    def send(self, body: bytes | str, *, end: bool = False) -> None:
        """More of a request's body that was begun with ``end=False``."""
        self._stream.request_body(_bytes(body) or b"", end=end)
        self._settle()

    def respond(
        self,
        status: int = 200,
        *,
        headers: HeadersLike = (),
        body: bytes | str | None = None,
        trailers: HeadersLike = (),
        end: bool = True,
    ) -> Message:
        """The upstream answers; gives what the client got so far.

        Raises ``UsageError`` when no request reached the upstream, it has answered, or the stream is over.
        """
        if self._stream.upstream.headers is None:
            said = "the filter answered itself" if self.local_reply else "the filter holds the request"
            raise UsageError(f"the upstream cannot answer: {said}")
        if self._answered:
            raise UsageError("the upstream cannot answer: it has answered", hint="send_response says more")
        if self._stream.finished:
            raise UsageError("the upstream cannot answer: the stream is over")
        self._answered = True
        data, last = _bytes(body), pairs_of(trailers)
        given = [(":status", str(status)), *pairs_of(headers)]
        self._stream.response_headers(given, end=end and data is None and not last)
        if data is not None:
            self._stream.response_body(data, end=end and not last)
        if last:
            self._stream.response_trailers(last)
        self._settle()
        return self.client or Message(Headers())

    def send_response(self, body: bytes | str, *, end: bool = False) -> Message:
        """More of a response's body that was begun with ``end=False``; gives what the client got so far."""
        self._stream.response_body(_bytes(body) or b"", end=end)
        self._settle()
        return self.client or Message(Headers())

    def disconnect(self) -> None:
        """The client goes away."""
        self._stream.abandon()
        self._settle()

    def _settle(self) -> None:
        self._host.settle()
        self._check()


def _message(sent: Sent) -> Message | None:
    if sent.headers is None:
        return None
    trailers = None if sent.trailers is None else Headers(sent.trailers)
    return Message(Headers(sent.headers), bytes(sent.body), trailers, sent.ended)


def _bytes(body: bytes | str | None) -> bytes | None:
    return body.encode() if isinstance(body, str) else body
