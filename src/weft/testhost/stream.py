"""One HTTP request and its response through one filter, as Envoy takes them through it.

A local response goes through the response callbacks of the filter that sent it, as long as no response had
come; during the response headers it goes straight to the client; after them the stream is reset. A filter
that fails is answered for with 503. When the response is complete, the stream is logged, done and deleted,
in this order.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from weft.testhost.abi import BODY_ACTIONS, HEADER_ACTIONS, Action, Stream
from weft.testhost.direction import Direction, Message
from weft.testhost.headers import HeaderMap, Pairs
from weft.testhost.local import local_response
from weft.testhost.stream_properties import stream_property

if TYPE_CHECKING:
    from weft.testhost.contexts import Context
    from weft.testhost.vm import Vm

__all__ = ["HttpStream", "LocalReply"]

# By side: 0 is the request, 1 the response.
_ON_HEADERS = ("proxy_on_request_headers", "proxy_on_response_headers")
_ON_BODY = ("proxy_on_request_body", "proxy_on_response_body")
_ON_TRAILERS = ("proxy_on_request_trailers", "proxy_on_response_trailers")
_TRAILER_ACTIONS = (Action.CONTINUE, Action.STOP)

_FAILED = 503
_UNAVAILABLE = 14
_FAIL_DETAILS = "wasm_fail_stream"


@dataclass(frozen=True, slots=True)
class LocalReply:
    """An answer that the filter, or its failure, gave in the upstream's place."""

    status: int
    body: bytes
    details: str
    grpc_status: int | None = None


class HttpStream:
    """One stream. Feed it what the client and the upstream send; read what left it."""

    def __init__(self, vm: "Vm", root: "Context", prefix: str) -> None:
        self.upstream = Message()
        self.client = Message()
        self.local_reply: LocalReply | None = None
        self.reset = False
        self.finished = False
        self.context = vm.new_context(root, prefix)
        self._vm = vm
        self._failed = False
        self._bypassed = vm.failure is not None and vm.plugin.fail_open
        self.request = Direction(self, 0, self.upstream)
        self.response = Direction(self, 1, self.client)
        self.context.peer = self

    # -- what comes

    def request_headers(self, headers: HeaderMap, *, end: bool) -> None:
        """The client's request begins."""
        self._vm.refuel()
        self._create()
        self.request.on_headers(headers, end=end)
        self.complete()

    def request_body(self, data: bytes, *, end: bool) -> None:
        """More of the request."""
        self.request.on_data(data, end=end)
        self.complete()

    def request_trailers(self, trailers: HeaderMap) -> None:
        """The request's end."""
        self.request.on_trailers(trailers)
        self.complete()

    def response_headers(self, headers: HeaderMap, *, end: bool) -> None:
        """The upstream answers."""
        self._vm.refuel()
        self.response.on_headers(headers, end=end)
        self.complete()

    def response_body(self, data: bytes, *, end: bool) -> None:
        """More of the response."""
        self.response.on_data(data, end=end)
        self.complete()

    def response_trailers(self, trailers: HeaderMap) -> None:
        """The response's end."""
        self.response.on_trailers(trailers)
        self.complete()

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
            self.response.over = True
            self.client.headers, self.client.ended = made.pairs, True
            self.client.body += text
            return
        self.response.on_headers(made, end=not text)
        if text:
            self.response.on_data(text, end=True)

    def property(self, path: tuple[str, ...]) -> object:
        """What Envoy knows about this stream."""
        return stream_property(path, self.context, self.response.headers, self._vm.world.clock.now)

    # -- the filter

    def _create(self) -> None:
        if not self.context.created and not self._bypassed and self._vm.failure is None:
            self._vm.event(self.context, "proxy_on_context_create", self.context.id, self.context.root.id)
            self.context.created = True

    def ask_headers(self, side: int, headers: HeaderMap, *, end: bool) -> Action:
        """Show the filter headers."""
        maps, place = self.context.maps, 2 * side
        maps[place] = headers
        given = (len(headers),) if self._vm.abi == "0.1.0" else (len(headers), int(end))
        action = self._ask(_ON_HEADERS[side], HEADER_ACTIONS, Action.STOP_ALL_WATERMARK, *given)
        if action is Action.CONTINUE:
            maps[place] = None
        return action

    def ask_body(self, side: int, body: bytearray, *, end: bool) -> Action:
        """Show the filter a piece of a body, or all that was buffered."""
        bodies = self.context.bodies
        bodies[side] = body
        action = self._ask(_ON_BODY[side], BODY_ACTIONS, Action.NO_BUFFER, len(body), int(end))
        if action is Action.CONTINUE:
            bodies[side] = None
        return action

    def ask_trailers(self, side: int, trailers: HeaderMap) -> Action:
        """Show the filter trailers."""
        maps, place = self.context.maps, 2 * side + 1
        maps[place] = trailers
        action = self._ask(_ON_TRAILERS[side], _TRAILER_ACTIONS, Action.STOP, len(trailers))
        if action is Action.CONTINUE:
            maps[place] = None
        return action

    def _ask(self, name: str, actions: tuple[Action, ...], stop: Action, *given: int) -> Action:
        vm = self._vm
        if self._bypassed or self._failed:
            return Action.CONTINUE
        result = vm.call(self.context, name, self.context.id, *given) if vm.failure is None else 0
        stopped = vm.stop_iteration
        vm.settle()
        if vm.failure is not None:
            self._failed = True
            self.reply_locally(_FAILED, b"", (), _UNAVAILABLE, _FAIL_DETAILS)
            return stop
        if stopped:
            return stop
        return actions[min(result, len(actions) - 1)]

    def complete(self) -> None:
        """Log, finish and delete the stream when its response is complete or it was reset."""
        if self.finished or not (self.client.ended or self.reset):
            return
        self.finished = True
        self.request.over = self.response.over = True
        context, vm = self.context, self._vm
        if context.created:
            context.logged = [
                self.request.headers, self.request.trailers, self.response.headers, self.response.trailers
            ]  # fmt: skip
            vm.event(context, "proxy_on_log", context.id)
            context.logged = None
            vm.event(context, "proxy_on_done", context.id)
        vm.delete(context)
        context.peer = None
