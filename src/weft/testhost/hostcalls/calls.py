"""Calls to other services. They are kept in the world; somebody answers them there."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from weft.testhost.abi import Status
from weft.testhost.engine import Trapped
from weft.testhost.headers import Pairs, RequestHeaders
from weft.testhost.pairs import decode, decode_pairs
from weft.testhost.world import Callout

if TYPE_CHECKING:
    from weft.testhost.vm import Vm

__all__ = ["TABLE"]

_NEEDED = (":path", ":method", ":authority")
_NEGATIVE = 1 << 31
_STREAM_MARK = 2
_GRPC_MARKS = {1, _STREAM_MARK}
"""The lowest two bits of a call's number; an HTTP call has none."""
_FIRST_FIELD, _HEADER = 0x0A, 2
"""How the first field of a message begins: envoy_grpc in a GrpcService, and in that the cluster's name."""


def http_call(
    vm: "Vm",
    cluster: int,
    cluster_size: int,
    headers: int,
    headers_size: int,
    body: int,
    body_size: int,
    trailers: int,
    trailers_size: int,
    timeout: int,
    return_call: int,
) -> Status:
    """Send a request. Without a known cluster, method, path and authority nothing is sent."""
    name, content = vm.text(cluster, cluster_size), vm.read(body, body_size)
    sent = RequestHeaders(decode_pairs(vm.read(headers, headers_size)))
    last = decode_pairs(vm.read(trailers, trailers_size))
    vm.memory.write_u32(return_call, 0)
    known = vm.world.clusters
    if timeout >= _NEGATIVE or (known is not None and name not in known):
        return Status.BAD_ARGUMENT
    if any(sent.get(needed) is None for needed in _NEEDED):
        return Status.BAD_ARGUMENT
    if content:
        sent.replace("content-length", str(len(content)))
    number = _remember(vm, "http", name, sent.pairs, content, last, timeout)
    vm.memory.write_u32(return_call, number)
    return Status.OK


def grpc_call(
    vm: "Vm",
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
    target = _cluster(vm.read(service, service_size))
    path = f"/{vm.text(name, name_size)}/{vm.text(method, method_size)}"
    sent = decode_pairs(vm.read(metadata, metadata_size))
    content = vm.read(message, message_size)
    if target is None:
        return Status.PARSE_FAILURE
    number = _remember(vm, "grpc", target, ((":path", path), *sent), content, (), timeout)
    vm.memory.write_u32(return_call, number)
    return Status.OK


def grpc_stream(
    vm: "Vm",
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
    target = _cluster(vm.read(service, service_size))
    path = f"/{vm.text(name, name_size)}/{vm.text(method, method_size)}"
    sent = decode_pairs(vm.read(metadata, metadata_size))
    if target is None:
        return Status.PARSE_FAILURE
    number = _remember(vm, "grpc-stream", target, ((":path", path), *sent), b"", (), 0)
    vm.memory.write_u32(return_call, number)
    return Status.OK


def grpc_send(vm: "Vm", call: int, message: int, message_size: int, end_of_stream: int) -> Status:
    """One more message on a stream."""
    content = vm.read(message, message_size)
    held = vm.world.pending.get(call)
    if call & 3 != _STREAM_MARK:
        return Status.BAD_ARGUMENT
    if held is None:
        return Status.NOT_FOUND
    held.sent.append(content)
    held.closed = held.closed or bool(end_of_stream)
    return Status.OK


def grpc_close(vm: "Vm", call: int) -> Status:
    """End our side of a stream, or forget a call."""
    if call & 3 not in _GRPC_MARKS:
        return Status.BAD_ARGUMENT
    held = vm.world.pending.get(call)
    if held is None:
        return Status.NOT_FOUND
    held.closed = True
    if held.kind == "grpc":
        del vm.world.pending[call]
    return Status.OK


def grpc_cancel(vm: "Vm", call: int) -> Status:
    """Forget a call or a stream."""
    if call & 3 not in _GRPC_MARKS:
        return Status.BAD_ARGUMENT
    if call not in vm.world.pending:
        return Status.NOT_FOUND
    del vm.world.pending[call]
    return Status.OK


def _remember(
    vm: "Vm", kind: str, cluster: str, headers: Pairs, body: bytes, trailers: Pairs, timeout: int
) -> int:
    number = vm.next_call_number(kind)
    made = Callout(
        number, cluster, headers, body, trailers, timeout, vm.context.root.id, vm.world.clock.now, kind
    )
    vm.world.pending[number] = made
    vm.world.calls.append(made)
    return number


def _cluster(service: bytes) -> str | None:
    """The cluster a GrpcService message names; ``None`` for what is no such message."""
    if not service:
        raise Trapped("stopped by weft: a gRPC service that names no target kills Envoy")
    if service[0] != _FIRST_FIELD or len(service) < _HEADER or service[1] != len(service) - _HEADER:
        return None
    inner = service[_HEADER:]
    if inner[:1] != bytes([_FIRST_FIELD]) or len(inner) < _HEADER:
        return None
    return decode(inner[_HEADER : _HEADER + inner[1]])


TABLE: dict[str, Callable[..., int | None]] = {
    "proxy_http_call": http_call,
    "proxy_grpc_call": grpc_call,
    "proxy_grpc_stream": grpc_stream,
    "proxy_grpc_send": grpc_send,
    "proxy_grpc_close": grpc_close,
    "proxy_grpc_cancel": grpc_cancel,
}
