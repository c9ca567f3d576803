"""Whose code stands at an offset, and what Envoy's backtraces say.

Envoy writes, when a module traps and its names were kept::

    Proxy-Wasm plugin in-VM backtrace:
      0:  0x41c - deep3
      1:  0x3f0 - unknown(function index:7)

The offset is absolute in the file. Envoy demangles C++ names, weft gives them as the module has them.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from weft.wasm.module import Module
from weft.wasm.signatures import Kind

__all__ = ["Frame", "parse_backtrace", "symbolize"]

_FRAME = re.compile(r"^ *(\d{1,3}): +0x([0-9a-f]{1,16}) - (.*)$", re.MULTILINE)
_UNKNOWN = "unknown(function index:"


class Frame(NamedTuple):
    """One line of a backtrace; ``name`` is ``None`` where Envoy knew none."""

    depth: int
    offset: int
    name: str | None


def parse_backtrace(text: str) -> Iterator[Frame]:
    """The frames in a piece of Envoy's log, wherever they stand in it."""
    for depth, offset, name in _FRAME.findall(text):
        yield Frame(int(depth), int(offset, 16), None if name.startswith(_UNKNOWN) else name.rstrip())


def symbolize(module: Module, file_offset: int) -> str | None:
    """The function whose code holds ``file_offset``: its name, its export, or ``function 7``.

    ``None`` when no function's code is there.
    """
    bodies = module.bodies
    place = bisect_right(bodies, file_offset, key=lambda body: body.offset) - 1
    if place < 0 or file_offset >= bodies[place].offset + bodies[place].size:
        return None
    index = module.imported_functions + place
    if name := module.function_names.get(index):
        return name
    exported = (name for name, at in module.exported(Kind.FUNC).items() if at == index)
    return next(exported, f"function {index}")
