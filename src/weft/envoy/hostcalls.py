"""The calls between Envoy and a module, off Envoy's trace log, readable.

Envoy writes names and bare numbers; what the numbers are is added here::

    > proxy_on_request_headers(context=2, headers=8, end_of_stream=1)
        proxy_add_header_map_value(map=request headers, key=0x10, key_size=6, value=0x400, value_size=5)
        = ok
    < continue

Calls nest, and each thread of Envoy nests on its own.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import zip_longest

from weft.envoy.logs import Record
from weft.wasm import CALLBACKS, HOST_FUNCTIONS

__all__ = ["HostCalls"]

_CALL = re.compile(r"\[(?:host->vm|vm->host)\] (?:\w+\.)?(?P<name>\w+)\((?P<arguments>[^)]*)\)")
_RETURN = re.compile(r"\[(?:host<-vm|vm<-host)\] (?P<where>\w+\.)?(?P<name>\w+) return: (?P<value>\S+)")

_PARAMETERS = {
    **{function.name: function.params for function in HOST_FUNCTIONS},
    **{callback.name: callback.params for callback in CALLBACKS},
}
_KINDS = {
    "map": dict(
        enumerate(
            [
                *("request headers", "request trailers", "response headers", "response trailers"),
                *("grpc initial metadata", "grpc trailing metadata", "call headers", "call trailers"),
            ]
        )
    ),
    "buffer": dict(
        enumerate(
            [
                *("request body", "response body", "downstream data", "upstream data", "call body"),
                *("grpc message", "vm configuration", "plugin configuration", "foreign arguments"),
            ]
        )
    ),
    "level": dict(enumerate(["trace", "debug", "info", "warn", "error", "critical"])),
    "stream_type": dict(enumerate(["request", "response", "downstream", "upstream"])),
    "type": dict(enumerate(["counter", "gauge", "histogram"])),
}
_STATUSES = (
    *("ok", "not found", "bad argument", "serialization failure", "parse failure", "bad expression"),
    *("invalid memory access", "empty", "cas mismatch", "result mismatch", "internal failure"),
    *("broken connection", "unimplemented"),
)
_ACTIONS = ("continue", "pause")
_ACTING = re.compile(r"proxy_on_(?:request|response)_\w+|proxy_on_\w+_data|proxy_on_new_connection")


class HostCalls:
    """Turns trace records into lines; remembers how deep each thread is."""

    def __init__(self) -> None:
        self._depth: defaultdict[str, int] = defaultdict(int)

    def line(self, record: Record) -> str | None:
        """The line for ``record``, or ``None`` when it reports no call."""
        if record.component != "wasm" or record.level != "trace":
            return None
        if call := _CALL.match(record.message):
            return self._called(record.thread, call["name"], call["arguments"])
        if ended := _RETURN.match(record.message):
            return self._returned(record.thread, ended)
        return None

    def _called(self, thread: str, name: str, arguments: str) -> str:
        depth = self._depth[thread]
        self._depth[thread] += 1
        values = [value.strip() for value in arguments.split(",") if value.strip()]
        known = _PARAMETERS.get(name, ())
        named = zip_longest(known[: len(values)], values)
        shown = ", ".join(_shown(parameter, value, known) for parameter, value in named)
        return f"{_indent(depth)}{'' if depth else '> '}{name}({shown})"

    def _returned(self, thread: str, ended: re.Match[str]) -> str:
        self._depth[thread] = depth = max(0, self._depth[thread] - 1)
        value = _result(ended["name"], ended["value"], host=ended["where"] == "env.")
        return f"{_indent(depth)}{'= ' if depth else '< '}{value}"


def _indent(depth: int) -> str:
    return " " * 4 * depth


def _shown(parameter: str | None, value: str, known: Sequence[str]) -> str:
    if parameter is None:
        return value
    if parameter in _KINDS and value.isdecimal():
        return f"{parameter}={_KINDS[parameter].get(int(value), value)}"
    pointer = f"{parameter}_size" in known or parameter.startswith("return_")
    return f"{parameter}={int(value):#x}" if pointer and value.isdecimal() else f"{parameter}={value}"


def _result(name: str, value: str, *, host: bool) -> str:
    names = _STATUSES if host and name.startswith("proxy_") else _ACTIONS if _ACTING.fullmatch(name) else ()
    return names[int(value)] if value.isdecimal() and int(value) < len(names) else value
