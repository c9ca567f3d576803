"""One running instance of a module, called without the engine's type checks.

The unchecked interface is many times as fast and trusts its caller, so this module keeps what the checks
would have kept:

* functions are called with as many arguments as their type has, taken from ``weft.wasm``, never from the
  guest;
* an exception in a host function is kept, the guest is stopped by a trap, and the exception is raised anew
  where the guest was called; nothing of Python ever unwinds through machine code;
* callbacks are held for as long as the machine lives, the machine for as long as its memory is looked at.

What is used in every call is made once, when functions are linked: arguments of the C interface, layouts of
numbers, lines of the trace or none.
"""

import ctypes
from collections.abc import Callable, Collection, Iterable
from ctypes import c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

from weft.errors import FilterRefused
from weft.testhost.engine import crossing
from weft.testhost.engine.compiling import Program, engine, said
from weft.testhost.engine.library import (
    HOST_CALLBACK,
    Extern,
    Function,
    Instance,
    Vector,
    library,
    number,
    place,
    quick,
)
from weft.testhost.engine.library import Memory as MemoryHandle
from weft.testhost.engine.memory import SPENT, BadAddress, Memory
from weft.testhost.engine.traps import Trapped, failed, trapped
from weft.wasm import FuncType

__all__ = ["Import", "Limits", "Machine"]

_KINDS = {"i32": 0, "i64": 1, "f32": 2, "f64": 3}
_FUNCTION, _MEMORY = 0, 3
_NO_LIMIT = -1
_MOST_IN_TABLE = 10_000_000  # as in V8
_CALL_COST = 256
"""What a call of the host takes from the budget, in bytes."""


@dataclass(frozen=True, slots=True)
class Import:
    """A function the host gives: its name, its type, and what to do with unsigned integers."""

    module: str
    name: str
    type: FuncType
    call: Callable[..., int | None]
    bad_address: int = 0
    """What it answers when it raises ``BadAddress``."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What stops a guest that would never stop."""

    fuel: int = 2_000_000_000
    """Instructions between two refuels: some seconds."""
    memory: int = 1 << 30
    """Bytes, as many as Envoy gives."""
    host: int = 1 << 28
    """Bytes copied between guest and host in one callback; every call of the host counts for 256."""


