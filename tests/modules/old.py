"""Filters by hand, as compilers and SDKs made them from 2020 on: each imports all that its ABI version has.

They ask the cluster ``auth`` about every request, by the functions and names of their time.
"""

from modules.guests import HEAP, const, data
from modules.wasm_encoder import body, proxy_module, u
from weft.testhost.abi import encode_pairs
from weft.wasm import CALLBACKS, HOST_FUNCTIONS, HostFunction

__all__ = ["OLD_FILTERS", "old_filter"]

_TEXT, _IOVS, _QUESTION, _RESULT = 1024, 512, 2048, 64
_STARTED, _AUTH, _NAME, _VALUE = b"started\n", b"auth", b"x-asked", b"yes"
_WORDS = _STARTED + _AUTH + _NAME + _VALUE
_AT = {word: _TEXT + _WORDS.index(word) for word in (_STARTED, _AUTH, _NAME, _VALUE)}
_ASKED = encode_pairs([(":method", "GET"), (":path", "/ask"), (":authority", "auth")])

OLD_FILTERS = {
    "0.1.0, a command of WASI's first days": ("0.1.0", "_start", "wasi_unstable", "malloc"),
    "0.1.0, a reactor": ("0.1.0", "_initialize", "wasi_snapshot_preview1", "proxy_on_memory_allocate"),
    "0.2.0, a reactor with a main": ("0.2.0", "main", "wasi_unstable", "malloc"),
    "0.2.1, a reactor of clang's": ("0.2.1", "__main_void", "wasi_snapshot_preview1", "malloc"),
    "0.2.1, a command": ("0.2.1", "_start", "wasi_snapshot_preview1", "proxy_on_memory_allocate"),
}
"""What it is → ABI version, what says that it started, whose output it uses, who gives memory."""


def old_filter(abi: str, entry: str, wasi: str, allocator: str) -> bytes:
    """The module."""
    rows = [row for row in HOST_FUNCTIONS if abi in row.abis]
    index = {(row.module, row.name): number for number, row in enumerate(rows)}

    def call(name: str, *numbers: int, module: str = "env") -> bytes:
        row = rows[index[module, name]]
        pushed = b"".join(const(n, kind) for n, kind in zip(numbers, row.signature.params, strict=True))
        return pushed + b"\x10" + u(index[module, name]) + (b"\x1a" if row.signature.results else b"")

    signatures = {row.name: str(row.signature) for row in CALLBACKS if abi in row.abis}
    name_and_value = (_AT[_NAME], len(_NAME), _AT[_VALUE], len(_VALUE))
    asked = (_AT[_AUTH], len(_AUTH), _QUESTION, len(_ASKED), 0, 0, 0, 0, 900, _RESULT)
    goes_on = call("proxy_continue_request") if abi == "0.1.0" else call("proxy_continue_stream", 0)
    bodies = {
        "proxy_on_request_headers": call("proxy_http_call", *asked) + const(1),
        "proxy_on_http_call_response": call("proxy_set_effective_context", 2)
        + call("proxy_add_header_map_value", 0, *name_and_value)
        + (call("proxy_clear_route_cache") if abi == "0.1.0" else b"")
        + goes_on,
        "proxy_on_response_headers": call("proxy_replace_header_map_value", 2, *name_and_value) + const(0),
        "proxy_on_log": call("proxy_log", 2, _AT[_NAME], len(_NAME)),
    }
    said = call("fd_write", 1, _IOVS, 1, _RESULT, module=wasi)
    started = {"main": ("i32 i32 -> i32", said + const(0)), "__main_void": ("void -> i32", said + const(0))}
    exports = {name: signatures[name] for name in bodies}
    exports[entry], bodies[entry] = started.get(entry, ("void -> void", said))
    if entry in started:
        exports["_initialize"] = "void -> void"
    return proxy_module(
        abi=abi.replace(".", "_"),
        allocator=allocator,
        imports=[_written(row) for row in rows],
        exports=exports,
        bodies={allocator: body(const(HEAP))} | {name: body(code) for name, code in bodies.items()},
        tail=data(
            (_TEXT, _WORDS),
            (_IOVS, _AT[_STARTED].to_bytes(4, "little") + len(_STARTED).to_bytes(4, "little")),
            (_QUESTION, _ASKED),
        ),
    )


def _written(row: HostFunction) -> tuple[str, str, str]:
    return row.module, row.name, str(row.signature)
