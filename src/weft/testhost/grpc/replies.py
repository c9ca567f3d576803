"""What comes back from a gRPC call, told to the guest as Envoy's gRPC client tells it.

A unary call hears only its end: the last message if all went well, or a status. A stream hears the initial
metadata, each message, the trailing metadata and the status. The words of a status end with how Envoy itself
describes the response, such as ``{via_upstream}``.
"""

from dataclasses import dataclass

from weft.scenario import grpc_ending
from weft.testhost.abi import MapType, Pairs
from weft.testhost.headers import ResponseHeaders, ResponseTrailers, grpc_status_of
from weft.testhost.vm import NS_PER_MS, Vm
from weft.testhost.world import Callout

__all__ = ["UNAVAILABLE", "GrpcReply", "answer", "break_off", "tell_close", "time_out"]

UNAVAILABLE, _INTERNAL = 14, 13
_OK = 200
_HEADERS: Pairs = ((":status", "200"), ("content-type", "application/grpc"))
_VIA_UPSTREAM = "via_upstream"


@dataclass(frozen=True, slots=True)
class GrpcReply:
    """Something that a server says."""

    headers: Pairs = ()
    """Initial metadata."""
    messages: tuple[bytes, ...] = ()
    trailers: Pairs = ()
    """Trailing metadata."""
    status: int | None = 0
    """How it ends; ``None``: more comes."""
    message: str = ""
    """Why it ends so."""
    http_status: int = _OK
    """Another one is an answer that is no gRPC."""


def answer(vm: Vm, call: Callout, reply: GrpcReply) -> None:
    """Tell the guest, if it still waits. An end with nothing before it comes as one block of headers."""
    if reply.http_status != _OK:
        _tell_initial(vm, call, ())
        _end(vm, call, grpc_status_of(reply.http_status), _VIA_UPSTREAM, ())
        return
    ends = reply.status is not None
    bare = ends and not (call.begun or reply.headers or reply.messages)
    _tell_initial(vm, call, () if bare else (*_HEADERS, *reply.headers, *_took(vm, call)))
    for message in reply.messages:
        call.answer = message
        if call.kind == "grpc-stream" and call.number in vm.world.pending:
            _tell_message(vm, call, message)
    if reply.status is not None:
        ending = (*grpc_ending(reply.status, reply.message), *reply.trailers)
        trailing = (*_HEADERS, *ending, *_took(vm, call)) if bare else ending
        words = dict(ending).get("grpc-message")
        _end(vm, call, reply.status, f"{words}{{{_VIA_UPSTREAM}}}" if words else _VIA_UPSTREAM, trailing)


def break_off(vm: Vm, call: Callout) -> None:
    """The answer began, and its connection is gone."""
    _tell_initial(vm, call, (*_HEADERS, *_took(vm, call)))
    _end(vm, call, _INTERNAL, "upstream_reset_after_response_started{remote_reset}", ())


def time_out(vm: Vm, call: Callout) -> None:
    """It took longer than the guest is willing to wait."""
    call.reset = True
    if call.begun:
        _end(vm, call, _INTERNAL, "response_timeout", ())
    else:
        _end(vm, call, UNAVAILABLE, "upstream request timeout{response_timeout}", ())


def tell_close(vm: Vm, root: int, number: int, status: int, words: str) -> None:
    """Tell a root context how a call ended; the status can be asked for afterwards."""
    context = vm.contexts.get(root)
    if context is not None:
        context.status = status, words
        vm.call(context, "proxy_on_grpc_close", root, number, status)
        context.status = status, ""


def _tell_initial(vm: Vm, call: Callout, pairs: Pairs) -> None:
    if not call.begun:
        call.begun = True
        _tell_map(vm, call, MapType.GRPC_INITIAL_METADATA, pairs)


def _tell_map(vm: Vm, call: Callout, which: MapType, pairs: Pairs) -> None:
    """A stream hears of metadata."""
    context = vm.contexts.get(call.context)
    if call.kind == "grpc-stream" and call.number in vm.world.pending and context is not None:
        initial = which is MapType.GRPC_INITIAL_METADATA
        word = "initial" if initial else "trailing"
        context.grpc_maps[which] = ResponseHeaders(pairs) if initial else ResponseTrailers(pairs)
        vm.call(context, f"proxy_on_grpc_receive_{word}_metadata", context.id, call.number, len(pairs))
        del context.grpc_maps[which]


def _end(vm: Vm, call: Callout, status: int, words: str, trailing: Pairs) -> None:
    _tell_map(vm, call, MapType.GRPC_TRAILING_METADATA, trailing)
    if vm.world.pending.pop(call.number, None) is None:
        return
    if call.kind == "grpc-stream":
        tell_close(vm, call.context, call.number, status, words)
        if call.closed:
            vm.world.held.pop(call.number, None)
        return
    if status:
        tell_close(vm, call.context, call.number, status, words)
    elif call.answer is None:
        tell_close(vm, call.context, call.number, _INTERNAL, "")
    else:
        _tell_message(vm, call, call.answer)
    vm.world.held.pop(call.number, None)


def _tell_message(vm: Vm, call: Callout, message: bytes) -> None:
    context = vm.contexts.get(call.context)
    if context is not None:
        context.grpc_message = message
        vm.call(context, "proxy_on_grpc_receive", context.id, call.number, len(message))
        context.grpc_message = None


def _took(vm: Vm, call: Callout) -> Pairs:
    """A header of Envoy's, once all was sent: how many milliseconds the server took."""
    if call.ended_at is None:
        return ()
    return (("x-envoy-upstream-service-time", str((vm.world.clock.now - call.ended_at) // NS_PER_MS)),)
