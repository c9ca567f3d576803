"""What is written comes back: every section, every kind of type."""

import pytest

from modules.wasm_encoder import (
    Program,
    body,
    custom,
    function_type,
    limits,
    module,
    name,
    proxy_module,
    returning,
    section,
    u,
    vec,
)
from weft.wasm import (
    Body,
    Export,
    FuncType,
    GlobalType,
    Import,
    Kind,
    MemoryType,
    Section,
    TableType,
    read_module,
)

NOTHING = FuncType()
BOTH = FuncType(("i32", "i64"), ("f64",))


def test_a_header_alone_is_a_module() -> None:
    read = read_module(module())
    assert (read.size, read.sections, read.functions, read.code_offset) == (8, (), (), None)


def test_imports_come_with_their_types() -> None:
    read = read_module(
        module(
            section(1, vec([function_type("i32 i64 -> f64")])),
            section(
                2,
                vec(
                    [
                        name("env") + name("f") + b"\0\0",
                        name("env") + name("t") + b"\1\x70" + limits(1, 9),
                        name("env") + name("m") + b"\2" + limits(2, 3, shared=True),
                        name("env") + name("g") + b"\3\x7e\1",
                        name("env") + name("e") + b"\4\0\0",
                    ]
                ),
            ),
        )
    )
    assert read.imports == (
        Import("env", "f", Kind.FUNC, BOTH),
        Import("env", "t", Kind.TABLE, TableType("funcref", 1, 9)),
        Import("env", "m", Kind.MEMORY, MemoryType(2, 3, shared=True)),
        Import("env", "g", Kind.GLOBAL, GlobalType("i64", mutable=True)),
        Import("env", "e", Kind.TAG, BOTH),
    )
    assert (read.functions, read.imported_functions) == ((BOTH,), 1)
    assert (len(read.tables), len(read.memories), len(read.globals), len(read.tags)) == (1, 1, 1, 1)


def test_functions_are_counted_after_the_imported_ones() -> None:
    read = read_module(
        Program(imports=[("env", "f", "i32 i64 -> f64")], functions={"g": "void -> void"}).encode()
    )
    assert read.functions == (BOTH, NOTHING)
    assert read.exports[0] == Export("g", Kind.FUNC, 1)
    assert read.exported_functions() == {"g": NOTHING}


def test_bodies_lie_where_a_backtrace_points() -> None:
    code = [returning("void -> i32"), body(b"\x01" * 200)]
    types = section(1, vec([function_type("void -> i32"), function_type("void -> void")]))
    data = module(types, section(3, vec([u(0), u(1)])), section(10, vec(code)))
    read = read_module(data)
    assert read.code_offset is not None
    assert [data[start : start + size] for start, size in read.bodies] == [code[0][1:], code[1][2:]]
    assert read.bodies[0] == Body(read.code_offset + 2, 4)


def test_exports_of_every_kind_know_their_type() -> None:
    read = read_module(
        module(
            section(1, vec([function_type("void -> void")])),
            section(3, vec([u(0)])),
            section(4, vec([b"\x6f" + limits(0), b"\x40\0\x70" + limits(1) + b"\xd0\x70\x0b"])),
            section(5, vec([limits(1), limits(2, 2**40, wide=True)])),
            section(13, vec([b"\0\0"])),
            section(6, vec([b"\x7f\0\x41\x2a\x0b"])),
            section(
                7,
                vec(
                    [
                        name("f") + b"\0\0",
                        name("t") + b"\1\1",
                        name("m") + b"\2\1",
                        name("g") + b"\3\0",
                        name("e") + b"\4\0",
                    ]
                ),
            ),
            section(10, vec([body(b"")])),
        )
    )
    assert {export.name: read.type_of(export) for export in read.exports} == {
        "f": NOTHING,
        "t": TableType("funcref", 1),
        "m": MemoryType(2, 2**40, wide=True),
        "g": GlobalType("i32"),
        "e": NOTHING,
    }


def test_a_start_function_is_seen() -> None:
    assert read_module(Program(functions={"go": "void -> void"}, start="go").encode()).start == 0


def test_data_and_element_segments_are_counted() -> None:
    read = read_module(
        module(
            section(1, vec([function_type("void -> void")])),
            section(3, vec([u(0)])),
            section(4, vec([b"\x70" + limits(1)])),
            section(5, vec([limits(1)])),
            section(9, vec([b"\0\x41\0\x0b" + vec([u(0)])])),
            section(12, u(2)),
            section(10, vec([body(b"")])),
            section(11, vec([b"\0\x41\0\x0b" + name("one"), b"\1" + name("two")])),
        )
    )
    assert read.data_count == 2


def test_sections_are_listed_with_their_place() -> None:
    data = module(section(1, vec([])), custom("hello", b"abc"), section(3, vec([])))
    read = read_module(data)
    assert read.sections == (
        Section("type", 10, 1),
        Section("hello", 13, 9, custom=True),
        Section("function", 24, 1),
    )


