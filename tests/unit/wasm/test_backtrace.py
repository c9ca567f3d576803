"""Whose code an offset is in, and what Envoy's backtraces say."""

import pytest

from wasm_encoder import Program, body, function_type, name_section, section, u, vec
from wasm_encoder import module as encode
from weft.wasm import Frame, parse_backtrace, read_module, symbolize

# As Envoy 1.40 wrote it, with the words of its log around it.
LOG = """\
[2026-11-20 22:12:25.206][19939][error][wasm] [source/extensions/common/wasm/wasm_vm.cc:38] Function: \
proxy_on_request_headers failed: Uncaught RuntimeError: unreachable
Proxy-Wasm plugin in-VM backtrace:
  0:  0x41c - deep3
  1:  0x3f0 - unknown(function index:7)
 10:  0x78 - std::vector<int, std::allocator<int> >::at(unsigned long) - 1
[2026-11-20 22:12:25.207][19939][critical][wasm] [source/extensions/common/wasm/wasm.cc:626] Plugin p failed
"""


def test_frames_are_found_in_a_log() -> None:
    assert list(parse_backtrace(LOG)) == [
        Frame(0, 0x41C, "deep3"),
        Frame(1, 0x3F0, None),
        Frame(10, 0x78, "std::vector<int, std::allocator<int> >::at(unsigned long) - 1"),
    ]


def test_a_log_without_a_backtrace_has_no_frames() -> None:
    assert list(parse_backtrace("[info] nothing: 0x41c - here\n")) == []


FUNCTIONS = {"first": "void -> i32", "second": "void -> void", "third": "i32 -> i64"}
IMPORTS = [("env", "proxy_done", "void -> i32")]


def places(tail: bytes = b"", offset_of: str = "second") -> tuple[bytes, int, int]:
    """A module, and where the code of one of its functions begins and ends."""
    data = Program(imports=IMPORTS, functions=FUNCTIONS, tail=tail).encode()
    start, size = read_module(data).bodies[list(FUNCTIONS).index(offset_of)]
    return data, start, start + size


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_offset_belongs_to_the_function_around_it(function: str) -> None:
    names = name_section({index + 1: f"inner {name}" for index, name in enumerate(FUNCTIONS)})
    data, start, end = places(names, function)
    module = read_module(data)
    assert {symbolize(module, offset) for offset in range(start, end)} == {f"inner {function}"}
    assert symbolize(module, start - 1) is None  # the size before it is nobody's code


def test_without_names_an_export_serves() -> None:
    data, start, _ = places()
    assert symbolize(read_module(data), start) == "second"


def test_without_any_name_the_number_serves() -> None:
    types = section(1, vec([function_type("void -> void")]))
    module = read_module(encode(types, section(3, vec([u(0)])), section(10, vec([body(b"")]))))
    assert symbolize(module, module.bodies[0].offset) == "function 0"


@pytest.mark.parametrize("offset", [-1, 0, 9, 10**9])
def test_where_no_code_is_there_is_no_name(offset: int) -> None:
    assert symbolize(read_module(places()[0]), offset) is None


def test_a_module_without_code_has_no_names() -> None:
    assert symbolize(read_module(b"\0asm\1\0\0\0"), 8) is None
