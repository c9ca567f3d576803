"""gRPC calls and streams. They are kept in the world; ``weft.testhost.grpc`` answers them.

The guest holds a call until it is answered, and a stream until both sides closed it: so long it can close or
cancel it by its number.
"""

from collections.abc import Callable
from functools import partial

from weft.testhost.abi import Pairs, Status, decode, decode_pairs
from weft.testhost.grpc import UNAVAILABLE, named_cluster, tell_close
from weft.testhost.vm import Vm
from weft.testhost.world import Callout

__all__ = ["TABLE"]

_NO_CLUSTER = "Cluster not available"
_KIND, _UNARY, _STREAM = 3, 1, 2
"""The lowest two bits of a number, and what they mean."""


def grpc_call(
    vm: Vm,
    service: int,
    service_size: int,
    name: int,
    name_size: int,
    method: int,
    method_size: int,
    metadata: int,
    metadata_size: int,
    message: int,
    message_size: int,
    timeout: int,
    return_call: int,
) -> Status:
    """Send one message and wait for one."""
    target = vm.read(service, service_size)
    called = vm.text(name, name_size), vm.text(method, method_size)
    sent = decode_pairs(vm.read(metadata, metadata_size))
    content = vm.read(message, message_size)
    made = _begin(vm, "grpc", target, called, sent)
    if isinstance(made, Status):
        return made
    made.body, made.timeout_ms = content, timeout
    made.sent.append(content)
    made.end(vm.world.clock.now)
    vm.memory.write_u32(return_call, made.number)
    return Status.OK


def grpc_stream(
    vm: Vm,
    service: int,
    service_size: int,
    name: int,
    name_size: int,
    method: int,
    method_size: int,
    metadata: int,
    metadata_size: int,
    return_call: int,
) -> Status:
    """Open a stream of messages."""
    target = vm.read(service, service_size)
    called = vm.text(name, name_size), vm.text(method, method_size)
    sent = decode_pairs(vm.read(metadata, metadata_size))
    made = _begin(vm, "grpc-stream", target, called, sent)
    if isinstance(made, Status):
        return made
    vm.memory.write_u32(return_call, made.number)
    return Status.OK


def grpc_send(vm: Vm, call: int, message: int, message_size: int, end_of_stream: int) -> Status:
    """One more message on a stream; to nobody when either side is closed."""
    content = vm.read(message, message_size)
    held = vm.world.held.get(call)
    if call & _KIND != _STREAM:
        return Status.BAD_ARGUMENT
    if held is None:
        return Status.NOT_FOUND
    if call in vm.world.pending and held.ended_at is None:
        held.sent.append(content)
        if end_of_stream:
            held.end(vm.world.clock.now)
    return Status.OK


def grpc_close(vm: Vm, call: int) -> Status:
    """End our side of a stream, or forget a call."""
    if call & _KIND not in {_UNARY, _STREAM}:
        return Status.BAD_ARGUMENT
    held = vm.world.held.get(call)
    if held is None:
        return Status.NOT_FOUND
    if call & _KIND == _UNARY:
        return grpc_cancel(vm, call)
    held.closed = True
    if call in vm.world.pending:
        held.end(vm.world.clock.now)
    else:
        del vm.world.held[call]
    return Status.OK


def grpc_cancel(vm: Vm, call: int) -> Status:
    """Forget a call or a stream."""
    if call & _KIND not in {_UNARY, _STREAM}:
        return Status.BAD_ARGUMENT
    held = vm.world.held.pop(call, None)
    if held is None:
        return Status.NOT_FOUND
    held.reset = vm.world.pending.pop(call, None) is not None
    return Status.OK


def _begin(vm: Vm, kind: str, service: bytes, called: tuple[str, str], metadata: Pairs) -> Callout | Status:
    """The call, on its way; or why there is none. What is no message that names a cluster is its name."""
    known = vm.world.clusters
    cluster = named_cluster(service)
    if cluster is None:
        cluster = decode(service)
        if known is not None and cluster not in known:
            return Status.PARSE_FAILURE
    number, root = vm.next_call_number(kind), vm.context.root
    if known is not None and cluster not in known:
        vm.afterwards(partial(tell_close, vm, root.id, number, UNAVAILABLE, _NO_CLUSTER))
        return Status.INTERNAL_FAILURE
    made = Callout(number, cluster, metadata, b"", (), 0, root.id, vm.world.clock.now, kind)
    made.service, made.method = called
    vm.world.pending[number] = vm.world.held[number] = made
    vm.world.calls.append(made)
    return made


TABLE: dict[str, Callable[..., int | None]] = {
    "proxy_grpc_call": grpc_call,
    "proxy_grpc_stream": grpc_stream,
    "proxy_grpc_send": grpc_send,
    "proxy_grpc_close": grpc_close,
    "proxy_grpc_cancel": grpc_cancel,
}
