"""One filter of one stream: its context, and how it is shown what comes.

What a filter sees it can reach until it continues. A filter whose VM failed is answered for with 503, once,
and from then on passed by; so is one that may fail open, from the start.
"""

from collections.abc import Callable

from weft.testhost.abi import BODY_ACTIONS, HEADER_ACTIONS, TRAILER_ACTIONS, Action
from weft.testhost.headers import HeaderMap
from weft.testhost.vm import Context, Vm

__all__ = ["HttpFilter"]

# By side: 0 is the request, 1 the response.
_ON_HEADERS = ("proxy_on_request_headers", "proxy_on_response_headers")
_ON_BODY = ("proxy_on_request_body", "proxy_on_response_body")
_ON_TRAILERS = ("proxy_on_request_trailers", "proxy_on_response_trailers")
_ON_METADATA = ("proxy_on_request_metadata", "proxy_on_response_metadata")

_FAILED = 503
_UNAVAILABLE = 14
_FAIL_DETAILS = "wasm_fail_stream"
_CONTINUE = Action.CONTINUE


class HttpFilter(Context):
    """A context that is asked about a request and its response. Implements ``direction.Callbacks``."""

    __slots__ = ("vm",)

    vm: Vm
    """Whose callbacks are called; the stream sets it."""

    def create(self) -> None:
        """Tell the guest that there is a stream, before anything else of it."""
        vm = self.vm
        if vm.failure is None:
            vm.call(self, "proxy_on_context_create", self.id, self.root.id)
            self.created = True
        elif vm.plugin.fail_open:
            self.passed_by = True

    def ask_headers(self, side: int, headers: HeaderMap, *, end: bool) -> Action:
        """Show the filter headers."""
        vm, name = self.vm, _ON_HEADERS[side]
        if self.passed_by or (vm.failure is None and not vm.has(name)):
            return _CONTINUE
        self.maps[2 * side] = headers
        result = vm.call(self, name, self.id, len(headers.items), end)
        if result or vm.stop_iteration or vm.failure is not None:
            return self._stopped(result, HEADER_ACTIONS)
        self.maps.pop(2 * side, None)
        return _CONTINUE

    def ask_body(self, side: int, body: bytearray, *, end: bool) -> Action:
        """Show the filter a piece of a body, or all that was buffered."""
        vm, name = self.vm, _ON_BODY[side]
        if self.passed_by or (vm.failure is None and not vm.has(name)):
            return _CONTINUE
        self.bodies[side] = body
        result = vm.call(self, name, self.id, len(body), end)
        if result or vm.stop_iteration or vm.failure is not None:
            return self._stopped(result, BODY_ACTIONS)
        self.bodies.pop(side, None)
        return _CONTINUE

    def ask_trailers(self, side: int, trailers: HeaderMap) -> Action:
        """Show the filter trailers."""
        vm, name = self.vm, _ON_TRAILERS[side]
        if self.passed_by or (vm.failure is None and not vm.has(name)):
            return _CONTINUE
        self.maps[2 * side + 1] = trailers
        result = vm.call(self, name, self.id, len(trailers.items))
        if result or vm.stop_iteration or vm.failure is not None:
            return self._stopped(result, TRAILER_ACTIONS)
        self.maps.pop(2 * side + 1, None)
        return _CONTINUE

    def tell_metadata(self, side: int, count: int) -> None:
        """Tell the filter of metadata: it can do nothing with it, and what it answers means nothing."""
        vm, name = self.vm, _ON_METADATA[side]
        if not self.passed_by and (vm.failure is not None or vm.has(name)):
            result = vm.call(self, name, self.id, count)
            if vm.failure is not None:
                self._stopped(result, HEADER_ACTIONS)

    def _stopped(self, result: int, actions: tuple[Action, ...]) -> Action:
        """What ``actions`` has for the answer; the last where a host function or a failure stops it."""
        vm = self.vm
        if vm.failure is not None:
            self.passed_by = True
            if self.peer is not None:
                self.peer.reply_locally(_FAILED, b"", (), _UNAVAILABLE, _FAIL_DETAILS)
            return actions[-1]
        return actions[-1 if vm.stop_iteration else min(result, len(actions) - 1)]

    def log(self, logged: Callable[[], dict[int, HeaderMap]]) -> None:
        """Log the stream with its headers and trailers."""
        vm = self.vm
        if self.created and vm.has("proxy_on_log"):
            self.logged = logged()
            vm.call(self, "proxy_on_log", self.id)
            self.logged = None

    def finish(self) -> None:
        """Say that the stream is done, and delete the context."""
        if self.created and self.vm.has("proxy_on_done"):
            self.vm.call(self, "proxy_on_done", self.id)
        self.vm.delete(self)
        self.peer = None
