"""One HTTP request and its response through one filter, as Envoy takes them through it.

A local response goes through the response callbacks of the filter that sent it, as long as no response had
come; during the response headers it goes straight to the client; after them the stream is reset. A filter
that fails is answered for with 503. When the response is complete, the stream is logged, done and deleted,
in this order.
"""

from dataclasses import dataclass

from weft.testhost.abi import Pairs, Stream
from weft.testhost.headers import (
    Fields,
    HeaderMap,
    RequestHeaders,
    ResponseHeaders,
    ResponseTrailers,
    local_response,
)
from weft.testhost.streams.direction import Direction, Message, held_of
from weft.testhost.streams.http_filter import HttpFilter
from weft.testhost.streams.properties import stream_property
from weft.testhost.vm import Context, Vm

__all__ = ["HttpStream", "LocalReply"]


@dataclass(frozen=True, slots=True)
class LocalReply:
    """An answer that the filter, or its failure, gave in the upstream's place."""

    status: int
    body: bytes
    details: str
    grpc_status: int | None = None


class HttpStream:
    """One stream. Feed it what the client and the upstream send; read what left it."""

    of_bytes = False

    def __init__(self, vm: Vm, root: Context, prefix: str) -> None:
        self.local_reply: LocalReply | None = None
        self.reset = False
        self.finished = False
        self.context = context = vm.new_context(HttpFilter, root, prefix)
        self._vm = vm
        self.request = Direction(context, 0)
        self.response = Direction(context, 1)
        context.vm = vm
        context.peer = self

    @property
    def upstream(self) -> Message:
        """What went on to the upstream."""
        return self.request.left

    @property
    def client(self) -> Message:
        """What went back to the client."""
        return self.response.left

    @property
    def held(self) -> tuple[str, ...]:
        """What came whole, and did not go on."""
        return held_of(self.request, self.response)

    # -- what comes

    def request_headers(self, headers: Fields, *, end: bool) -> None:
        """The client's request begins."""
        self._vm.refuel()
        self.context.create()
        self.request.on_headers(RequestHeaders(headers), end=end)
        self.complete()

    def request_body(self, data: bytes, *, end: bool) -> None:
        """More of the request."""
        self.request.on_data(data, end=end)
        self.complete()

    def request_trailers(self, trailers: Fields) -> None:
        """The request's end."""
        self.request.on_trailers(HeaderMap(trailers))
        self.complete()

    def request_metadata(self, count: int) -> bool:
        """Metadata of so many elements beside the request; gives whether it could come."""
        can = self.request.on_metadata(count)
        self.complete()
        return can

    def response_headers(self, headers: Fields, *, end: bool) -> None:
        """The upstream answers."""
        self._vm.refuel()
        self.response.on_headers(ResponseHeaders(headers), end=end)
        self.complete()

    def response_body(self, data: bytes, *, end: bool) -> None:
        """More of the response."""
        self.response.on_data(data, end=end)
        self.complete()

    def response_trailers(self, trailers: Fields) -> None:
        """The response's end."""
        self.response.on_trailers(ResponseTrailers(trailers))
        self.complete()

    def response_metadata(self, count: int) -> bool:
        """The same beside the response."""
        can = self.response.on_metadata(count)
        self.complete()
        return can

    def close(self) -> None:
        """Reset, by whichever side."""
        if not self.finished:
            self.reset = True
            self.request.over = self.response.over = True

    def abandon(self) -> None:
        """The client went away."""
        self.close()
        self.complete()

    # -- what the filter asks for

    def resume(self, which: Stream) -> None:
        """Continue what was stopped."""
        (self.request if which is Stream.REQUEST else self.response).resume()

    def reply_locally(self, status: int, body: bytes, headers: Pairs, grpc_status: int, details: str) -> None:
        """Answer in the upstream's place."""
        if self.finished or self.reset or self.local_reply is not None:
            return
        known = grpc_status if grpc_status <= 16 else None  # noqa: PLR2004 - the last of gRPC's codes
        started = self.response.headers is not None
        if started and self.response.headers_passed:
            self.close()
            return
        self.local_reply = LocalReply(status, body, details, known)
        made, text = local_response(self.request.headers, status, body, headers, known)
        self.request.over = True
        if started:
            self.response.replace(made.pairs, text)
            return
        self.response.on_headers(made, end=not text)
        if text:
            self.response.on_data(text, end=True)

    def property(self, path: tuple[str, ...]) -> object:
        """What Envoy knows about this stream."""
        return stream_property(path, self.context, self.response.headers, self._vm.world.clock.now)

    def complete(self) -> None:
        """Log, finish and delete the stream when its response is complete or it was reset."""
        request, response = self.request, self.response
        if self.finished or not (response.ended or self.reset):
            return
        self.finished = request.over = response.over = True
        self.context.log(self._seen)
        self.context.finish()

    def _seen(self) -> dict[int, HeaderMap]:
        maps = (map_ for side in (self.request, self.response) for map_ in (side.headers, side.trailers))
        return {which: map_ for which, map_ in enumerate(maps) if map_ is not None}
