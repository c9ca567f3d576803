"""Types as they are spoken of: ``i32 i64 -> i32``, the notation of Envoy's own messages.

A value type is its name: ``i32``, ``v128``, ``funcref``, ``(ref 3)``. Decoding follows
https://webassembly.github.io/spec/core/binary/types.html, garbage collected types included; what only
unreleased proposals have is refused, as Envoy refuses it.
"""

from enum import StrEnum
from typing import NamedTuple

from weft.wasm.limits import MAX_PAGES_32, MAX_PAGES_64, MAX_PARAMS, MAX_RESULTS
from weft.wasm.reader import Reader

__all__ = [
    "FuncType",
    "GlobalType",
    "Kind",
    "MemoryType",
    "TableType",
    "function_type",
    "global_type",
    "heap_type",
    "limits",
    "memory_type",
    "mutability",
    "storage_type",
    "table_type",
    "value_type",
]


class Kind(StrEnum):
    """What can be imported and exported, in the order of the binary format."""

    FUNC = "func"
    TABLE = "table"
    MEMORY = "memory"
    GLOBAL = "global"
    TAG = "tag"


class FuncType(NamedTuple):
    """A function's parameters and results."""

    params: tuple[str, ...] = ()
    results: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{' '.join(self.params) or 'void'} -> {' '.join(self.results) or 'void'}"


class MemoryType(NamedTuple):
    """A memory in pages of 64 KiB; ``wide`` is memory64."""

    minimum: int
    maximum: int | None = None
    shared: bool = False
    wide: bool = False

    def __str__(self) -> str:
        """``1 page``, ``2 to 16 pages, shared, 64-bit``."""
        span = _span(self.minimum, self.maximum)
        return f"{span} page" + "s" * (span != "1") + ", shared" * self.shared + ", 64-bit" * self.wide


class TableType(NamedTuple):
    """A table of references."""

    element: str
    minimum: int
    maximum: int | None = None
    wide: bool = False

    def __str__(self) -> str:
        """``2 to 16 funcref``."""
        return f"{_span(self.minimum, self.maximum)} {self.element}" + ", 64-bit" * self.wide


class GlobalType(NamedTuple):
    """A global variable or constant."""

    type: str
    mutable: bool = False

    def __str__(self) -> str:
        """``mut i32``."""
        return "mut " * self.mutable + self.type


def _span(minimum: int, maximum: int | None) -> str:
    if maximum is None or minimum == maximum:
        return str(minimum)
    return f"{minimum} to {maximum}"


_HEAP_TYPES = {
    0x74: "noexn",
    0x73: "nofunc",
    0x72: "noextern",
    0x71: "none",
    0x70: "func",
    0x6F: "extern",
    0x6E: "any",
    0x6D: "eq",
    0x6C: "i31",
    0x6B: "struct",
    0x6A: "array",
    0x69: "exn",
}
_SHORT = {"none": "nullref", "nofunc": "nullfuncref", "noextern": "nullexternref", "noexn": "nullexnref"}
_VALUE_TYPES = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128"} | {
    code: _SHORT.get(heap, f"{heap}ref") for code, heap in _HEAP_TYPES.items()
}
_PACKED = {0x78: "i8", 0x77: "i16"}
_REF_NULL, _REF = 0x63, 0x64
_HAS_MAXIMUM, _SHARED, _WIDE = 1, 2, 4
_MUTABILITY = (0, 1)


def value_type(r: Reader) -> str:
    """One value type."""
    start = r.pos
    code = r.byte()
    known = _VALUE_TYPES.get(code)
    if known is not None:
        return known
    if code not in {_REF_NULL, _REF}:
        raise r.invalid(f"unknown value type {code:#04x}", at=start)
    heap = heap_type(r)
    if code == _REF:
        return f"(ref {heap})"
    return f"(ref null {heap})" if heap.isdigit() else _SHORT.get(heap, f"{heap}ref")


def heap_type(r: Reader) -> str:
    """What a reference points to: ``func``, ``any`` … or the number of a type."""
    start = r.pos
    number = r.signed(33)
    if number >= 0:
        return str(number)
    known = _HEAP_TYPES.get(number + 0x80)  # one byte of a negative number
    if known is None:
        raise r.invalid(f"unknown heap type {number}", at=start)
    return known


def storage_type(r: Reader) -> str:
    """The type of a struct's field or an array's element."""
    if r.left and (packed := _PACKED.get(r.data[r.pos])):
        r.pos += 1
        return packed
    return value_type(r)


def mutability(r: Reader) -> bool:
    """Whether a global or field can be assigned to."""
    start = r.pos
    flag = r.byte()
    if flag not in _MUTABILITY:
        raise r.invalid(f"unknown mutability {flag:#04x}", at=start)
    return flag == 1


def function_type(r: Reader) -> FuncType:
    """Parameters and results, after the byte that says it is a function."""
    params = tuple([value_type(r) for _ in range(r.count("parameters", MAX_PARAMS))])
    results = tuple([value_type(r) for _ in range(r.count("results", MAX_RESULTS))])
    return FuncType(params, results)


def limits(r: Reader, what: str, allowed: int) -> tuple[int, int, int | None]:
    """The flags, the least and the most; flags beyond ``allowed`` are refused."""
    start = r.pos
    flags = r.byte()
    if flags & ~allowed:
        raise r.invalid(f"unknown {what} flags {flags:#04x}", at=start)
    bits = 64 if flags & _WIDE else 32
    minimum = r.unsigned(bits)
    maximum = r.unsigned(bits) if flags & _HAS_MAXIMUM else None
    if maximum is not None and maximum < minimum:
        raise r.invalid(f"{what} of at least {minimum} and at most {maximum}", at=start)
    return flags, minimum, maximum


def memory_type(r: Reader) -> MemoryType:
    """The limits of a memory."""
    start = r.pos
    flags, minimum, maximum = limits(r, "memory", _HAS_MAXIMUM | _SHARED | _WIDE)
    most = MAX_PAGES_64 if flags & _WIDE else MAX_PAGES_32
    if max(minimum, maximum or 0) > most:
        raise r.invalid(f"memory of more than {most} pages", at=start)
    if flags & _SHARED and maximum is None:
        raise r.invalid("shared memory without a maximum", at=start)
    return MemoryType(minimum, maximum, bool(flags & _SHARED), bool(flags & _WIDE))


def table_type(r: Reader) -> TableType:
    """The element type and limits of a table."""
    start = r.pos
    element = value_type(r)
    if not element.endswith(("ref", ")")):
        raise r.invalid(f"table of {element}", at=start)
    flags, minimum, maximum = limits(r, "table", _HAS_MAXIMUM | _WIDE)
    return TableType(element, minimum, maximum, bool(flags & _WIDE))


def global_type(r: Reader) -> GlobalType:
    """The type of a global."""
    return GlobalType(value_type(r), mutability(r))
