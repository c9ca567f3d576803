"""Write debug information by hand: one unit of DWARF 4 or 5 with functions, copies of functions and lines.

The opposite of ``weft.symbols.dwarf``, for tests only; the numbers are those of the DWARF standard.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from modules.wasm_encoder import custom, s, u

ADDRESS, BLOCK_OFFSET, DATA1, DATA4, STRING, UDATA, REF4 = 0x01, 0x17, 0x0B, 0x06, 0x08, 0x0F, 0x13
NAME, LINES, LOW, HIGH, FOLDER, ORIGIN = 0x03, 0x10, 0x11, 0x12, 0x1B, 0x31
CALL_COLUMN, CALL_FILE, CALL_LINE, LINKAGE_NAME, RANGES = 0x57, 0x58, 0x59, 0x6E, 0x55
UNIT_TAG, FUNCTION_TAG, COPY_TAG = 0x11, 0x2E, 0x1D


@dataclass(frozen=True)
class Copy:
    """Code of ``origin`` (the place of a function in the list) inside another one."""

    origin: int
    start: int
    end: int
    call_line: int
    call_column: int = 0


@dataclass(frozen=True)
class Function:
    """A function; without code it is only declared, for copies to refer to."""

    name: str
    start: int = 0
    end: int = 0
    linkage_name: str = ""
    copies: Sequence[Copy] = ()


def text(value: str) -> bytes:
    return value.encode() + b"\0"


def u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def sized(content: bytes) -> bytes:
    return u32(len(content)) + content


def abbreviation(number: int, tag: int, *pairs: tuple[int, int], children: bool = False) -> bytes:
    return u(number) + u(tag) + bytes([children]) + b"".join(u(a) + u(b) for a, b in pairs) + b"\0\0"


ABBREVIATIONS = (
    abbreviation(1, UNIT_TAG, (NAME, STRING), (FOLDER, STRING), (LINES, BLOCK_OFFSET),
                 (LOW, ADDRESS), (HIGH, DATA4), children=True)
    + abbreviation(2, FUNCTION_TAG, (NAME, STRING), (LINKAGE_NAME, STRING), (LOW, ADDRESS), (HIGH, DATA4),
                   children=True)
    + abbreviation(3, FUNCTION_TAG, (NAME, STRING))
    + abbreviation(4, COPY_TAG, (ORIGIN, REF4), (LOW, ADDRESS), (HIGH, DATA4),
                   (CALL_FILE, DATA1), (CALL_LINE, UDATA), (CALL_COLUMN, UDATA))
    + abbreviation(5, UNIT_TAG, (NAME, STRING), (FOLDER, STRING), (LINES, BLOCK_OFFSET),
                   (LOW, ADDRESS), (RANGES, BLOCK_OFFSET), children=True)
    + b"\0"
)  # fmt: skip


def debug_info(
    functions: Sequence[Function], span: tuple[int, int], *, folder: str = "/src", ranges: bool = False
) -> bytes:
    """The unit: its head, and the functions in their order."""
    head = (4).to_bytes(2, "little") + u32(0) + b"\4"
    top = text("shop.cc") + text(folder) + u32(0)
    top = b"\5" + top + u32(0) + u32(0) if ranges else b"\1" + top + u32(span[0]) + u32(span[1] - span[0])
    content, offsets = head + top, []
    for function in functions:
        offsets.append(4 + len(content))
        content += _function(function, offsets)
    return sized(content + b"\0")


def _function(function: Function, offsets: Sequence[int]) -> bytes:
    if not function.end:
        return b"\3" + text(function.name)
    made = b"\2" + text(function.name) + text(function.linkage_name or function.name)
    made += u32(function.start) + u32(function.end - function.start)
    for copy in function.copies:
        made += b"\4" + u32(offsets[copy.origin]) + u32(copy.start) + u32(copy.end - copy.start)
        made += b"\1" + u(copy.call_line) + u(copy.call_column)
    return made + b"\0"


def debug_line(
    rows: Sequence[tuple[int, int, int]], end: int, *, files: Sequence[str] = ("shop.cc",)
) -> bytes:
    """Address, line and column of each row, in one stretch that ends at ``end``; all in the first file."""
    lengths = bytes([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1])
    names = b"\0" + b"".join(text(name) + b"\0\0\0" for name in files) + b"\0"
    head = b"\1\1\1" + b"\xfb" + b"\x0e" + b"\x0d" + lengths + names
    program = b"\0\5\2" + u32(rows[0][0])
    address, line = rows[0][0], 1
    for at, to, column in rows:
        program += b"\2" + u(at - address) + b"\3" + s(to - line) + b"\5" + u(column) + b"\1"
        address, line = at, to
    program += b"\2" + u(end - address) + b"\0\1\1"
    return sized((4).to_bytes(2, "little") + sized(head) + program)


def debug_ranges(*ranges: tuple[int, int]) -> bytes:
    """One list."""
    return b"".join(u32(start) + u32(end) for start, end in (*ranges, (0, 0)))


def sections(**contents: bytes) -> bytes:
    """Custom sections, abbreviations included."""
    made = {"debug_abbrev": ABBREVIATIONS, **contents}
    return b"".join(custom(f".{title}", content) for title, content in made.items())
