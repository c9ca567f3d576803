"""The calls of filters, as a scenario speaks of them: which were made, and what is answered."""

from collections.abc import Iterator
from dataclasses import replace

from weft.scenario import (
    Impossible,
    ObservedCall,
    Reply,
    content_bytes,
    header_pairs,
    pieces,
)
from weft.testhost.grpc import GrpcReply
from weft.testhost.proxy import Chain, Host
from weft.testhost.world import Callout

__all__ = ["Callouts"]

_STREAM = "grpc-stream"


class Callouts:
    """The calls that the filters of a chain made."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._made = 0
        self._known: dict[int, Callout] = {}
        """How the streams were before, by their place in the list of all calls."""

    def mark(self) -> None:
        """Tell from now on only what comes next."""
        calls = self._chain.world.calls
        self._made = len(calls)
        self._known = {at: _copy(call) for at, call in enumerate(calls) if call.kind == _STREAM}

    def tell_all(self) -> None:
        """Tell everything from the start."""
        self._made, self._known = 0, {}

    @property
    def seen(self) -> tuple[ObservedCall, ...]:
        """Calls that were made, and streams that went on."""
        found = []
        for at, call in enumerate(self._chain.world.calls):
            before = self._known.get(at)
            if at >= self._made:
                found.append(_observed(call, 0))
            elif before is not None and _went_on(before, call):
                found.append(_observed(call, len(before.sent)))
        return tuple(found)

    @property
    def awaited(self) -> Callout | None:
        """The oldest that is open, if somebody is there to hear of any."""
        open_ = list(self._open())
        heard = any(call.context in host.vm.contexts for host, call in open_)
        return open_[0][1] if heard else None

    def forget(self) -> None:
        """Drop calls that nobody waits for, as if they were never made."""
        for host, call in list(self._open()):
            if call.context not in host.vm.contexts:
                del host.world.pending[call.number]
        self._chain.world.calls[:] = [call for _, call in self._open()]
        self.tell_all()

    def reply(self, reply: Reply) -> None:
        """Answer the call that is meant. Raises ``Impossible``."""
        host, call = self._meant(reply)
        if call.begun and str(reply.status) != "200":
            raise Impossible("reply", "an answer that has not begun", "it has")
        if reply.failed:
            host.fail(call)
        elif reply.timeout:
            self._wait_for(call)
        elif call.kind == "http":
            headers = ((":status", str(reply.status)), *header_pairs(reply.headers))
            body = b"".join(pieces(reply.body, reply.chunks))
            host.reply(call, headers, body, tuple(header_pairs(reply.trailers or {})))
        else:
            host.grpc_answer(call, _grpc(reply))

    def _meant(self, reply: Reply) -> tuple[Host, Callout]:
        for host, call in self._open():
            fits = not (reply.is_grpc if call.kind == "http" else reply.is_http)
            if reply.cluster in {None, call.cluster} and fits:
                return host, call
        kind = "gRPC call" if reply.is_grpc else "call"
        raise Impossible("reply", f"an open {kind} to {reply.cluster or 'any cluster'}", "(none)")

    def _open(self) -> Iterator[tuple[Host, Callout]]:
        """The oldest first, and whose they are."""
        for call in self._chain.world.calls:
            for host in self._chain.hosts:
                if host.world.pending.get(call.number) is call:
                    yield host, call

    def _wait_for(self, call: Callout) -> None:
        if call.due is None:
            raise Impossible("reply", "a call with a timeout", "it has none")
        self._chain.advance(call.due - self._chain.world.clock.now)


def _grpc(reply: Reply) -> GrpcReply:
    return GrpcReply(
        headers=tuple(header_pairs(reply.headers)),
        messages=tuple(content_bytes(message) for message in reply.all_messages),
        trailers=tuple(header_pairs(reply.trailers or {})),
        status=None if reply.open else reply.grpc_status or 0,
        message=reply.grpc_message or "",
        http_status=int(reply.status),
    )


def _copy(call: Callout) -> Callout:
    return replace(call, sent=list(call.sent))


def _went_on(before: Callout, call: Callout) -> bool:
    return (len(before.sent), before.ended_at, before.reset) != (len(call.sent), call.ended_at, call.reset)


def _observed(call: Callout, sent: int) -> ObservedCall:
    """What was said after the first ``sent`` messages."""
    if call.kind == "http":
        return ObservedCall(call.cluster, call.headers, call.body, call.trailers, call.timeout_ms)
    return ObservedCall(
        call.cluster,
        call.headers,
        b"",
        (),
        call.timeout_ms,
        service=call.service,
        method=call.method,
        messages=tuple(call.sent[sent:]),
        ended=call.ended_at is not None,
        reset=call.reset,
    )
