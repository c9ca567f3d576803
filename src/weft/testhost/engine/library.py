"""The C interface of wasmtime, as much of it as weft calls.

The library comes with the ``wasmtime`` distribution, whose Python package takes 200 ms to import: more than
a whole run of scenarios. So the library is found beside that package and declared here. Its layouts hold
for the major version that pyproject.toml pins; ``VERSION`` says which one is loaded and is part of every
cache key.

Reference: https://docs.wasmtime.dev/c-api/
"""

import ctypes
import platform
import sys
from ctypes import (
    CFUNCTYPE,
    POINTER,
    c_bool,
    c_char_p,
    c_int64,
    c_size_t,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
)
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from weft.errors import PartMissing

__all__ = [
    "HOST_CALLBACK",
    "ByteVector",
    "Extern",
    "Function",
    "Instance",
    "Memory",
    "Vector",
    "library",
    "number",
    "place",
    "quick",
    "version_of",
]

# What wasmtime calls for an import: environment, caller, where arguments are and results go, their number;
# what comes back is a trap or 0. What is not looked at is declared as small as can be, and the number not at
# all: each would be made an object in every call.
HOST_CALLBACK = CFUNCTYPE(c_size_t, c_uint8, c_uint8, c_size_t)


class ByteVector(ctypes.Structure):
    """``wasm_byte_vec_t``."""

    _fields_ = (("size", c_size_t), ("data", c_void_p))

    def take(self) -> bytes:
        """The bytes, and free them."""
        found = ctypes.string_at(self.data, self.size) if self.size and self.data else b""
        library().wasm_byte_vec_delete(ctypes.byref(self))
        return found


class Vector(ctypes.Structure):
    """A vector of pointers: ``wasm_valtype_vec_t``, ``wasm_frame_vec_t``."""

    _fields_ = (("size", c_size_t), ("data", POINTER(c_void_p)))


class Function(ctypes.Structure):
    """``wasmtime_func_t``."""

    _fields_ = (("store_id", c_uint64), ("private", c_void_p))


class Memory(ctypes.Structure):
    """``wasmtime_memory_t``."""

    _fields_ = (
        ("store_id", c_uint64),
        ("private1", c_uint32),
        ("private2", c_uint32),
        ("private3", c_uint32),
    )


class Instance(ctypes.Structure):
    """``wasmtime_instance_t``."""

    _fields_ = (("store_id", c_uint64), ("private", c_size_t))


class _Of(ctypes.Union):
    _fields_ = (("func", Function), ("memory", Memory), ("largest", c_uint64 * 3))


class Extern(ctypes.Structure):
    """``wasmtime_extern_t``: a function is kind 0, a memory 3."""

    _fields_ = (("kind", c_uint8), ("of", _Of))


