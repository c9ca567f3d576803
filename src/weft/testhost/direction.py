"""One direction of an HTTP stream: what a filter's answers do to headers, body and trailers.

This is Envoy's filter manager for a chain of one filter. Events come in, what goes on is collected in a
``Message``. The rules:

* after ``CONTINUE`` everything goes on at once;
* after a stop at the headers everything later waits without the filter seeing it; when it is resumed, the
  filter sees what waited, as one piece;
* after a stop in the body the filter sees what comes later; what it buffered goes on, before it, when it
  continues;
* ``BUFFER`` shows the filter all it buffered with each new piece, ``WATERMARK`` only the new piece,
  ``NO_BUFFER`` drops the piece;
* what was resumed after a stop in the body or the trailers does not come to the filter again.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from weft.testhost.abi import Action
from weft.testhost.headers import HeaderMap, Pairs

__all__ = ["Callbacks", "Direction", "Message"]


@dataclass(slots=True)
class Message:
    """What left the filter: a request on its way upstream, or a response on its way to the client."""

    headers: Pairs | None = None
    body: bytearray = field(default_factory=bytearray)
    trailers: Pairs | None = None
    ended: bool = False


class Callbacks(Protocol):
    """How to ask the filter. Each gives its action; the stream may be over afterwards."""

    def ask_headers(self, side: int, headers: HeaderMap, *, end: bool) -> Action:
        """What to do with these headers."""

    def ask_body(self, side: int, body: bytearray, *, end: bool) -> Action:
        """What to do with this piece, or with all that was buffered."""

    def ask_trailers(self, side: int, trailers: HeaderMap) -> Action:
        """What to do with these trailers."""


class _State(Enum):
    FLOWING = 0
    STOPPED = 1
    """This filter stopped, and sees what comes."""
    STOPPED_ALL = 2
    """This filter stopped, and sees nothing until it resumes."""


class Direction:
    """The state of one direction: ``side`` 0 is the request, 1 the response. ``over`` makes it deaf."""

    def __init__(self, filter_: Callbacks, side: int, out: Message) -> None:
        self.out = out
        self.over = False
        self.headers: HeaderMap | None = None
        self.trailers: HeaderMap | None = None
        self._filter = filter_
        self._side = side
        self._state = _State.FLOWING
        self._ended = False
        self._buffering = False
        self._buffer = bytearray()
        self._waiting = bytearray()
        self._trailers_seen = False

    @property
    def headers_passed(self) -> bool:
        """Whether the headers went on."""
        return self.out.headers is not None

    def on_headers(self, headers: HeaderMap, *, end: bool) -> None:
        """The first event."""
        self.headers, self._ended = headers, end
        action = self._filter.ask_headers(self._side, headers, end=end)
        if self.over:
            return
        if action is Action.CONTINUE:
            self._pass_headers()
        else:
            self._state = _State.STOPPED_ALL

    def on_data(self, data: bytes, *, end: bool) -> None:
        """A piece of the body."""
        if self.over:
            return
        self._ended = self._ended or end
        if self._state is _State.STOPPED_ALL:
            self._waiting += data
        else:
            self._ask_body(data, end=end)

    def on_trailers(self, trailers: HeaderMap) -> None:
        """The last event, where there is one."""
        if self.over:
            return
        self.trailers, self._ended = trailers, True
        if self._state is not _State.STOPPED_ALL:
            self._ask_trailers()

    def resume(self) -> None:
        """The filter wants to go on."""
        if self.over or self.headers is None:
            return
        state, self._state = self._state, _State.FLOWING
        self._pass_headers()
        if state is _State.STOPPED_ALL:
            self._show_what_waited()
        else:
            self._pass_buffer()
            if self.trailers is not None and self._trailers_seen:
                self._pass_trailers()

    def _show_what_waited(self) -> None:
        waited, self._waiting = bytes(self._waiting), bytearray()
        end = self._ended and self.trailers is None
        if (waited or end) and not self.out.ended:
            self._ask_body(waited, end=end)
        if self.trailers is not None and not self.over and not self._trailers_seen:
            self._ask_trailers()

    def _ask_body(self, data: bytes, *, end: bool) -> None:
        buffered = self._buffering
        if buffered:
            self._buffer += data
        body = self._buffer if buffered else bytearray(data)
        action = self._filter.ask_body(self._side, body, end=end)
        self._buffering = action is Action.BUFFER
        if self.over:
            return
        provided = b"" if buffered else bytes(body)
        if action is Action.CONTINUE:
            self._continue_with(provided, end=end)
        else:
            self._state = _State.STOPPED
            if action is not Action.NO_BUFFER:
                self._buffer += provided

    def _continue_with(self, data: bytes, *, end: bool) -> None:
        if self._state is _State.STOPPED:
            self._state = _State.FLOWING
            self._buffer += data
            self._pass_headers()
            self._pass_buffer()
        else:
            self._pass_data(data, end=end)

    def _ask_trailers(self) -> None:
        assert self.trailers is not None  # noqa: S101 - only called when they are here
        self._trailers_seen = True
        action = self._filter.ask_trailers(self._side, self.trailers)
        if self.over:
            return
        if action is not Action.CONTINUE:
            self._state = _State.STOPPED
            return
        self._state = _State.FLOWING
        self._pass_headers()
        self._pass_buffer()
        self._pass_trailers()

    def _pass_headers(self) -> None:
        if self.out.headers is None and self.headers is not None:
            self.out.headers = self.headers.pairs
            self.out.ended = self._ended and not (self._waiting or self._buffer) and self.trailers is None

    def _pass_buffer(self) -> None:
        data, self._buffer = bytes(self._buffer), bytearray()
        if data or (self._ended and self.trailers is None):
            self._pass_data(data, end=self._ended and self.trailers is None)

    def _pass_data(self, data: bytes, *, end: bool) -> None:
        self.out.body += data
        self.out.ended = self.out.ended or end

    def _pass_trailers(self) -> None:
        if self.trailers is not None and self.out.trailers is None:
            self.out.trailers = self.trailers.pairs
            self.out.ended = True
