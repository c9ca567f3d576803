"""The calls of a filter on a stage: which reached our servers, and what these answer."""

import asyncio
import struct
import time
from dataclasses import dataclass, replace

from weft.scenario import (
    Impossible,
    LeftOut,
    ObservedCall,
    Reply,
    content_bytes,
    grpc_ending,
    header_pairs,
)
from weft.stage.http2 import Stream
from weft.stage.limits import MOST_MS, NotHere
from weft.stage.seeing import is_grpc, is_stream, seen_call
from weft.stage.sending import send
from weft.stage.stage import Stage

__all__ = ["Calls"]

_MARGIN = 2.0
_GRPC = (":status", "200"), ("content-type", "application/grpc")


@dataclass(slots=True)
class _Answer:
    """What we said to a call."""

    begun: bool = False
    done: bool = False
    """Whether it is over on our side, too."""


class Calls:
    """What reached the servers of one case, in order."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._answers: dict[int, _Answer] = {}
        self._made = 0
        self._known: dict[int, ObservedCall] = {}
        """What was seen of each before, by its place."""
        self._now = 0
        """Milliseconds that passed by the steps: what is one moment to them takes some time here."""
        self._moments: list[int] = []
        """When each call was made, on that clock."""
        self._last = time.monotonic()
        self._since: list[float] = []
        """When each call was not yet made, on the real one."""

    def mark(self) -> None:
        """Tell from now on only what comes next."""
        self._made = len(self._stage.called)
        self._known = {at: self._whole(at) for at in range(self._made)}

    def note(self) -> None:
        """All that came since the last time came at this moment. Raises ``NotHere`` like ``reply``."""
        new = len(self._stage.called) - len(self._moments)
        self._moments += [self._now] * new
        self._since += [self._last] * new
        self._last = time.monotonic()
        self.check()

    def check(self) -> None:
        """Raises ``NotHere`` for a call that timed out although no step lets that much time pass."""
        due = self._due()
        for at, since in enumerate(self._since):
            name, stream = self._stage.called[at]
            if stream.broken and not self._answer(at).done and stream not in due:
                timeout = seen_call(name, stream).timeout_ms
                if 0 < timeout <= (time.monotonic() - since) * 1000:
                    raise NotHere(LeftOut("timeout", f"the {timeout} ms of a call were already over"))

    async def wait(self, milliseconds: int) -> None:
        """Let time pass, and calls end that take too long by then."""
        self._now += milliseconds
        due = self._due()
        await asyncio.sleep(milliseconds / 1000)
        await self._stage.until(lambda: all(stream.broken for stream in due), at_most=_MARGIN)

    def tell_all(self) -> None:
        """Tell everything from the start."""
        self._made, self._known = 0, {}

    @property
    def seen(self) -> tuple[ObservedCall, ...]:
        """Calls that were made, and gRPC streams that went on."""
        found = []
        for at, (_, stream) in enumerate(self._stage.called):
            call = self._whole(at)
            if at >= self._made:
                found.append(call)
            elif is_stream(stream) and call != self._known[at]:
                found.append(replace(call, messages=call.messages[len(self._known[at].messages) :]))
        return tuple(found)

    async def reply(self, reply: Reply) -> None:
        """Answer the call that is meant. Raises ``Impossible`` and ``NotHere``."""
        self.check()
        at, stream = self._meant(reply)
        told = self._answer(at)
        if told.begun and str(reply.status) != "200":
            raise Impossible("reply", "an answer that has not begun", "it has")
        if reply.timeout:
            await self._time_out(at)
            return
        if reply.failed:
            await self._break_off(at, stream)
        elif is_grpc(stream) and str(reply.status) == "200":
            self._say(stream, told, reply)
        else:
            send(stream, ((":status", str(reply.status)), *header_pairs(reply.headers)), reply)
        told.done = told.done or not reply.open or not is_grpc(stream)

    # -- within

    def _answer(self, at: int) -> _Answer:
        return self._answers.setdefault(at, _Answer())

    def _whole(self, at: int) -> ObservedCall:
        name, stream = self._stage.called[at]
        seen = seen_call(name, stream)
        return replace(seen, reset=False) if self._answer(at).done else seen

    def _meant(self, reply: Reply) -> tuple[int, Stream]:
        for at, (cluster, stream) in enumerate(self._stage.called):
            fits = not (reply.is_http if is_grpc(stream) else reply.is_grpc)
            waits = not (self._answer(at).done or stream.broken)
            if waits and fits and reply.cluster in {None, cluster}:
                return at, stream
        kind = "gRPC call" if reply.is_grpc else "call"
        raise Impossible("reply", f"an open {kind} to {reply.cluster or 'any cluster'}", "(none)")

    def _say(self, stream: Stream, told: _Answer, reply: Reply) -> None:
        """Of gRPC. An end with nothing before it is one block of headers."""
        headers = (*_GRPC, *header_pairs(reply.headers))
        trailers = header_pairs(reply.trailers or {})
        ending = (*grpc_ending(reply.grpc_status or 0, reply.grpc_message), *trailers)
        if not (told.begun or reply.open or reply.headers or reply.all_messages):
            stream.send_headers((*headers, *ending), end=True)
            return
        if not told.begun:
            stream.send_headers(headers, end=False)
            told.begun = True
        for message in map(content_bytes, reply.all_messages):
            stream.send_data(struct.pack(">BI", 0, len(message)) + message, end=False)
        if not reply.open:
            stream.send_headers(ending, end=True)

    async def _break_off(self, at: int, stream: Stream) -> None:
        # Before an answer began Envoy would make one of its own, a 503.
        if not self._answer(at).begun:
            stream.send_headers(_GRPC if is_grpc(stream) else _GRPC[:1], end=False)
        await self._stage.settle()
        stream.reset()

    async def _time_out(self, at: int) -> None:
        """Wait for it, and for all others that have waited as long by then."""
        timeout = self._whole(at).timeout_ms
        if not timeout:
            raise Impossible("reply", "a call with a timeout", "it has none")
        if timeout > MOST_MS:
            raise NotHere(LeftOut("reply.timeout", f"it would really take {timeout} ms"))
        self._now = max(self._now, self._moments[at] + timeout)
        due = self._due()
        at_most = timeout / 1000 + _MARGIN
        await self._stage.until(lambda: all(stream.broken for stream in due), at_most=at_most)

    def _due(self) -> list[Stream]:
        """Calls that have waited too long."""
        open_ = [
            (self._now - made, *self._stage.called[at])
            for at, made in enumerate(self._moments)
            if not self._answer(at).done
        ]
        return [stream for passed, name, stream in open_ if 0 < seen_call(name, stream).timeout_ms <= passed]
