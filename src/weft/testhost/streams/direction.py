"""One direction of an HTTP stream: what a filter's answers do to headers, body and trailers.

This is Envoy's filter manager for one filter, alone or in a chain. Events come in, what goes on is kept as
what ``left``. The rules:

* after ``CONTINUE`` everything goes on at once;
* after a stop at the headers everything later waits without the filter seeing it; when it is resumed, the
  filter sees what waited, as one piece;
* after a stop in the body the filter sees what comes later; what it buffered goes on, before it, when it
  continues;
* ``BUFFER`` shows the filter all it buffered with each new piece, ``WATERMARK`` only the new piece,
  ``NO_BUFFER`` drops the piece;
* metadata waits only for a stop at the headers, and is shown before the body that waited;
* what was resumed after a stop in the body or the trailers does not come to the filter again;
* what goes on when it is resumed comes to the filters behind it at once, piece by piece: headers, before this
  one sees what waited, then each metadata, the body, the trailers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from weft.testhost.abi import Action, Pairs
from weft.testhost.headers import HeaderMap

__all__ = ["Callbacks", "Direction", "Message", "held_of"]


@dataclass(frozen=True, slots=True)
class Message:
    """What left the filter: a request on its way upstream, or a response on its way to the client."""

    headers: Pairs | None = None
    body: bytes = b""
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

    def tell_metadata(self, side: int, count: int) -> None:
        """There is metadata, of so many elements."""


class _State(Enum):
    FLOWING = 0
    STOPPED = 1
    """This filter stopped, and sees what comes."""
    STOPPED_ALL = 2
    """This filter stopped, and sees nothing until it resumes."""


# Looking up a member of an enumeration takes as long as a call.
_FLOWING, _STOPPED, _STOPPED_ALL = _State
_CONTINUE = Action.CONTINUE


class Direction:
    """The state of one direction: ``side`` 0 is the request, 1 the response. ``over`` makes it deaf."""

    __slots__ = (
        "_body", "_buffer", "_buffering", "_filter", "_flow", "_headers_left", "_metadata", "_side", "_state",
        "_trailers_left", "_trailers_seen", "_waiting", "complete", "ended", "headers", "metadata_left",
        "over", "trailers",
    )  # fmt: skip

    def __init__(self, filter_: Callbacks, side: int, flow: Callable[[], None] = lambda: None) -> None:
        """``flow`` takes what left to the filters behind."""
        self.headers: HeaderMap | None = None
        self.trailers: HeaderMap | None = None
        self.ended = False
        """Whether the last of it left."""
        self.over = False
        self.complete = False
        """Whether the last of it came."""
        self.metadata_left: tuple[int, ...] = ()
        """How many elements each metadata had that went on."""
        self._metadata: tuple[int, ...] = ()
        """The same of what waits."""
        self._filter = filter_
        self._flow = flow
        self._side = side
        self._state = _FLOWING
        self._buffering = False
        self._buffer: bytearray | None = None
        self._waiting: bytearray | None = None
        self._trailers_seen = False
        self._headers_left: Pairs | None = None
        self._body: bytearray | None = None
        self._trailers_left: Pairs | None = None

    @property
    def left(self) -> Message:
        """What went on so far."""
        return Message(self._headers_left, bytes(self._body or b""), self._trailers_left, self.ended)

    @property
    def headers_passed(self) -> bool:
        """Whether the headers went on."""
        return self._headers_left is not None

    @property
    def held(self) -> bool:
        """Whether all of it came, and not all of it went on."""
        return self.complete and not self.ended and not self.over

    def replace(self, headers: Pairs, body: bytes) -> None:
        """Let this leave, whatever the filter does with what came."""
        self.over = self.ended = True
        self._headers_left = headers
        self._body = _joined(self._body, body)

    def on_headers(self, headers: HeaderMap, *, end: bool) -> None:
        """The first event."""
        self.headers, self.complete = headers, end
        action = self._filter.ask_headers(self._side, headers, end=end)
        if self.over:
            return
        if action is not _CONTINUE:
            self._state = _STOPPED_ALL
        else:
            self._headers_left = tuple(headers.items)
            self.ended = end

    def on_metadata(self, count: int) -> bool:
        """Metadata comes; gives whether it still can: a message that ended has none."""
        if not (self.over or self.complete):
            if self._state is _STOPPED_ALL:
                self._metadata += (count,)
            else:
                self._tell_metadata(count)
        return not self.complete

    def on_data(self, data: bytes, *, end: bool) -> None:
        """A piece of the body."""
        if self.over:
            return
        self.complete = self.complete or end
        if self._state is _STOPPED_ALL:
            self._waiting = _joined(self._waiting, data)
        else:
            self._ask_body(data, end=end)

    def on_trailers(self, trailers: HeaderMap) -> None:
        """The last event, where there is one."""
        if self.over:
            return
        self.trailers, self.complete = trailers, True
        if self._state is not _STOPPED_ALL:
            self._ask_trailers()

    def resume(self) -> None:
        """The filter wants to go on."""
        if self.over or self.headers is None:
            return
        state, self._state = self._state, _FLOWING
        self._pass_headers()
        self._flow()
        if state is _STOPPED_ALL:
            waited, self._metadata = self._metadata, ()
            for count in waited:
                if not self.over:
                    self._tell_metadata(count)
                    self._flow()
            self._show_what_waited()
        else:
            self._pass_buffer()
            if self.trailers is not None and self._trailers_seen:
                self._pass_trailers()

    def take_buffer(self, before: "Direction") -> None:
        """Take what a filter before this one buffers, to go on with it.

        Envoy has one buffer for all filters: whoever goes on first takes along what the others keep there.
        """
        taken = before.lose_buffer()
        if taken is None:
            return
        self.complete = before.complete and before.trailers is None
        if self._state is _STOPPED_ALL:
            self._waiting = _joined(self._waiting, taken)
        else:
            self._buffer = _joined(self._buffer, taken)

    def lose_buffer(self) -> bytearray | None:
        """What it buffered, and has no more."""
        lost, self._buffer = self._buffer, None
        return lost

    def _show_what_waited(self) -> None:
        waited, self._waiting = bytes(self._waiting or b""), None
        end = self.complete and self.trailers is None
        if (waited or end) and not (self.ended or self.over):
            self._ask_body(waited, end=end)
            self._flow()
        if self.trailers is not None and not self.over and not self._trailers_seen:
            self._ask_trailers()

    def _tell_metadata(self, count: int) -> None:
        self._filter.tell_metadata(self._side, count)
        self.metadata_left += (count,)

    def _ask_body(self, data: bytes, *, end: bool) -> None:
        buffered = self._buffering
        body = _joined(self._buffer if buffered else None, data)
        if buffered:
            self._buffer = body
        action = self._filter.ask_body(self._side, body, end=end)
        self._buffering = action is Action.BUFFER
        if self.over:
            return
        provided = b"" if buffered else bytes(body)
        if action is _CONTINUE:
            self._continue_with(provided, end=end)
        else:
            self._state = _STOPPED
            if action is not Action.NO_BUFFER:
                self._buffer = _joined(self._buffer, provided)

    def _continue_with(self, data: bytes, *, end: bool) -> None:
        if self._state is _STOPPED:
            self._state = _FLOWING
            self._buffer = _joined(self._buffer, data)
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
        if action is not _CONTINUE:
            self._state = _STOPPED
            return
        self._state = _FLOWING
        self._pass_headers()
        self._pass_buffer()
        self._pass_trailers()

    def _pass_headers(self) -> None:
        if self._headers_left is None and self.headers is not None:
            self._headers_left = self.headers.pairs
            self.ended = self.complete and not (self._waiting or self._buffer) and self.trailers is None

    def _pass_buffer(self) -> None:
        data, self._buffer = self._buffer or b"", None
        if data or (self.complete and self.trailers is None):
            self._pass_data(data, end=self.complete and self.trailers is None)

    def _pass_data(self, data: bytes | bytearray, *, end: bool) -> None:
        self._body = _joined(self._body, data)
        self.ended = self.ended or end

    def _pass_trailers(self) -> None:
        if self.trailers is not None and self._trailers_left is None:
            self._trailers_left = self.trailers.pairs
            self.ended = True


def _joined(held: bytearray | None, data: bytes | bytearray) -> bytearray:
    """``held`` with ``data`` at its end; bytes nobody sends need no place."""
    if held is None:
        return bytearray(data)
    held += data
    return held


def held_of(request: Direction, response: Direction) -> tuple[str, ...]:
    """Which of them came whole and did not go on."""
    sides = {"request": request, "response": response}
    return tuple(side for side, direction in sides.items() if direction.held)
