"""Why a guest stopped, in the words Envoy's V8 has for it."""

import ctypes
from ctypes import c_uint8
from dataclasses import dataclass

from weft.testhost.engine.library import ByteVector, Vector, library

__all__ = ["Site", "Trapped", "failed", "trapped"]

# wasmtime's trap codes (trap.h) → what V8 says and Envoy logs.
_WORDS = {
    0: "Uncaught RangeError: Maximum call stack size exceeded",
    1: "Uncaught RuntimeError: memory access out of bounds",
    2: "Uncaught RuntimeError: operation does not support unaligned accesses",
    3: "Uncaught RuntimeError: table index is out of bounds",
    4: "Uncaught RuntimeError: null function or function signature mismatch",
    5: "Uncaught RuntimeError: null function or function signature mismatch",
    6: "Uncaught RuntimeError: divide result unrepresentable",
    7: "Uncaught RuntimeError: divide by zero",
    8: "Uncaught RuntimeError: float unrepresentable in integer range",
    9: "Uncaught RuntimeError: unreachable",
}
_OUT_OF_FUEL = 11
# Envoy has no such limit: there the worker hangs.
_ENDLESS = "stopped by weft: the code ran too long without an end"
_NO_OFFSET = (1 << 64) - 1
_MOST_FRAMES = 20  # as Envoy's backtraces have


@dataclass(frozen=True, slots=True)
class Site:
    """Where one call of the backtrace stood."""

    function: int
    offset: int | None
    """Absolute in the module's file; the engine knows none where the stack ended."""


class Trapped(Exception):
    """The guest failed and cannot go on."""

    def __init__(self, words: str, sites: tuple[Site, ...] = ()) -> None:
        super().__init__(words)
        self.words = words
        self.sites = sites


def trapped(trap: int) -> Trapped:
    """Read an engine's trap and free it."""
    lib = library()
    code = c_uint8()
    if lib.wasmtime_trap_code(trap, ctypes.byref(code)):
        words = _ENDLESS if code.value == _OUT_OF_FUEL else _WORDS.get(code.value) or _message(trap)
    else:
        words = f"Uncaught Error: {_message(trap)}"
    frames = Vector()
    lib.wasm_trap_trace(trap, ctypes.byref(frames))
    lib.wasm_trap_delete(trap)
    return Trapped(words, _sites(frames))


def failed(error: int) -> Trapped:
    """Read an engine's error, which is what a trap of a host function becomes, and free it."""
    lib = library()
    frames, message = Vector(), ByteVector()
    lib.wasmtime_error_wasm_trace(error, ctypes.byref(frames))
    lib.wasmtime_error_message(error, ctypes.byref(message))
    lib.wasmtime_error_delete(error)
    words = message.take().decode("utf-8", "replace").partition("\n")[0]
    return Trapped(f"Uncaught Error: {words}", _sites(frames))


def _sites(frames: Vector) -> tuple[Site, ...]:
    lib = library()
    sites = tuple(
        _site(lib.wasm_frame_func_index(frame), lib.wasm_frame_module_offset(frame))
        for frame in (frames.data[index] for index in range(min(frames.size, _MOST_FRAMES)))
    )
    lib.wasm_frame_vec_delete(ctypes.byref(frames))
    return sites


def _site(function: int, offset: int) -> Site:
    return Site(function, None if offset == _NO_OFFSET else offset)


def _message(trap: int) -> str:
    message = ByteVector()
    library().wasm_trap_message(trap, ctypes.byref(message))
    text = message.take().rstrip(b"\0").decode("utf-8", "replace")
    return text.partition("\n")[0]