_DECLARATIONS: tuple[tuple[str, object, tuple[object, ...]], ...] = (
    ("wasm_config_new", c_void_p, ()),
    ("wasm_engine_new_with_config", c_void_p, (c_void_p,)),
    ("wasmtime_config_consume_fuel_set", None, (c_void_p, c_bool)),
    ("wasmtime_config_cranelift_opt_level_set", None, (c_void_p, c_uint8)),
    ("wasmtime_config_cranelift_regalloc_algorithm_set", None, (c_void_p, c_uint8)),
    ("wasmtime_config_max_wasm_stack_set", None, (c_void_p, c_size_t)),
    ("wasmtime_config_memory_may_move_set", None, (c_void_p, c_bool)),
    ("wasmtime_config_memory_reservation_set", None, (c_void_p, c_uint64)),
    ("wasmtime_config_wasm_memory64_set", None, (c_void_p, c_bool)),
    ("wasmtime_module_new", c_void_p, (c_void_p, c_char_p, c_size_t, POINTER(c_void_p))),
    ("wasmtime_module_serialize", c_void_p, (c_void_p, POINTER(ByteVector))),
    ("wasmtime_module_deserialize_file", c_void_p, (c_void_p, c_char_p, POINTER(c_void_p))),
    ("wasmtime_module_delete", None, (c_void_p,)),
    ("wasmtime_store_new", c_void_p, (c_void_p, c_void_p, c_void_p)),
    ("wasmtime_store_context", c_void_p, (c_void_p,)),
    ("wasmtime_store_limiter", None, (c_void_p, c_int64, c_int64, c_int64, c_int64, c_int64)),
    ("wasmtime_store_delete", None, (c_void_p,)),
    ("wasmtime_context_get_fuel", c_void_p, (c_void_p, POINTER(c_uint64))),
    ("wasmtime_linker_new", c_void_p, (c_void_p,)),
    ("wasmtime_linker_delete", None, (c_void_p,)),
    (
        "wasmtime_linker_define_func_unchecked",
        c_void_p,
        (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_void_p, HOST_CALLBACK, c_void_p, c_void_p),
    ),
    (
        "wasmtime_linker_instantiate",
        c_void_p,
        (c_void_p, c_void_p, c_void_p, POINTER(Instance), POINTER(c_void_p)),
    ),
    (
        "wasmtime_instance_export_get",
        c_bool,
        (c_void_p, POINTER(Instance), c_char_p, c_size_t, POINTER(Extern)),
    ),
    ("wasmtime_extern_delete", None, (POINTER(Extern),)),
    ("wasmtime_memory_data", c_void_p, (c_void_p, c_void_p)),
    ("wasmtime_trap_new", c_size_t, (c_char_p, c_size_t)),
    ("wasmtime_trap_code", c_bool, (c_void_p, POINTER(c_uint8))),
    ("wasm_trap_message", None, (c_void_p, POINTER(ByteVector))),
    ("wasm_trap_trace", None, (c_void_p, POINTER(Vector))),
    ("wasm_trap_delete", None, (c_void_p,)),
    ("wasm_frame_func_index", c_uint32, (c_void_p,)),
    ("wasm_frame_module_offset", c_size_t, (c_void_p,)),
    ("wasm_frame_vec_delete", None, (POINTER(Vector),)),
    ("wasmtime_error_message", None, (c_void_p, POINTER(ByteVector))),
    ("wasmtime_error_delete", None, (c_void_p,)),
    ("wasmtime_error_wasm_trace", None, (c_void_p, POINTER(Vector))),
    ("wasm_functype_new", c_void_p, (POINTER(Vector), POINTER(Vector))),
    ("wasm_functype_delete", None, (c_void_p,)),
    ("wasm_valtype_new", c_void_p, (c_uint8,)),
    ("wasm_valtype_vec_new", None, (POINTER(Vector), c_size_t, POINTER(c_void_p))),
    ("wasm_byte_vec_delete", None, (POINTER(ByteVector),)),
)
_FILES = {"linux": "_libwasmtime.so", "darwin": "_libwasmtime.dylib", "win32": "_wasmtime.dll"}
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


@cache
def version_of() -> str:
    """The version of wasmtime that is loaded."""
    return version("wasmtime")


@cache
def library() -> ctypes.CDLL:
    """The shared library with its functions declared. Raises ``PartMissing`` where there is none."""
    loaded = ctypes.CDLL(str(_path()))
    for name, result, parameters in _DECLARATIONS:
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, parameters
    return loaded


@cache
def quick() -> ctypes.PyDLL:
    """The same library for the few functions that are called all the time.

    Undeclared, so that nothing is converted: arguments must be made by ``place``, ``number`` or
    ``ctypes.byref``, once. The interpreter's lock is not given away and taken back either; how long that can
    last is up to the limits of the machine.
    """
    loaded = ctypes.PyDLL(str(_path()))
    for name in ("wasmtime_context_set_fuel", "wasmtime_func_call_unchecked", "wasmtime_memory_data_size"):
        getattr(loaded, name).restype = c_size_t
    return loaded


def place(address: int) -> Any:
    """An address as an argument for ``quick``."""
    return c_void_p.from_param(address)


def number(value: int) -> Any:
    """A ``size_t`` or ``uint64_t`` as an argument for ``quick``."""
    return c_uint64.from_param(value)


def _path() -> Path:
    machine = platform.machine().lower()
    place = f"{sys.platform}-{_MACHINES.get(machine, machine)}"
    found = find_spec("wasmtime")
    for folder in (found and found.submodule_search_locations) or ():
        path = Path(folder) / place / _FILES.get(sys.platform, "")
        if path.is_file():
            return path
    raise PartMissing(
        f"weft's test host needs wasmtime, and there is none for {place}",
        hint="pip install 'wasmtime>=50,<51'",
    )
