"""A guest's memory as the host sees it: every address is checked before it is touched.

A 32-bit memory keeps its place in the process for as long as its machine lives, and only grows (the engine
reserves all 4 GiB of addresses). So one view over all of it serves every access; what is checked is the
size, and the engine is asked for a newer size only when an access lies beyond the one we know.
"""

import ctypes
import struct
from collections.abc import Callable
from typing import Any

from weft.testhost.engine.traps import Trapped

__all__ = ["SPENT", "BadAddress", "Memory"]

SPENT = "stopped by weft: the code called the host too often without an end"
_TOO_MUCH = "stopped by weft: the code moves more bytes through the host than one callback may"

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_ALL = ctypes.c_char * (1 << 32)


class BadAddress(Exception):
    """The guest named bytes that are not in its memory."""


class Memory:
    """Reads and writes, little endian. All raise ``BadAddress``. Valid only while the machine lives.

    What is copied is taken from the budget first: a guest of some pages can name them a million times.
    """

    __slots__ = ("_bytes", "_keep", "_size", "_size_now", "_view", "budget")

    def __init__(self, budget: int) -> None:
        self.budget = budget
        """How many bytes the host still copies for the guest before the guest is stopped."""
        self._size = 0
        self._size_now: Callable[[], int] = int

    def attach(self, base: int, size_now: Callable[[], int], keep: object) -> None:
        """Look at the memory that begins at ``base``, until ``keep`` is gone; before, there is none."""
        self._keep = keep
        self._bytes: Any = _ALL.from_address(base)
        self._view = memoryview(self._bytes).cast("B")
        self._size_now = size_now

    @property
    def size(self) -> int:
        """How many bytes there are now."""
        self._size = self._size_now()
        return self._size

    def read(self, address: int, length: int) -> bytes:
        """``length`` bytes."""
        end = address + length
        if end > self._size and end > self.size:
            raise BadAddress
        if length > self.budget:
            raise Trapped(_TOO_MUCH)
        self.budget -= length
        data: bytes = self._bytes[address:end] if length else b""
        return data

    def text(self, address: int, length: int) -> str:
        """``length`` bytes as text; those that are not UTF-8 survive the way in and out."""
        end = address + length
        if end > self._size and end > self.size:
            raise BadAddress
        if length > self.budget:
            raise Trapped(_TOO_MUCH)
        self.budget -= length
        text: str = self._bytes[address:end].decode("utf-8", "surrogateescape") if length else ""
        return text

    def write(self, address: int, data: bytes) -> None:
        """Put ``data`` at ``address``."""
        length = len(data)
        end = address + length
        if end > self._size and end > self.size:
            raise BadAddress
        if length > self.budget:
            raise Trapped(_TOO_MUCH)
        if data:
            self.budget -= length
            self._view[address:end] = data

    def read_u32(self, address: int) -> int:
        """Four bytes."""
        if address + 4 > self._size and address + 4 > self.size:
            raise BadAddress
        value: int = _U32.unpack_from(self._view, address)[0]
        return value

    def write_u32(self, address: int, value: int) -> None:
        """Four bytes; higher bits of ``value`` are dropped."""
        if address + 4 > self._size and address + 4 > self.size:
            raise BadAddress
        _U32.pack_into(self._view, address, value & 0xFFFFFFFF)

    def write_u64(self, address: int, value: int) -> None:
        """Eight bytes; higher bits of ``value`` are dropped."""
        if address + 8 > self._size and address + 8 > self.size:
            raise BadAddress
        _U64.pack_into(self._view, address, value & 0xFFFFFFFFFFFFFFFF)
