"""What is wrong is named: the section, the byte, the reason."""

import pytest

from modules.wasm_encoder import (
    HEADER,
    MAGIC,
    Program,
    body,
    custom,
    function_type,
    limits,
    module,
    name,
    section,
    u,
    vec,
)
from weft.errors import UsageError
from weft.wasm import ModuleInvalid, read_module
from weft.wasm import decode as decode_module
from weft.wasm import limits as limits_of_modules

VOID = section(1, vec([function_type("void -> void")]))
ONE = section(3, vec([u(0)]))
CODE = section(10, vec([body(b"")]))
RIGHT = Program(imports=[("env", "f", "i32 -> void")], functions={"go": "void -> void"}, start="go").encode()
BETWEEN_SECTIONS = {8} | {section.offset + section.size for section in read_module(RIGHT).sections}


def complaint(data: bytes) -> str:
    with pytest.raises(ModuleInvalid) as caught:
        read_module(data, what="a.wasm")
    return str(caught.value).removeprefix("a.wasm: ")


WRONG = {
    "empty": (b"", "header, byte 0 (0x0): empty"),
    "not wasm": (b"hello", "header, byte 0 (0x0): not WebAssembly, which begins with \\0asm"),
    "magic alone": (MAGIC, "header, byte 4 (0x4): ends too early"),
    "version 2": (MAGIC + b"\2\0\0\0", "header, byte 4 (0x4): version 2, but only 1 is known"),
    "component": (MAGIC + b"\x0d\0\1\0", "header, byte 4 (0x4): a component, not a core module"),
    "section without a size": (HEADER + b"\x01", "sections, byte 9 (0x9): ends too early"),
    "section size endless": (
        HEADER + b"\x01" + b"\x80" * 9,
        "sections, byte 9 (0x9): number is longer than 5 bytes",
    ),
    "section beyond the file": (
        HEADER + b"\x01\x64abc",
        "sections, byte 9 (0x9): section of 100 bytes, but only 3 are left",
    ),
    "unknown section": (module(section(15, b"")), "sections, byte 8 (0x8): unknown section 15"),
    "section twice": (module(VOID, VOID), "sections, byte 14 (0xe): type section twice"),
    "out of order": (
        module(ONE[:0] + section(3, b"\0"), VOID),
        "sections, byte 11 (0xb): type section out of order",
    ),
    "tag after global": (
        module(section(6, b"\0"), section(13, b"\0")),
        "sections, byte 11 (0xb): tag section out of order",
    ),
    "data count after code": (
        module(section(10, b"\0"), section(12, b"\0")),
        "sections, byte 11 (0xb): data count section out of order",
    ),
    "bytes left over": (
        module(section(1, b"\0\0\0")),
        "type section, byte 11 (0xb): 2 bytes too many at the end",
    ),
    "custom without a name": (module(section(0, b"")), "custom section, byte 10 (0xa): ends too early"),
    "custom name too long": (
        module(section(0, b"\x05ab")),
        "custom section, byte 10 (0xa): name of 5 bytes, but only 2 are left",
    ),
    "custom name not text": (module(custom(b"a\xff")), "custom section, byte 12 (0xc): name is not UTF-8"),
    "absurd count of types": (
        module(section(1, u(2**32 - 1))),
        "type section, byte 10 (0xa): 4294967295 types cannot stand in the 0 bytes left",
    ),
    "unknown form of type": (
        module(section(1, vec([b"\x5d\0"]))),
        "type section, byte 11 (0xb): unknown form of type 0x5d",
    ),
    "unknown value type": (
        module(section(1, vec([b"\x60" + vec([b"\x40"]) + vec([])]))),
        "type section, byte 13 (0xd): unknown value type 0x40",
    ),
    "unknown heap type": (
        module(section(1, vec([b"\x60" + vec([b"\x63\x67"]) + vec([])]))),
        "type section, byte 14 (0xe): unknown heap type -25",
    ),
    "too many parameters": (
        module(section(1, vec([b"\x60" + vec([b"\x7f"] * 1001) + vec([])]))),
        "type section, byte 13 (0xd): 1001 parameters are more than the 1000 allowed",
    ),
    "unknown mutability": (
        module(section(1, vec([b"\x5e\x7f\2"]))),
        "type section, byte 13 (0xd): unknown mutability 0x02",
    ),
    "import of an unknown kind": (
        module(VOID, section(2, vec([name("e") + name("x") + b"\5\0"]))),
        "import section, byte 21 (0x15): unknown kind 0x05",
    ),
    "import name not text": (
        module(VOID, section(2, vec([name("e") + name(b"\xff") + b"\0\0"]))),
        "import section, byte 20 (0x14): import name is not UTF-8",
    ),
    "import of a type that is not there": (
        module(VOID, section(2, vec([name("e") + name("x") + b"\0\7"]))),
        "import section, byte 22 (0x16): type 7, but there are 1",
    ),
    "function of a struct type": (
        module(section(1, vec([b"\x5f\0"])), ONE),
        "function section, byte 16 (0x10): type 0 is of a struct, not of a function",
    ),
    "table of numbers": (
        module(section(4, vec([b"\x7f" + limits(1)]))),
        "table section, byte 11 (0xb): table of i32",
    ),
    "unknown memory flags": (
        module(section(5, vec([b"\x08\1\0"]))),
        "memory section, byte 11 (0xb): unknown memory flags 0x08",
    ),
    "memory that shrinks": (
        module(section(5, vec([limits(3, 2)]))),
        "memory section, byte 11 (0xb): memory of at least 3 and at most 2",
    ),
    "memory beyond 4 GiB": (
        module(section(5, vec([limits(1, 65537)]))),
        "memory section, byte 11 (0xb): memory of more than 65536 pages",
    ),
    "memory64 beyond everything": (
        module(section(5, vec([limits(2**48 + 1, wide=True)]))),
        "memory section, byte 11 (0xb): memory of more than 281474976710656 pages",
    ),
    "shared memory without end": (
        module(section(5, vec([limits(1, shared=True)]))),
        "memory section, byte 11 (0xb): shared memory without a maximum",
    ),
    "tag of an unknown attribute": (
        module(VOID, section(13, vec([b"\1\0"]))),
        "tag section, byte 17 (0x11): unknown attribute of a tag",
    ),
    "global computed by a call": (
        module(section(6, vec([b"\x7f\0\x10\0\x0b"]))),
        "global section, byte 13 (0xd): instruction 0x10 in a constant expression",
    ),
    "global computed by SIMD": (
        module(section(6, vec([b"\x7b\0\xfd\x0d\x0b"]))),
        "global section, byte 13 (0xd): instruction 0xfd 13 in a constant expression",
    ),
    "constant expression without end": (
        module(section(6, vec([b"\x7f\0\x41\0"]))),
        "global section, byte 15 (0xf): ends too early",
    ),
    "export twice": (
        module(VOID, ONE, section(7, vec([name("f") + b"\0\0"] * 2)), CODE),
        "export section, byte 25 (0x19): 'f' is exported twice",
    ),
    "export of nothing": (
        module(VOID, section(7, vec([name("f") + b"\0\0"]))),
        "export section, byte 20 (0x14): func 0, but there are 0",
    ),
    "export of a memory that is not there": (
        module(section(7, vec([name("m") + b"\2\1"]))),
        "export section, byte 14 (0xe): memory 1, but there are 0",
    ),
    "start with parameters": (
        module(section(1, vec([function_type("i32 -> void")])), ONE, section(8, u(0)), CODE),
        "start section, byte 21 (0x15): start function is of type i32 -> void",
    ),
    "fewer bodies than functions": (
        module(VOID, ONE, section(10, vec([]))),
        "code section, byte 20 (0x14): 0 function bodies for 1 functions",
    ),
    "no bodies": (module(VOID, ONE), "sections, byte 18 (0x12): 1 functions, but no code section"),
    "body beyond the section": (
        module(VOID, ONE, section(10, vec([b"\x20\0"]))),
        "code section, byte 21 (0x15): function body of 32 bytes, but only 1 are left",
    ),
    "body beyond reason": (
        module(VOID, ONE, section(10, vec([u(7_654_322)]))),
        "code section, byte 21 (0x15): function body of 7654322 bytes is larger than the 7654321 allowed",
    ),
    "segments not as announced": (
        module(section(12, u(2)), section(11, vec([b"\1\0"]))),
        "data section, byte 13 (0xd): 1 data segments, but 2 were announced",
    ),
    "segments announced and not there": (
        module(section(12, u(2))),
        "sections, byte 11 (0xb): 2 data segments were announced, but there are none",
    ),
    "more segments announced than allowed": (
        module(section(12, u(100_001))),
        "data count section, byte 10 (0xa): 100001 data segments are more than the 100000 allowed",
    ),
}


