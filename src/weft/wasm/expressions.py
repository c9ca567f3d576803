"""Step over constant expressions: the initial values of globals and tables.

Only what a constant expression may hold is known here; nothing is computed and nothing type-checked.
https://webassembly.github.io/spec/core/valid/instructions.html#constant-expressions
"""

from weft.wasm.reader import Reader
from weft.wasm.signatures import heap_type

__all__ = ["skip_expression"]

_END = 0x0B

# What follows an instruction: i = i32, l = i64, u = an index, h = a heap type, a digit = that many bytes.
_OPERANDS = {
    0x23: "u",  # global.get
    0x41: "i",  # i32.const
    0x42: "l",  # i64.const
    0x43: "4",  # f32.const
    0x44: "8",  # f64.const
    **dict.fromkeys((0x6A, 0x6B, 0x6C, 0x7C, 0x7D, 0x7E), ""),  # add, sub, mul of i32 and i64
    0xD0: "h",  # ref.null
    0xD2: "u",  # ref.func
}
_PREFIXED = {
    (0xFB, 0): "u",  # struct.new
    (0xFB, 1): "u",  # struct.new_default
    (0xFB, 6): "u",  # array.new
    (0xFB, 7): "u",  # array.new_default
    (0xFB, 8): "uu",  # array.new_fixed
    (0xFB, 26): "",  # any.convert_extern
    (0xFB, 27): "",  # extern.convert_any
    (0xFB, 28): "",  # ref.i31
    (0xFD, 12): "88",  # v128.const
}
_PREFIXES = {prefix for prefix, _ in _PREFIXED}


def skip_expression(r: Reader) -> None:
    """Move behind the ``end`` of the expression at the cursor."""
    while True:
        start = r.pos
        code = r.byte()
        if code == _END:
            return
        if code in _PREFIXES:
            number = r.u32()
            operands = _PREFIXED.get((code, number))
            shown = f"{code:#04x} {number}"
        else:
            operands = _OPERANDS.get(code)
            shown = f"{code:#04x}"
        if operands is None:
            raise r.invalid(f"instruction {shown} in a constant expression", at=start)
        for operand in operands:
            _skip_operand(r, operand)


def _skip_operand(r: Reader, operand: str) -> None:
    match operand:
        case "u":
            r.u32()
        case "i":
            r.signed(32)
        case "l":
            r.signed(64)
        case "h":
            heap_type(r)
        case size:
            r.skip(int(size), "constant")
