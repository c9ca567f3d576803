"""How numbers cross the border, and how the trace shows it.

The engine hands over numbers as sixteen bytes each, the lowest of which hold the number; the result goes
where the first argument was. All numbers are unsigned here.

Whether there is a trace is decided when functions are linked, not when they are called. Its lines are those
of Envoy at the log level ``wasm:trace``.
"""

import ctypes
import struct
import sys
from collections.abc import Callable

from weft.wasm import FuncType

__all__ = ["MOST", "SPACE", "Answer", "Arguments", "answering", "heard", "reading", "said", "told"]

Arguments = Callable[[memoryview, int], tuple[int, ...]]
"""``SPACE`` and where in it → the numbers there."""
Answer = Callable[[memoryview, int, int | None], None]
"""``SPACE``, where in it, and the result to put there."""

SPACE = memoryview((ctypes.c_char * sys.maxsize).from_address(0)).cast("B")
"""This process as bytes, by address. Only for addresses that the engine gives."""

_CODES = {"i32": "I12x", "i64": "Q8x"}
_RESULT = struct.Struct("<I")
MOST = struct.Struct("<" + 5 * _CODES["i32"])
"""The arguments of a callback: none has more than five, all are i32."""


def reading(type_: FuncType) -> Arguments:
    """How to read the arguments of a function. Raises ``KeyError`` for kinds that never cross."""
    return struct.Struct("<" + "".join(_CODES[kind] for kind in type_.params)).unpack_from


def answering(type_: FuncType) -> Answer:
    """How to answer from a function: its result is an i32 or nothing."""
    return _RESULT.pack_into if type_.results else _nothing


def _nothing(_space: memoryview, _place: int, _result: int | None) -> None:
    pass


def heard(arguments: Arguments, title: str, trace: list[str]) -> Arguments:
    """``arguments``, and a line about the call of the guest."""

    def run(space: memoryview, place: int) -> tuple[int, ...]:
        numbers = arguments(space, place)
        trace.append(f"[vm->host] {title}({', '.join(map(str, numbers))})")
        return numbers

    return run


def said(answer: Answer, title: str, trace: list[str], *, has_result: bool) -> Answer:
    """``answer``, and a line about it."""

    def run(space: memoryview, place: int, result: int | None) -> None:
        answer(space, place, result)
        trace.append(f"[vm<-host] {title} return: {int(result or 0) if has_result else 'void'}")

    return run


def told(function: Callable[..., int], name: str, type_: FuncType, trace: list[str]) -> Callable[..., int]:
    """A function of the guest, and lines about each call."""
    count = len(type_.params)

    def run(*numbers: int) -> int:
        trace.append(f"[host->vm] {name}({', '.join(f'{number:d}' for number in numbers[:count])})")
        result = function(*numbers)
        trace.append(f"[host<-vm] {name} return: {result if type_.results else 'void'}")
        return result

    return run
