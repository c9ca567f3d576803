"""From a module's bytes to machine code, at most once a machine.

The file of a compiled module is named by everything it depends on: the module's digest, the engine's
version and this file's settings. Files appear whole (``weft.base.files``); one that the engine refuses is
made anew; those that were not used for the longest time go. They are code: the folder must be the user's own.
"""

import contextlib
import ctypes
import hashlib
import os
import platform
from ctypes import c_void_p
from functools import cache
from pathlib import Path
from threading import Lock

from weft.base.files import atomic_write
from weft.errors import FilterRefused
from weft.testhost.engine.library import ByteVector, library, version_of

__all__ = ["Program", "compile_module", "engine", "said"]

_SETTINGS = "fuel-2"  # a new word here when what `engine` sets changes the code
_NO_OPTIMIZATION, _SINGLE_PASS = 0, 1
_MOST_KEPT = 64
_MAKING = Lock()
_STACK = 1 << 20  # V8 in Envoy has about this much
_RESERVED = 1 << 32  # every 32-bit memory gets all its addresses at once and so never moves


def engine() -> int:
    """The one engine of this process. It lives as long as the process does."""
    with _MAKING:  # two threads that ask at once would get one each, and their modules would not fit
        return _engine()


@cache
def _engine() -> int:
    lib = library()
    config = lib.wasm_config_new()
    lib.wasmtime_config_consume_fuel_set(config, True)
    # Tests run for milliseconds and wait for this. Measured: a module of the Go compiler is ready in 0.96 s
    # instead of 2.14, and templates take as long for a request; code that computes at length takes twice as
    # long.
    lib.wasmtime_config_cranelift_opt_level_set(config, _NO_OPTIMIZATION)
    lib.wasmtime_config_cranelift_regalloc_algorithm_set(config, _SINGLE_PASS)
    lib.wasmtime_config_max_wasm_stack_set(config, _STACK)
    lib.wasmtime_config_memory_reservation_set(config, _RESERVED)
    lib.wasmtime_config_memory_may_move_set(config, False)
    lib.wasmtime_config_wasm_memory64_set(config, False)
    made: int = lib.wasm_engine_new_with_config(config)
    return made


class Program:
    """A compiled module; any number of machines can run it."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def __del__(self) -> None:
        library().wasmtime_module_delete(self.handle)


def compile_module(data: bytes, cache_folder: Path | None = None) -> Program:
    """Compile a module, or fetch what an earlier run compiled.

    Raises ``FilterRefused`` with the engine's words when the code is not valid.
    """
    if cache_folder is None:
        return _compile(data)
    kept = cache_folder / _name(data)
    if kept.exists() and (program := _load(kept)) is not None:
        with contextlib.suppress(OSError):
            os.utime(kept)  # the time of its last use
        return program
    program = _compile(data)
    with contextlib.suppress(OSError):  # without a place to keep it, it is compiled again next time
        atomic_write(kept, _serialize(program))
        _drop_unused(cache_folder)
    return program


def _drop_unused(folder: Path) -> None:
    """Keep the last used. Another process may do the same; what it still writes begins with a dot."""
    kept = sorted(folder.glob("[0-9a-f]*.wasmtime-*"), key=lambda path: path.stat().st_mtime_ns)
    for path in kept[:-_MOST_KEPT]:
        path.unlink()


def _name(data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    return f"{digest}.wasmtime-{version_of()}-{_SETTINGS}-{platform.machine()}"


def _compile(data: bytes) -> Program:
    handle = c_void_p()
    error = library().wasmtime_module_new(engine(), data, len(data), ctypes.byref(handle))
    if error or handle.value is None:
        raise FilterRefused("the module is not valid WebAssembly", detail=said(error))
    return Program(handle.value)


def _load(path: Path) -> Program | None:
    handle = c_void_p()
    error = library().wasmtime_module_deserialize_file(engine(), bytes(path), ctypes.byref(handle))
    if error or handle.value is None:
        said(error)
        return None
    return Program(handle.value)


def _serialize(program: Program) -> bytes:
    vector = ByteVector()
    error = library().wasmtime_module_serialize(program.handle, ctypes.byref(vector))
    if error:
        raise FilterRefused("the compiled module cannot be kept", detail=said(error))
    return vector.take()


def said(error: int | None) -> str:
    """What an error of the engine says; it is freed."""
    if not error:
        return ""
    lib = library()
    message = ByteVector()
    lib.wasmtime_error_message(error, ctypes.byref(message))
    lib.wasmtime_error_delete(error)
    return message.take().decode("utf-8", "replace")