@pytest.mark.parametrize(("data", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(data: bytes, message: str) -> None:
    assert complaint(data) == message


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (
            b"\x1f\x8b\x08",
            "this is gzip: unpack it first, the module is the file plugin.wasm or filter.wasm inside",
        ),
        (b"(module)", "this is WebAssembly text: assemble it first, for example with wat2wasm"),
        (b"\x7fELF\2\1", "this is a native program: compile for a WebAssembly target"),
        (b"!<arch>\n", "this is a static library: link it into a module"),
        (b"<!doctype html>", "this is a web page: the download did not give the file"),
        (
            MAGIC + b"\x0d\0\1\0",
            "Envoy runs core modules: build for wasm32-wasip1 or wasm32-unknown-unknown, not wasm32-wasip2",
        ),
        (b"hello", None),
    ],
    ids=["gzip", "text", "native", "archive", "web page", "component", "anything"],
)
def test_what_was_mistaken_for_a_module_is_told(data: bytes, hint: str | None) -> None:
    with pytest.raises(ModuleInvalid) as caught:
        read_module(data)
    assert caught.value.hint == hint


@pytest.mark.parametrize("end", sorted(set(range(len(RIGHT))) - BETWEEN_SECTIONS))
def test_a_module_cut_inside_a_section_is_invalid(end: int) -> None:
    with pytest.raises(ModuleInvalid) as caught:
        read_module(RIGHT[:end])
    assert caught.value.offset <= end


def test_an_invalid_module_is_a_usage_error() -> None:
    with pytest.raises(UsageError) as caught:
        read_module(b"")
    assert caught.value.exit_code == 2


def test_a_module_of_too_many_bytes_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_module, "MAX_MODULE_BYTES", 8)
    assert complaint(HEADER + b"\xff") == "header, byte 0 (0x0): 9 bytes are more than the 8 allowed"


def test_groups_of_types_do_not_hide_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_of_modules, "MAX_TYPES", 2)
    one = function_type("void -> void")
    data = module(section(1, vec([b"\x4e" + vec([one, one]), one])))
    assert complaint(data) == "type section, byte 19 (0x13): more than the 2 types allowed"


def test_a_module_of_too_many_sections_is_refused() -> None:
    assert (
        complaint(module(*[custom("")] * 10_001))
        == "sections, byte 30008 (0x7538): more than the 10000 sections allowed"
    )
