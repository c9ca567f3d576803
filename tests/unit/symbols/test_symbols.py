"""What stands at an offset: by the names a module keeps, and by debug information."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from modules.dwarf_encoder import Copy, debug_info, debug_line, debug_ranges, sections
from modules.dwarf_encoder import Function as Noted
from modules.wasm_encoder import Program, body, custom, function_type, name_section, section, u, vec
from modules.wasm_encoder import module as encode
from weft.symbols import Function, Symbols
from weft.wasm import Module, ModuleInvalid, read_module

FUNCTIONS = {"first": "void -> i32", "second": "void -> void", "third": "i32 -> i64"}
BODIES = {"second": body(b"\x01" * 60)}
IMPORTS = [("env", "proxy_done", "void -> i32")]


def program(tail: bytes = b"") -> bytes:
    return Program(imports=IMPORTS, functions=FUNCTIONS, bodies=BODIES, tail=tail).encode()


def place_of(function: str, module: Module) -> tuple[int, int]:
    """Where the code of one of the functions begins and ends."""
    start, size = module.bodies[list(FUNCTIONS).index(function)]
    return start, start + size


PLAIN = read_module(program())
CODE = PLAIN.code_offset or 0
START, END = (at - CODE for at in place_of("second", PLAIN))
"""Of the second function, as debug information counts."""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_offset_belongs_to_the_function_around_it(function: str) -> None:
    data = program(name_section({index + 1: f"inner {name}" for index, name in enumerate(FUNCTIONS)}))
    symbols, (start, end) = Symbols(data), place_of(function, read_module(data))
    assert {symbols.at(offset) for offset in range(start, end)} == {(Function(f"inner {function}"),)}
    assert symbols.at(start - 1) == ()  # the size before it is nobody's code


def test_without_names_an_export_serves() -> None:
    symbols = Symbols(program())
    assert symbols.at(place_of("second", PLAIN)[0]) == (Function("second"),)
    assert not symbols.exist


def test_without_any_name_the_number_serves() -> None:
    types = section(1, vec([function_type("void -> void")]))
    data = encode(types, section(3, vec([u(0)])), section(10, vec([body(b"")])))
    assert Symbols(data).at(read_module(data).bodies[0].offset) == (Function("function 0"),)


@pytest.mark.parametrize("offset", [-1, 0, 9, 10**9])
def test_where_no_code_is_there_is_no_name(offset: int) -> None:
    assert Symbols(program()).at(offset) == ()


def test_a_module_without_code_has_no_names() -> None:
    assert Symbols(b"\0asm\1\0\0\0").at(8) == ()


def test_what_is_no_module_has_no_symbols() -> None:
    with pytest.raises(ModuleInvalid):
        Symbols(b"no")


def test_names_of_the_name_section_are_demangled() -> None:
    data = program(name_section({2: "_ZN4shop5priceERKi"}))
    assert Symbols(data).at(place_of("second", PLAIN)[0]) == (Function("shop::price(int const&)"),)


NOTED = [
    Noted("at"),
    Noted("inner"),
    Noted(
        "second",
        START,
        END,
        linkage_name="_ZN4shop6secondEv",
        copies=(Copy(1, START + 10, START + 30, 7, 9), Copy(0, START + 12, START + 20, 3)),
    ),
]
ROWS = [(START, 5, 1), (START + 11, 3, 2), (START + 12, 1, 14), (START + 20, 4, 0)]


def noted(*, folder: str = "/src", files: tuple[str, ...] = ("shop.cc",), ranges: bool = False) -> bytes:
    spans = ((0xFFFF_FFFE, 0xFFFF_FFFE), (1, 2), (START, END)) if ranges else ()
    return program(
        sections(
            debug_info=debug_info(NOTED, (START, END), folder=folder, ranges=ranges),
            debug_line=debug_line(ROWS, END, files=files),
            debug_ranges=debug_ranges(*spans),
        )
    )


@pytest.mark.parametrize(
    ("into", "functions"),
    [
        pytest.param(0, ["shop::second() at shop.cc:5:1"], id="its own code"),
        pytest.param(11, ["inner at shop.cc:3:2", "shop::second() at shop.cc:7:9"], id="inlined"),
        pytest.param(
            15,
            ["at at shop.cc:1:14", "inner at shop.cc:3", "shop::second() at shop.cc:7:9"],
            id="twice",
        ),
        pytest.param(20, ["inner at shop.cc:4", "shop::second() at shop.cc:7:9"], id="no column"),
        pytest.param(30, ["shop::second() at shop.cc:4"], id="behind the copy"),
    ],
)
@pytest.mark.parametrize("ranges", [False, True], ids=["one range", "a list of ranges"])
def test_debug_information_gives_files_lines_and_inlined_functions(
    into: int, functions: list[str], ranges: bool
) -> None:
    symbols = Symbols(noted(ranges=ranges))
    assert symbols.exist
    assert [str(function) for function in symbols.at(CODE + START + into)] == functions


@pytest.mark.parametrize(
    ("folder", "name", "shown"),
    [
        pytest.param("/src", "shop.cc", "shop.cc", id="where the compiler ran"),
        pytest.param("/src", "/src/lib/shop.cc", "lib/shop.cc", id="below it"),
        pytest.param("/src", "/usr/include/x.h", "/usr/include/x.h", id="elsewhere"),
        pytest.param("cargo/log-0.4", "src/lib.rs", "cargo/log-0.4/src/lib.rs", id="the folder is hidden"),
        pytest.param(".", "src/lib.rs", "src/lib.rs", id="the folder is a dot"),
        pytest.param("", "src/lib.rs", "src/lib.rs", id="no folder"),
    ],
)
def test_files_are_named_as_the_project_knows_them(folder: str, name: str, shown: str) -> None:
    [function] = Symbols(noted(folder=folder, files=(name,))).at(CODE + START)
    assert function.file == shown


def test_code_that_the_debug_information_leaves_out_has_its_name() -> None:
    assert Symbols(noted()).at(place_of("third", PLAIN)[0]) == (Function("third"),)


def test_a_file_that_is_not_listed_is_left_out() -> None:
    assert [str(function) for function in Symbols(noted(files=())).at(CODE + START)] == ["shop::second()"]


def test_debug_information_without_its_other_sections_says_nothing() -> None:
    info = custom(".debug_info", debug_info(NOTED, (START, END)))
    assert Symbols(program(info)).at(CODE + START) == (Function("second"),)


@given(
    some.lists(
        some.tuples(some.floats(0, 1), some.integers(0, 4), some.binary(max_size=5)), min_size=1, max_size=5
    )
)
def test_damaged_debug_information_is_survived(changes: list[tuple[float, int, bytes]]) -> None:
    parts = {
        "debug_info": debug_info(NOTED, (START, END)),
        "debug_line": debug_line(ROWS, END),
    }
    for number, (place, removed, inserted) in enumerate(changes):
        title = sorted(parts)[number % 2]
        at = int(place * len(parts[title]))
        parts[title] = parts[title][:at] + inserted + parts[title][at + removed :]
    found = Symbols(program(sections(**parts))).at(CODE + START + 15)
    assert all(function.name for function in found)