def test_padded_sizes_are_what_linkers_write() -> None:
    data = module(b"\x01" + u(2, width=5) + u(0, width=2))
    assert read_module(data).sections == (Section("type", 14, 2),)


GC = {
    "struct": b"\x5f" + vec([b"\x7f\1", b"\x78\0", b"\x77\1"]),
    "array": b"\x5e\x63\0\1",
    "open subtype": b"\x50\0\x5f\0",
    "final subtype": b"\x4f" + vec([u(0)]) + b"\x5f\0",
}


@pytest.mark.parametrize("encoded", GC.values(), ids=GC)
def test_garbage_collected_types_keep_their_number(encoded: bytes) -> None:
    read = read_module(module(section(1, vec([encoded, function_type("void -> void")]))))
    assert read.types[0] in {"struct", "array"}
    assert read.types[1] == NOTHING


def test_a_recursive_group_is_as_many_types_as_it_holds() -> None:
    group = b"\x4e" + vec([GC["struct"], function_type("i32 -> void")])
    read = read_module(module(section(1, vec([group, function_type("void -> void")]))))
    assert read.types == ("struct", FuncType(("i32",)), NOTHING)


@pytest.mark.parametrize(
    ("encoded", "shown"),
    [
        (b"\x7f", "i32"),
        (b"\x7e", "i64"),
        (b"\x7d", "f32"),
        (b"\x7c", "f64"),
        (b"\x7b", "v128"),
        (b"\x70", "funcref"),
        (b"\x6f", "externref"),
        (b"\x6e", "anyref"),
        (b"\x6d", "eqref"),
        (b"\x6c", "i31ref"),
        (b"\x6b", "structref"),
        (b"\x6a", "arrayref"),
        (b"\x69", "exnref"),
        (b"\x71", "nullref"),
        (b"\x72", "nullexternref"),
        (b"\x73", "nullfuncref"),
        (b"\x74", "nullexnref"),
        (b"\x63\x70", "funcref"),
        (b"\x64\x70", "(ref func)"),
        (b"\x64\xf0\x7f", "(ref func)"),
        (b"\x63\x05", "(ref null 5)"),
        (b"\x64\x80\x01", "(ref 128)"),
    ],
)
def test_value_types_are_called_by_their_names(encoded: bytes, shown: str) -> None:
    read = read_module(module(section(1, vec([b"\x60" + vec([encoded]) + vec([])]))))
    assert read.types == (FuncType((shown,)),)


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param(b"\x41\x7f", id="i32.const"),
        pytest.param(b"\x42\x80\x80\x04", id="i64.const"),
        pytest.param(b"\x43\x0b\x0b\x0b\x0b", id="f32.const, made of end bytes"),
        pytest.param(b"\x44" + b"\x0b" * 8, id="f64.const, made of end bytes"),
        pytest.param(b"\xfd\x0c" + b"\x0b" * 16, id="v128.const, made of end bytes"),
        pytest.param(b"\x23\0", id="global.get"),
        pytest.param(b"\xd0\x6f", id="ref.null"),
        pytest.param(b"\xd2\0", id="ref.func"),
        pytest.param(b"\x23\0\x41\x10\x6a", id="extended: add"),
        pytest.param(b"\x41\1\xfb\x1c", id="ref.i31"),
        pytest.param(b"\xfb\1\0", id="struct.new_default"),
        pytest.param(b"\xfb\x08\0\0", id="array.new_fixed"),
    ],
)
def test_a_global_may_begin_with_any_constant_expression(expression: bytes) -> None:
    read = read_module(module(section(6, vec([b"\x7f\0" + expression + b"\x0b", b"\x7e\1\x42\0\x0b"]))))
    assert read.globals == (GlobalType("i32"), GlobalType("i64", mutable=True))


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (FuncType(), "void -> void"),
        (FuncType(("i32", "i64"), ("i32",)), "i32 i64 -> i32"),
        (MemoryType(1), "1 page"),
        (MemoryType(2, 16), "2 to 16 pages"),
        (MemoryType(1, 1, shared=True), "1 page, shared"),
        (MemoryType(1, wide=True), "1 page, 64-bit"),
        (TableType("funcref", 1), "1 funcref"),
        (TableType("externref", 0, 9, wide=True), "0 to 9 externref, 64-bit"),
        (GlobalType("i32"), "i32"),
        (GlobalType("f64", mutable=True), "mut f64"),
    ],
)
def test_types_print_the_way_people_say_them(found: object, shown: str) -> None:
    assert str(found) == shown


def test_the_smallest_filter_reads() -> None:
    read = read_module(proxy_module())
    assert [export.name for export in read.exports] == ["proxy_abi_version_0_2_1", "malloc", "memory"]
