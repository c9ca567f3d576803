"""Logs, time, properties, local responses, and the contexts themselves."""

from collections.abc import Callable
from functools import partial

from weft.testhost.abi import LEVELS, Buffer, MapType, Status, Stream, decode_pairs, encode, serialized
from weft.testhost.vm import Vm

__all__ = ["TABLE"]

_MOST_PARTS = 100
"""Into how many pieces a text is taken apart: a piece takes more memory than its bytes."""


def log(vm: Vm, level: int, message: int, message_size: int) -> Status:
    """Write a line to the proxy's log."""
    if level >= len(LEVELS):
        return Status.BAD_ARGUMENT
    vm.world.log(level, vm.text(message, message_size), vm.context.prefix)
    return Status.OK


def get_log_level(vm: Vm, return_level: int) -> Status:
    """The lowest level the proxy writes."""
    vm.memory.write_u32(return_level, LEVELS.index(vm.world.log_level))
    return Status.OK


def get_status(vm: Vm, return_code: int, return_message: int, return_message_size: int) -> Status:
    """Why the last call failed, or how the last gRPC call ended."""
    code, message = vm.context.root.status
    vm.memory.write_u32(return_code, code)
    return vm.hand_over(encode(message), return_message, return_message_size)


def set_tick_period(vm: Vm, period: int) -> Status:
    """Have ``proxy_on_tick`` called every so many milliseconds; 0 stops it."""
    vm.set_timer(vm.context.root, period)
    return Status.OK


def get_current_time(vm: Vm, return_time: int) -> Status:
    """Nanoseconds since 1970."""
    vm.memory.write_u64(return_time, vm.world.clock.now)
    return Status.OK


def get_property(vm: Vm, path: int, path_size: int, return_value: int, return_value_size: int) -> Status:
    """Something the proxy knows. A NUL stands between the parts of the path."""
    parts = tuple(vm.text(path, path_size).rstrip("\0").split("\0", _MOST_PARTS))
    value = vm.property(parts)
    if value is None:
        return Status.NOT_FOUND
    raw = serialized(value)
    if raw is None:
        return Status.SERIALIZATION_FAILURE
    return vm.hand_over(raw, return_value, return_value_size)


def set_property(vm: Vm, path: int, path_size: int, value: int, value_size: int) -> Status:
    """Keep something beside the stream, for other filters and for logs."""
    key, data = vm.text(path, path_size), vm.read(value, value_size)
    if vm.context.peer is None:
        return Status.NOT_FOUND
    vm.context.state[key] = data
    return Status.OK


def get_configuration(vm: Vm, return_configuration: int, return_configuration_size: int) -> Status:
    """The plugin's configuration while it is configured, else the VM's (ABI 0.1.0)."""
    config = vm.context.config
    found = vm.plugin.vm_config if config is None else config
    return vm.hand_over(found, return_configuration, return_configuration_size)


def send_local_response(
    vm: Vm,
    status: int,
    details: int,
    details_size: int,
    body: int,
    body_size: int,
    headers: int,
    headers_size: int,
    grpc_status: int,
) -> Status:
    """Answer in the upstream's place, when the guest has returned; iteration stops whatever it returns."""
    why, text = vm.text(details, details_size), vm.read(body, body_size)
    added = decode_pairs(vm.read(headers, headers_size))
    peer = vm.context.peer
    if peer is not None:
        vm.afterwards(
            partial(
                peer.reply_locally, status, text, added, grpc_status, "_".join(why.split(None, _MOST_PARTS))
            )
        )
    vm.stop_iteration = True
    return Status.OK


def continue_stream(vm: Vm, stream_type: int) -> Status:
    """Go on with what a filter stopped; from now on it cannot reach the request any more."""
    if stream_type > Stream.UPSTREAM:
        return Status.BAD_ARGUMENT
    return _resume(vm, Stream(stream_type))


def _resume(vm: Vm, which: Stream) -> Status:
    if which is Stream.UPSTREAM:
        return Status.UNIMPLEMENTED
    context = vm.context
    if context.peer is not None and context.peer.of_bytes is (which is Stream.DOWNSTREAM):
        vm.afterwards(partial(context.peer.resume, which))
    context.maps.pop(MapType.REQUEST_HEADERS, None)
    context.maps.pop(MapType.REQUEST_TRAILERS, None)
    context.bodies.pop(Buffer.REQUEST_BODY, None)
    return Status.OK


def continue_request(vm: Vm) -> Status:
    """``continue_stream`` of ABI 0.1.0, for requests."""
    return _resume(vm, Stream.REQUEST)


def continue_response(vm: Vm) -> Status:
    """``continue_stream`` of ABI 0.1.0, for responses."""
    return _resume(vm, Stream.RESPONSE)


def close_stream(vm: Vm, stream_type: int) -> Status:
    """Reset the stream or close the connection, when the guest has returned."""
    if stream_type > Stream.UPSTREAM:
        return Status.BAD_ARGUMENT
    peer = vm.context.peer
    if peer is not None and peer.of_bytes is (stream_type >= Stream.DOWNSTREAM):
        vm.afterwards(peer.close)
    return Status.OK


def clear_route_cache(_vm: Vm) -> Status:
    """Choose the route anew; there are no routes here."""
    return Status.OK


def set_effective_context(vm: Vm, context: int) -> Status:
    """Act on another context until the guest returns."""
    return vm.choose_context(context)


def done(vm: Vm) -> Status:
    """Say that a root context is done after all."""
    return vm.done(vm.context)


def pthread_equal(_vm: Vm, left: int, right: int) -> int:
    """Whether two threads are one."""
    return int(left == right)


def notify_memory_growth(_vm: Vm, _memory: int) -> None:
    """Emscripten tells; nobody listens."""


TABLE: dict[str, Callable[..., int | None]] = {
    "proxy_log": log,
    "proxy_get_log_level": get_log_level,
    "proxy_get_status": get_status,
    "proxy_set_tick_period_milliseconds": set_tick_period,
    "proxy_get_current_time_nanoseconds": get_current_time,
    "proxy_get_property": get_property,
    "proxy_set_property": set_property,
    "proxy_get_configuration": get_configuration,
    "proxy_send_local_response": send_local_response,
    "proxy_continue_stream": continue_stream,
    "proxy_continue_request": continue_request,
    "proxy_continue_response": continue_response,
    "proxy_close_stream": close_stream,
    "proxy_clear_route_cache": clear_route_cache,
    "proxy_set_effective_context": set_effective_context,
    "proxy_done": done,
    "pthread_equal": pthread_equal,
    "emscripten_notify_memory_growth": notify_memory_growth,
}
