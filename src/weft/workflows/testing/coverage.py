"""Which of its host functions and callbacks the scenarios made a module use."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from weft.scenario import Played
from weft.wasm import CALLBACKS, Kind, read_module

__all__ = ["Coverage", "coverage", "covered", "used_in"]

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
    alone = (result for result in results if not any(one.module for one in result.case.setup.neighbors))
    return covered(module, used_in(line for result in alone for line in result.trace))


def used_in(trace: Iterable[str]) -> set[str]:
    """The names of callbacks and host functions, as ``env.proxy_log``."""
    return {found[1] for line in trace if (found := _CALLBACK.match(line) or _HOST_FUNCTION.match(line))}


def covered(module: bytes, used: set[str]) -> tuple[Coverage, Coverage]:
    """The same of names that are known already."""
    read = read_module(module)
    exported = read.exported(Kind.FUNC)
    callbacks = [name for name in exported if name in _KNOWN]
    imports = [f"{one.module}.{one.name}" for one in read.imports if one.kind is Kind.FUNC]
    return _split(callbacks, used), _split(imports, used)


def _split(names: Iterable[str], used: set[str]) -> Coverage:
    known = list(dict.fromkeys(names))
    return Coverage(tuple(n for n in known if n in used), tuple(n for n in known if n not in used))
