"""Backtraces in logs, whoever wrote them."""

import pytest

from modules.wasm_encoder import Program, body, name_section
from weft.symbols import Frame, Symbols, annotated, frame_lines, frames_in
from weft.wasm import read_module

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


def test_frames_are_found_in_a_log_of_envoys() -> None:
    assert list(frames_in(LOG)) == [
        Frame(0, 0x41C, "deep3"),
        Frame(1, 0x3F0, None),
        Frame(10, 0x78, "std::vector<int, std::allocator<int> >::at(unsigned long) - 1"),
    ]


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        pytest.param("    0:   0x41c - <unknown>!deep3", Frame(0, 0x41C, "deep3"), id="wasmtime"),
        pytest.param("    1:  0x3f0 - <unknown>!<wasm function 7>", Frame(1, 0x3F0, None), id="nameless"),
        pytest.param(
            "    at deep3 (wasm://wasm/3f8a:wasm-function[12]:0x41c)",
            Frame(None, 0x41C, "deep3"),
            id="V8",
        ),
        pytest.param(
            "    at wasm://wasm/3f8a:wasm-function[12]:0x41c", Frame(None, 0x41C, None), id="V8, no name"
        ),
        pytest.param("my_filter | error |   2:  0x9 - f", Frame(2, 9, "f"), id="as weft run shows it"),
        pytest.param("[info] nothing: 0x41c - here", None, id="no frame"),
        pytest.param("12:30: 0x is not a number - is it", None, id="no offset"),
    ],
)
def test_the_lines_of_other_engines_are_known_too(line: str, frame: Frame | None) -> None:
    assert next(frames_in(line), None) == frame


@pytest.fixture
def named() -> tuple[Symbols, int]:
    """A module with one function, and an offset in it."""
    functions = {"f": "void -> void"}
    tail = name_section({0: "_ZN4shop5priceEi"})
    data = Program(functions=functions, bodies={"f": body(b"\1\1")}, tail=tail).encode()
    return Symbols(data), read_module(data).bodies[0].offset + 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  0:  {at:#x} - unknown(function index:7)", "  0:  {at:#x} - shop::price(int)"),
        ("    1:   {at:#x} - <unknown>!_ZN4shop5priceEi", "    1:   {at:#x} - shop::price(int)"),
        ("pod-1 |   0:  {at:#x} - x", "pod-1 |   0:  {at:#x} - shop::price(int)"),
        ("    at x (wasm://wasm/3f8a:wasm-function[0]:{at:#x})", "    at shop::price(int)"),
        ("  0:  0xfffff - code of another module", "  0:  0xfffff - code of another module"),
        ("plain words", "plain words"),
        ("", ""),
    ],
)
def test_what_stands_around_a_frame_stays(named: tuple[Symbols, int], before: str, after: str) -> None:
    symbols, at = named
    assert list(annotated([before.format(at=at)], symbols)) == [after.format(at=at)]


def test_functions_around_inlined_code_have_lines_of_their_own() -> None:
    assert frame_lines("  0:  0x41c ", ["inner at a.cc:1:2", "outer at a.cc:9"]) == [
        "  0:  0x41c - inner at a.cc:1:2",
        "            - outer at a.cc:9",
    ]
