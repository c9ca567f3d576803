"""The calls between a proxy and a module, off its trace, readable.

Envoy writes names and bare numbers; what the numbers are is added here::

    > proxy_on_request_headers(context=2, headers=8, end_of_stream=true)
        proxy_add_header_map_value(map=request headers, key=0x10, key_size=6, value=0x400, value_size=5)
        = ok
    < continue

Calls nest, and each thread of Envoy nests on its own.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Literal

from weft.wasm import CALLBACKS, HOST_FUNCTIONS

__all__ = ["Calls", "Form", "decoded_log"]

Form = Literal["", "plain", "decoded"]

_CALL = re.compile(r"\[(?:host->vm|vm->host)\] (?:\w+\.)?(?P<name>\w+)\((?P<arguments>[^)]*)\)")
_RETURN = re.compile(r"\[(?:host<-vm|vm<-host)\] (?P<where>\w+\.)?(?P<name>\w+) return: (?P<value>\S+)")
_TRAP = re.compile(r"Function: \S+ failed: ")
# Up to where a line of Envoy's log says what happened: time, thread, level, component, place in the source.
_HEAD = re.compile(r".*?(?=\[(?:host->vm|vm->host|host<-vm|vm<-host)\] |Function: )")
_THREAD = re.compile(r"\[\d{4}-[^\]]*\]\[(\d+)\]")
_PLACE = re.compile(r"\[[^\]]*:\d+\] $")

_PARAMETERS = {
    **{function.name: function.params for function in HOST_FUNCTIONS},
    **{callback.name: callback.params for callback in CALLBACKS},
}
_KINDS: dict[str, Sequence[str]] = {
    "map": (
        *("request headers", "request trailers", "response headers", "response trailers"),
        *("grpc initial metadata", "grpc trailing metadata", "call headers", "call trailers"),
    ),
    "buffer": (
        *("request body", "response body", "downstream data", "upstream data", "call body"),
        *("grpc message", "vm configuration", "plugin configuration", "foreign arguments"),
    ),
    "level": ("trace", "debug", "info", "warn", "error", "critical"),
    "stream_type": ("request", "response", "downstream", "upstream"),
    "type": ("counter", "gauge", "histogram"),
    "peer": ("unknown", "local", "remote"),
    "end_of_stream": ("false", "true"),
}
_STATUSES = (
    *("ok", "not found", "bad argument", "serialization failure", "parse failure", "bad expression"),
    *("invalid memory access", "empty", "cas mismatch", "result mismatch", "internal failure"),
    *("broken connection", "unimplemented"),
)
_NUMBERS = tuple(map(str, range(20)))
_ACTIONS = ("continue", "pause")
_ACTING = re.compile(r"proxy_on_(?:request|response)_\w+|proxy_on_\w+_data|proxy_on_new_connection")


class Calls:
    """Turns lines of a trace into readable ones; remembers how deep each thread is."""

    def __init__(self) -> None:
        self._depth: defaultdict[str, int] = defaultdict(int)

    def line(self, message: str, thread: str = "") -> str | None:
        """The line for ``message``, or ``None`` when it reports no call."""
        if call := _CALL.match(message):
            return self._called(thread, call["name"], call["arguments"])
        if ended := _RETURN.match(message):
            return self._returned(thread, ended)
        if _TRAP.match(message):  # what was open does not return
            self._depth[thread] = 0
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


def decoded_log(lines: Iterable[str]) -> Iterator[str]:
    """A log with its calls made readable, all other lines as they are."""
    calls = Calls()
    for line in lines:
        head = _HEAD.match(line)
        thread = _THREAD.search(line) if head else None
        shown = calls.line(line[head.end() :], thread[1] if thread else "") if head else None
        yield line if head is None or shown is None else _PLACE.sub("", head[0]) + shown


def _indent(depth: int) -> str:
    return " " * 4 * depth


def _shown(parameter: str | None, value: str, known: Sequence[str]) -> str:
    if parameter is None:
        return value
    if parameter in _KINDS:
        return f"{parameter}={_of(_KINDS[parameter], value)}"
    pointer = f"{parameter}_size" in known or parameter.startswith("return_")
    return f"{parameter}={int(value):#x}" if pointer and value.isdecimal() else f"{parameter}={value}"


def _result(name: str, value: str, *, host: bool) -> str:
    names = _STATUSES if host and name.startswith("proxy_") else _ACTIONS if _ACTING.fullmatch(name) else ()
    return _of(names, value)


def _of(names: Sequence[str], value: str) -> str:
    return names[int(value)] if value in _NUMBERS[: len(names)] else value
