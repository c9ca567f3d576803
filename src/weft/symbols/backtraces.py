"""Backtraces in logs: those of Envoy and wasmtime, and those of V8.

Envoy writes, when a module traps and its names were kept, and wasmtime writes much the same::

    Proxy-Wasm plugin in-VM backtrace:
      0:  0x41c - deep3
      1:  0x3f0 - unknown(function index:7)

V8 alone writes ``at deep3 (wasm://wasm/3f8a1b2c:wasm-function[12]:0x41c)``. The offsets are absolute in the
file. With what the module knows the first becomes::

      0:  0x41c - deep3(int) at src/shop.cc:16:7
                - deep2() at src/shop.cc:30:3

The line without a number: the code of ``deep3`` was inlined into ``deep2``.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from weft.symbols.symbols import Function, Symbols

__all__ = ["Frame", "annotated", "frame_lines", "frames_in"]

_NUMBERED = re.compile(r"(?P<depth>\b\d{1,3}): +0x(?P<offset>[0-9a-f]{1,16}) - (?P<name>.*)")
_V8 = re.compile(r"wasm-function\[\d+\]:0x(?P<offset>[0-9a-f]{1,16})")
_UNKNOWN = ("unknown(function index:", "<unknown>!<wasm function")


class Frame(NamedTuple):
    """One line of a backtrace; ``name`` is ``None`` where its writer knew none."""

    depth: int | None
    offset: int
    name: str | None


class _Line(NamedTuple):
    """A frame, what stands before it, and its line as far as its function's name."""

    frame: Frame
    before: str
    head: str


def frames_in(text: str) -> Iterator[Frame]:
    """The frames in a piece of a log, wherever they stand in it."""
    return (found.frame for line in text.splitlines() if (found := _read(line)))


def annotated(lines: Iterable[str], symbols: Symbols) -> Iterator[str]:
    """``lines``, with each frame of the module said as well as it can be."""
    for line in lines:
        found = _read(line)
        functions = symbols.at(found.frame.offset) if found else ()
        if found is None or not functions:
            yield line
        elif found.frame.depth is None:
            yield from (f"{found.before}at {function}" for function in functions)
        else:
            yield from (found.before + text for text in frame_lines(found.head, functions))


def frame_lines(head: str, functions: Sequence[Function | str]) -> list[str]:
    """One frame as Envoy writes it, and a line for each function around inlined code.

    ``head`` is what comes first: ``  0:  0x41c ``.
    """
    return [f"{head if place == 0 else ' ' * len(head)}- {name}" for place, name in enumerate(functions)]


def _read(line: str) -> _Line | None:
    if found := _NUMBERED.search(line):
        name = found["name"].rstrip()
        known = None if name.startswith(_UNKNOWN) else name.removeprefix("<unknown>!")
        frame = Frame(int(found["depth"]), int(found["offset"], 16), known)
        return _Line(frame, line[: found.start()], line[found.start() : found.start("name") - 2])
    if found := _V8.search(line):
        before, _, place = line[: found.start()].rpartition("at ")
        name, called, _ = place.rpartition(" (")
        return _Line(Frame(None, int(found["offset"], 16), name if called else None), before, "")
    return None