class Machine:
    """An instance. Not for several threads."""

    def __init__(self, program: Program, limits: Limits, trace: list[str] | None = None) -> None:
        lib = library()
        self.closed: Collection[str] = ()
        """Imports that the guest is stopped for if it calls them now."""
        self.memory = Memory(limits.host)
        """Empty until there is an instance."""
        self._program = program
        self._limits = limits
        self._trace = trace
        self._failure: BaseException | None = None
        self._store = lib.wasmtime_store_new(engine(), None, None)
        self._context = lib.wasmtime_store_context(self._store)
        self.refuel: Callable[[], int] = partial(
            quick().wasmtime_context_set_fuel, place(self._context), number(limits.fuel)
        )
        """Let the guest run for as long again as the limits say."""
        self._callbacks: list[object] = []
        self._instance = Instance()
        lib.wasmtime_store_limiter(
            self._store, limits.memory, _MOST_IN_TABLE, _NO_LIMIT, _NO_LIMIT, _NO_LIMIT
        )
        self.refuel()

    def __del__(self) -> None:
        library().wasmtime_store_delete(self._store)

    def instantiate(self, imports: Iterable[Import]) -> None:
        """Link, and run the start section.

        Raises ``FilterRefused`` when the engine does not link it, ``Trapped`` when the start section fails.
        """
        lib = library()
        linker = lib.wasmtime_linker_new(engine())
        try:
            for item in imports:
                self._define(linker, item)
            trap = c_void_p()
            error = lib.wasmtime_linker_instantiate(
                linker, self._context, self._program.handle, ctypes.byref(self._instance), ctypes.byref(trap)
            )
        finally:
            lib.wasmtime_linker_delete(linker)
        if trap.value:
            self._fail(error, trap)
        if error:
            raise FilterRefused("the module cannot be instantiated", detail=said(error))
        self._attach_memory()

    def fuel_used(self) -> int:
        """Instructions since the last refuel."""
        left = c_uint64()
        library().wasmtime_context_get_fuel(self._context, ctypes.byref(left))
        return self._limits.fuel - left.value

    def function(self, name: str, type_: FuncType) -> Callable[..., int]:
        """The export ``name`` as a function of up to five i32; one without a result gives 0.

        It takes no more of them than it has parameters. The caller vouches for ``type_``. Calling raises
        ``Trapped``, or what a host function raised.
        """
        found = self._export(name)
        if found is None or found.kind != _FUNCTION:
            raise KeyError(name)
        has_result = bool(type_.results)
        run = self._caller(Function.from_buffer_copy(found.of.func), type_, has_result=has_result)
        return run if self._trace is None else crossing.told(run, name, type_, self._trace)

    def _caller(self, handle: Function, type_: FuncType, *, has_result: bool) -> Callable[..., int]:
        pack, call = crossing.MOST.pack_into, quick().wasmtime_func_call_unchecked
        values, trap = (c_uint32 * (crossing.MOST.size // 4))(), c_void_p()
        context, function, arguments = place(self._context), ctypes.byref(handle), ctypes.byref(values)
        length, trap_place = number(max(len(type_.params), 1)), ctypes.byref(trap)

        def run(a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0) -> int:
            pack(values, 0, a, b, c, d, e)
            error = call(context, function, arguments, length, trap_place)
            if error or trap:  # type: ignore[truthy-bool]  # it is true when it holds something
                self._fail(error, trap)
            return values[0] if has_result else 0

        return run

    def _fail(self, error: int | None, trap: c_void_p) -> None:
        raised, self._failure = self._failure, None
        handle, trap.value = trap.value, None
        found = trapped(handle) if handle else failed(error or 0)
        if isinstance(raised, Trapped):  # what a host function says, at the place where the guest was
            raise Trapped(raised.words, found.sites) from raised
        raise raised or found

    def _define(self, linker: int, item: Import) -> None:
        lib = library()
        callback = HOST_CALLBACK(self._host(item))
        self._callbacks.append(callback)
        type_ = lib.wasm_functype_new(
            ctypes.byref(_vector(item.type.params)), ctypes.byref(_vector(item.type.results))
        )
        module, name = item.module.encode(), item.name.encode()
        error = lib.wasmtime_linker_define_func_unchecked(
            linker, module, len(module), name, len(name), type_, callback, None, None
        )
        lib.wasm_functype_delete(type_)
        if error:
            raise FilterRefused(f"{item.module}.{item.name} cannot be offered", detail=said(error))

    def _host(self, item: Import) -> Callable[[int, int, int], int]:
        """What the engine calls for an import."""
        arguments, answer = crossing.reading(item.type), crossing.answering(item.type)
        if self._trace is not None:
            title = f"{item.module}.{item.name}"
            arguments = crossing.heard(arguments, title, self._trace)
            answer = crossing.said(answer, title, self._trace, has_result=bool(item.type.results))
        name, call, bad_address = item.name, item.call, item.bad_address
        space, memory, stop = crossing.SPACE, self.memory, library().wasmtime_trap_new

        def host(_environment: int, _caller: int, where: int) -> int:
            try:
                numbers = arguments(space, where)
                memory.budget -= _CALL_COST
                if memory.budget < 0 or name in self.closed:
                    self._refuse(name)
                try:
                    result = call(*numbers)
                except BadAddress:
                    result = bad_address
                answer(space, where, result)
            except BaseException as error:  # noqa: BLE001 - raised again by the caller of the guest
                self._failure = error
                made: int = stop(b"host", 4)
                return made
            return 0

        return host

    def _refuse(self, name: str) -> NoReturn:
        if name in self.closed:
            raise Trapped("Uncaught Error: restricted_callback")
        raise Trapped(SPENT)

    def _export(self, name: str) -> Extern | None:
        found = Extern()
        text = name.encode()
        known = library().wasmtime_instance_export_get(
            self._context, ctypes.byref(self._instance), text, len(text), ctypes.byref(found)
        )
        return found if known else None

    def _attach_memory(self) -> None:
        found = self._export("memory")
        if found is None or found.kind != _MEMORY:
            return
        handle = MemoryHandle.from_buffer_copy(found.of.memory)
        base = library().wasmtime_memory_data(self._context, ctypes.byref(handle))
        size, context, at = quick().wasmtime_memory_data_size, place(self._context), ctypes.byref(handle)

        def size_now() -> int:
            held: int = size(context, at)
            return held

        self.memory.attach(base, size_now, keep=self)


def _vector(kinds: Iterable[str]) -> Vector:
    lib = library()
    made = [lib.wasm_valtype_new(_KINDS[kind]) for kind in kinds]
    vector = Vector()
    lib.wasm_valtype_vec_new(ctypes.byref(vector), len(made), (c_void_p * len(made))(*made))
    return vector
