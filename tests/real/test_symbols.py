"""A crash in a module of a real compiler: functions, files and lines, on Envoy and on the test host."""

import re
from pathlib import Path

import pytest

from modules.compiling import build, make_project
from modules.cpp import compile_cpp
from weft.symbols import Symbols, annotated
from weft.testhost import Code, HeaderMap, Host
from weft.testhost import Plugin as Told
from weft.wasm import read_module
from worlds.bare_envoy import Plugin, running

CPP = """\
#include "proxy_wasm_intrinsics.h"
namespace shop {
inline int look_up(const std::string& path) {
  if (path == "/bad") __builtin_trap();
  return 1;
}
[[gnu::noinline]] int price(const std::string& path) {
  return look_up(path) + 1;
}
}
struct Stream : public Context {
  using Context::Context;
  FilterHeadersStatus onRequestHeaders(uint32_t, bool) override {
    addRequestHeader("price", std::to_string(shop::price(getRequestHeader(":path")->toString())));
    return FilterHeadersStatus::Continue;
  }
};
static RegisterContextFactory filter(CONTEXT_FACTORY(Stream), "my_filter");
"""
CPP_FRAMES = [
    r"  0:  0x[0-9a-f]+ - shop::look_up\(std::.*\) at (\./)?filter\.cc:4:23",
    r" +- shop::price\(std::.*\) at (\./)?filter\.cc:8:10",
    r"  1:  0x[0-9a-f]+ - Stream::onRequestHeaders\(unsigned int, bool\) at (\./)?filter\.cc:14:46",
]


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_cpp(tmp_path_factory.mktemp("crashing"), {"filter.cc": CPP}, symbols="full")


def host_failure(module: bytes) -> list[str]:
    """What the test host says of a request for /bad."""
    host = Host.start(Code.load(module), Told(root_id="my_filter"))
    host.stream().request_headers(HeaderMap([(":method", "GET"), (":path", "/bad")]), end=True)
    assert host.vm.failure is not None
    return host.vm.failure.splitlines()


def check_frames(lines: list[str], patterns: list[str]) -> None:
    for line, pattern in zip(lines, patterns, strict=False):
        assert re.fullmatch(pattern, line), line


@pytest.mark.real("cpp")
def test_the_test_host_shows_file_and_line_of_a_cpp_crash(crashing: Path) -> None:
    lines = host_failure(crashing.read_bytes())
    assert lines[:2] == [
        "Function: proxy_on_request_headers failed: Uncaught RuntimeError: unreachable",
        "Proxy-Wasm plugin in-VM backtrace:",
    ]
    check_frames(lines[2:], CPP_FRAMES)


@pytest.mark.real("cpp")
def test_a_build_with_debug_information_explains_the_crash_of_one_without(
    crashing: Path, tmp_path: Path
) -> None:
    published = compile_cpp(tmp_path, {"filter.cc": CPP}).read_bytes()
    trace = host_failure(published)
    assert not any("filter.cc" in line for line in trace)
    shown = list(annotated(trace, Symbols(crashing.read_bytes())))
    assert shown == host_failure(crashing.read_bytes())


@pytest.mark.real("cpp", "envoy")
def test_envoys_backtrace_becomes_what_the_test_host_shows(crashing: Path, tmp_path: Path) -> None:
    with running(tmp_path, Plugin(crashing)) as envoy:
        assert envoy.ask("/bad").status == 503
        envoy.logged(r"(onRequestHeaders)")
        log = envoy.log().partition("in-VM backtrace:\n")[2]
    trace = log.partition("\n[")[0].splitlines()
    shown = list(annotated(trace, Symbols(crashing.read_bytes())))
    assert shown == host_failure(crashing.read_bytes())[2:]
    check_frames(shown, CPP_FRAMES)


RUST = {
    "Cargo.toml": """
[package]
name = "my-filter"
version = "0.1.0"
edition = "2024"
[lib]
crate-type = ["cdylib"]
[profile.release]
debug = "limited"
panic = "abort"
""",
    "Cargo.lock": """
version = 4
[[package]]
name = "my-filter"
version = "0.1.0"
""",
    "src/lib.rs": """\
#[inline(always)]
fn inner(x: u32) -> u32 {
    if x == 2 { std::process::abort() } else { x }
}
#[unsafe(no_mangle)]
pub extern "C" fn outer(x: u32) -> u32 {
    inner(x) + 1
}
""",
}


@pytest.mark.real("rust")
def test_rust_names_files_and_lines_are_read(tmp_path: Path) -> None:
    data = build(make_project(tmp_path / "p", "rust", RUST), tmp_path / "cache")
    module, symbols = read_module(data), Symbols(data)
    start = symbols.offset_of(next(at for at, name in module.function_names.items() if name == "outer"))
    shown = {" < ".join(map(str, symbols.at(at))) for at in range(start, start + 40)}
    assert any(
        re.fullmatch(r"my_filter::inner at src/lib\.rs:3(:\d+)? < outer at src/lib\.rs:7(:\d+)?", one)
        for one in shown
    ), shown
