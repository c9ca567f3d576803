"""A guest's memory as the host sees it: every address is checked before it is touched.

A 32-bit memory keeps its place in the process for as long as its machine lives, and only grows (the engine
reserves all 4 GiB of addresses). So one view over all of it serves every access; what is checked is the
size, and the engine is asked for a newer size only when an access lies beyond the one we know.
"""

import ctypes
import struct
from collections.abc import Callable

__all__ = ["BadAddress", "Memory"]

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_ALL = 1 << 32


class BadAddress(Exception):
    """The guest named bytes that are not in its memory."""


class Memory:
    """Reads and writes, little endian. All raise ``BadAddress``. Valid only while the machine lives."""

    def __init__(self, base: int, size_now: Callable[[], int]) -> None:
        self._size_now = size_now
        self._size = size_now()
        self._view = (
            memoryview((ctypes.c_char * _ALL).from_address(base)).cast("B") if base else memoryview(b"")
        )

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
        return self._view[address:end].tobytes()

    def write(self, address: int, data: bytes) -> None:
        """Put ``data`` at ``address``."""
        end = address + len(data)
        if end > self._size and end > self.size:
            raise BadAddress
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
