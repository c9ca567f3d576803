"""What Envoy calls in a module: one row an exported function.

Envoy looks each name up when it loads a module and refuses it when the signature is another one; a name that
is not exported is never called. Measured on the Envoy of ``weft.wasm.hostcalls``. Parameters are i32.
"""

from dataclasses import dataclass

from weft.wasm.hostcalls import ABI_VERSIONS
from weft.wasm.signatures import FuncType

__all__ = ["ALLOCATORS", "CALLBACKS", "ENTRY_POINTS", "SDK_EXPORTS", "Callback"]


@dataclass(frozen=True, slots=True)
class Callback:
    """One function Envoy may call."""

    name: str
    params: tuple[str, ...]
    signature: FuncType
    abis: tuple[str, ...] = ABI_VERSIONS
    """The ABI versions under which it is called with this signature."""


def _row(name: str, params: str, result: str = "", abis: tuple[str, ...] = ABI_VERSIONS) -> Callback:
    words = tuple(params.split())
    signature = FuncType(("i32",) * len(words), ("i32",) if result else ())
    return Callback(name, words, signature, abis)


_OLD, _NEW = ("0.1.0",), ("0.2.0", "0.2.1")

CALLBACKS: tuple[Callback, ...] = (
    _row("proxy_validate_configuration", "root_context configuration_size", "valid"),
    _row("proxy_on_vm_start", "root_context configuration_size", "accepted"),
    _row("proxy_on_configure", "root_context configuration_size", "accepted"),
    _row("proxy_on_tick", "root_context"),
    _row("proxy_on_context_create", "context parent_context"),
    _row("proxy_on_new_connection", "context", "action"),
    _row("proxy_on_downstream_data", "context size end_of_stream", "action"),
    _row("proxy_on_upstream_data", "context size end_of_stream", "action"),
    _row("proxy_on_downstream_connection_close", "context peer"),
    _row("proxy_on_upstream_connection_close", "context peer"),
    _row("proxy_on_request_headers", "context headers", "action", _OLD),
    _row("proxy_on_request_headers", "context headers end_of_stream", "action", _NEW),
    _row("proxy_on_request_body", "context size end_of_stream", "action"),
    _row("proxy_on_request_trailers", "context trailers", "action"),
    _row("proxy_on_request_metadata", "context elements", "action"),
    _row("proxy_on_response_headers", "context headers", "action", _OLD),
    _row("proxy_on_response_headers", "context headers end_of_stream", "action", _NEW),
    _row("proxy_on_response_body", "context size end_of_stream", "action"),
    _row("proxy_on_response_trailers", "context trailers", "action"),
    _row("proxy_on_response_metadata", "context elements", "action"),
    _row("proxy_on_http_call_response", "root_context call headers body_size trailers"),
    _row("proxy_on_grpc_receive_initial_metadata", "root_context call elements"),
    _row("proxy_on_grpc_receive", "root_context call size"),
    _row("proxy_on_grpc_receive_trailing_metadata", "root_context call elements"),
    _row("proxy_on_grpc_close", "root_context call status"),
    _row("proxy_on_queue_ready", "root_context queue"),
    _row("proxy_on_foreign_function", "root_context function argument_size", abis=_NEW),
    _row("proxy_on_done", "context", "done"),
    _row("proxy_on_log", "context"),
    _row("proxy_on_delete", "context"),
)

# What runs at the start: everything of a reactor, where there is `_initialize`; else `_start` alone.
ENTRY_POINTS: dict[str, tuple[Callback, ...]] = {
    "_initialize": (
        _row("_initialize", ""),
        _row("main", "argc argv", "code"),
        _row("__main_void", "", "code"),
    ),
    "_start": (_row("_start", ""),),
}

# The first that is exported is used, the other never looked at.
ALLOCATORS: tuple[Callback, ...] = (
    _row("malloc", "size", "memory"),
    _row("proxy_on_memory_allocate", "size", "memory"),
)

# SDKs export these too; Envoy knows the names and never calls them.
SDK_EXPORTS = frozenset({"proxy_on_grpc_create_initial_metadata", "proxy_on_memory_allocate"})
