"""Which of its host functions and callbacks the scenarios made a module use."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from weft.scenario import Played
from weft.wasm import CALLBACKS, Kind, read_module

__all__ = ["Coverage", "coverage"]

_CALLBACK = re.compile(r"\[host->vm\] (\w+)\(")
_HOST_FUNCTION = re.compile(r"\[vm->host\] (\w+\.\w+)\(")
_KNOWN = {callback.name for callback in CALLBACKS}


@dataclass(frozen=True, slots=True)
class Coverage:
    """Names of one kind, in the order of the module."""

    used: tuple[str, ...]
    unused: tuple[str, ...]


def coverage(module: bytes, results: Iterable[Played]) -> tuple[Coverage, Coverage]:
    """Callbacks (exports that a proxy calls) and host functions (imports); raises ``ModuleInvalid``.

    What was played beside other modules is left out: a trace does not say whose call it was.
    """
    read = read_module(module)
    alone = (result for result in results if not any(one.module for one in result.case.setup.neighbors))
    lines = [line for result in alone for line in result.trace]
    entered = {found[1] for line in lines if (found := _CALLBACK.match(line))}
    called = {found[1] for line in lines if (found := _HOST_FUNCTION.match(line))}
    exported = read.exported(Kind.FUNC)
    callbacks = [name for name in exported if name in _KNOWN]
    imports = [f"{one.module}.{one.name}" for one in read.imports if one.kind is Kind.FUNC]
    return _split(callbacks, entered), _split(imports, called)


def _split(names: Iterable[str], used: set[str]) -> Coverage:
    known = list(dict.fromkeys(names))
    return Coverage(tuple(n for n in known if n in used), tuple(n for n in known if n not in used))
