"""One running instance of a module, called without the engine's type checks.

The unchecked interface is thirteen times as fast and trusts its caller, so this module keeps what the
checks would have kept:

* functions are called with as many arguments as their type has, taken from ``weft.wasm``, never from the
  guest;
* an exception in a host function is kept, the guest is stopped by a trap, and the exception is raised anew
  where the guest was called; nothing of Python ever unwinds through machine code;
* callbacks are held for as long as the machine lives, the machine for as long as its memory is looked at.
"""

import ctypes
from collections.abc import Callable, Iterable
from ctypes import c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
from typing import Any

from weft.errors import FilterRefused
from weft.testhost.engine.compiling import Program, engine, said
from weft.testhost.engine.library import HOST_CALLBACK, Extern, Function, Instance, Vector, library
from weft.testhost.engine.library import Memory as MemoryHandle
from weft.testhost.engine.memory import Memory
from weft.testhost.engine.traps import Trapped, failed, trapped
from weft.wasm import FuncType

__all__ = ["Import", "Limits", "Machine"]

_KINDS = {"i32": 0, "i64": 1, "f32": 2, "f64": 3}
_FUNCTION, _MEMORY = 0, 3
_NO_LIMIT = -1
_STEP = 4  # a value has 16 bytes: four of what a pointer to u32 counts


@dataclass(frozen=True, slots=True)
class Import:
    """A function the host gives: its name, its type, and what to do with unsigned integers."""

    module: str
    name: str
    type: FuncType
    call: Callable[..., int | None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What stops a guest that would never stop."""

    fuel: int = 5_000_000_000
    """Instructions between two refuels: some seconds."""
    memory: int = 1 << 30
    """Bytes, as many as Envoy gives."""


class Machine:
    """An instance. Not for several threads."""

    def __init__(self, program: Program, imports: Iterable[Import], limits: Limits) -> None:
        """Link and instantiate; the start section runs here.

        Raises ``FilterRefused`` when the engine does not link it, ``Trapped`` when the start section fails.
        """
        lib = library()
        self._program = program
        self._limits = limits
        self._failure: BaseException | None = None
        self._store = lib.wasmtime_store_new(engine(), None, None)
        self._context = lib.wasmtime_store_context(self._store)
        self._callbacks: list[object] = []
        self._instance = Instance()
        lib.wasmtime_store_limiter(self._store, limits.memory, _NO_LIMIT, _NO_LIMIT, _NO_LIMIT, _NO_LIMIT)
        self.refuel()
        self._instantiate(imports)
        self.memory = self._memory()

    def __del__(self) -> None:
        library().wasmtime_store_delete(self._store)

    def refuel(self) -> None:
        """Let the guest run for as long again as the limits say."""
        library().wasmtime_context_set_fuel(self._context, self._limits.fuel)

    def fuel_used(self) -> int:
        """Instructions since the last refuel."""
        left = c_uint64()
        library().wasmtime_context_get_fuel(self._context, ctypes.byref(left))
        return self._limits.fuel - left.value

    def function(self, name: str, type_: FuncType) -> Callable[..., int]:
        """The export ``name`` as a function of i32; one without a result gives 0.

        The caller vouches for ``type_``. Calling raises ``Trapped``, or what a host function raised.
        """
        found = self._export(name)
        if found is None or found.kind != _FUNCTION:
            raise KeyError(name)
        handle = Function.from_buffer_copy(found.of.func)
        return self._caller(handle, len(type_.params), has_result=bool(type_.results))

    def _caller(self, handle: Function, count: int, *, has_result: bool) -> Callable[..., int]:
        values = (c_uint32 * (_STEP * max(count, 1)))()
        trap = c_void_p()
        call, context = library().wasmtime_func_call_unchecked, self._context
        function, arguments, trap_place = ctypes.byref(handle), ctypes.byref(values), ctypes.byref(trap)
        length = max(count, 1)

        def run(*given: int) -> int:
            place = 0
            for value in given:
                values[place] = value
                place += _STEP
            error = call(context, function, arguments, length, trap_place)
            if error or trap.value:
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

    def _instantiate(self, imports: Iterable[Import]) -> None:
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

    def _define(self, linker: int, item: Import) -> None:
        lib = library()
        callback = HOST_CALLBACK(self._unpacking(item.type, item.call))
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

    def _unpacking(self, type_: FuncType, call: Callable[..., int | None]) -> Callable[..., int]:
        """Values of the engine → unsigned integers → the result where the engine looks for it."""
        end = len(type_.params) * _STEP
        wide = tuple(index for index, kind in enumerate(type_.params) if kind == "i64")
        stop = library().wasmtime_trap_new

        def host(_environment: int, _caller: int, values: Any, _count: int) -> int:
            try:
                given: list[int] = values[0:end:_STEP] if end else []  # ctypes gives one of none
                for index in wide:
                    given[index] |= values[index * _STEP + 1] << 32
                result = call(*given)
                if result is not None:
                    values[0] = result
            except BaseException as error:  # noqa: BLE001 - raised again by the caller of the guest
                self._failure = error
                made: int = stop(b"host", 4)
                return made
            return 0

        return host

    def _export(self, name: str) -> Extern | None:
        found = Extern()
        text = name.encode()
        known = library().wasmtime_instance_export_get(
            self._context, ctypes.byref(self._instance), text, len(text), ctypes.byref(found)
        )
        return found if known else None

    def _memory(self) -> Memory:
        found = self._export("memory")
        if found is None or found.kind != _MEMORY:
            return Memory(0, lambda: 0)
        handle = MemoryHandle.from_buffer_copy(found.of.memory)
        at, context = ctypes.byref(handle), self._context
        size = library().wasmtime_memory_data_size
        # The lambda holds the machine, so that the memory cannot be freed while somebody looks at it.
        return Memory(library().wasmtime_memory_data(context, at), lambda: int(size(self._context, at)))


def _vector(kinds: Iterable[str]) -> Vector:
    lib = library()
    made = [lib.wasm_valtype_new(_KINDS[kind]) for kind in kinds]
    vector = Vector()
    lib.wasm_valtype_vec_new(ctypes.byref(vector), len(made), (c_void_p * len(made))(*made))
    return vector
