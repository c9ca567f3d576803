"""What a module says about itself as a filter."""

import pytest

from modules.wasm_encoder import Program, limits, proxy_module
from weft.wasm import describe, read_module


def marked(*versions: str, **more: str) -> bytes:
    exports = dict.fromkeys((f"proxy_abi_version_{version}" for version in versions), "void -> void")
    return proxy_module(abi=None, exports=exports | more)


@pytest.mark.parametrize(
    ("data", "version", "shown"),
    [
        pytest.param(marked("0_1_0"), "0.1.0", "0.1.0", id="0.1.0"),
        pytest.param(marked("0_2_0"), "0.2.0", "0.2.0", id="0.2.0"),
        pytest.param(marked("0_2_1"), "0.2.1", "0.2.1", id="0.2.1"),
        pytest.param(marked("0_3_0"), None, "0.3.0 (unknown to Envoy)", id="future"),
        pytest.param(marked("0_3_0", "0_2_1"), "0.2.1", "0.2.1", id="the first Envoy knows"),
        pytest.param(marked("0_1_0", "0_2_1"), "0.1.0", "0.1.0", id="both, old first"),
        pytest.param(marked("0_2_1", "0_1_0"), "0.2.1", "0.2.1", id="both, new first"),
        pytest.param(marked(proxy_on_tick="i32 -> void"), None, "none (before 0.1.0)", id="before 0.1.0"),
        pytest.param(marked(), None, "none (not a filter)", id="not a filter"),
        pytest.param(marked("x", "0_2_1_"), None, "none (not a filter)", id="almost a marker"),
    ],
)
def test_the_abi_version_is_the_first_marker_envoy_knows(
    data: bytes, version: str | None, shown: str
) -> None:
    described = describe(read_module(data))
    assert (described.abi_version, described.abi) == (version, shown)


def test_a_marker_must_be_a_function() -> None:
    program = Program(functions={"malloc": "i32 -> i32"}, memory_name="proxy_abi_version_0_2_1")
    assert describe(read_module(program.encode())).abi_markers == ()


@pytest.mark.parametrize(
    ("exports", "entry"),
    [
        ((), None),
        (("_start",), "_start"),
        (("_initialize",), "_initialize"),
        (("_start", "_initialize"), "_initialize"),
    ],
)
def test_a_reactor_is_one_also_when_it_has_a_start(exports: tuple[str, ...], entry: str | None) -> None:
    data = proxy_module(exports=dict.fromkeys(exports, "void -> void"))
    assert describe(read_module(data)).entry_point == entry


@pytest.mark.parametrize(
    "allocators",
    [(), ("malloc",), ("proxy_on_memory_allocate",), ("malloc", "proxy_on_memory_allocate")],
)
def test_allocators_are_listed_in_the_order_envoy_tries_them(allocators: tuple[str, ...]) -> None:
    data = proxy_module(allocator=None, exports=dict.fromkeys(reversed(allocators), "i32 -> i32"))
    assert describe(read_module(data)).allocators == allocators


@pytest.mark.parametrize(
    ("modules", "flavours"),
    [
        ((), ()),
        (("wasi_unstable",), ("wasi_unstable",)),
        (("wasi_snapshot_preview1",), ("wasi_snapshot_preview1",)),
        (("wasi_snapshot_preview1", "wasi_unstable"), ("wasi_unstable", "wasi_snapshot_preview1")),
        (("env", "wasi:cli/run"), ()),
    ],
)
def test_the_flavour_of_wasi_is_where_functions_come_from(
    modules: tuple[str, ...], flavours: tuple[str, ...]
) -> None:
    data = proxy_module(imports=[(module, "proc_exit", "i32 -> void") for module in modules])
    assert describe(read_module(data)).wasi == flavours


def test_host_functions_are_grouped_by_module_and_named_once() -> None:
    log = ("env", "proxy_log", "i32 i32 i32 -> i32")
    data = proxy_module(
        imports=[
            log,
            ("wasi_unstable", "proc_exit", "i32 -> void"),
            ("env", "proxy_done", "void -> i32"),
            log,
        ],
        other_imports=[b"\x03env\x05table\x01\x70" + limits(1)],
    )
    assert describe(read_module(data)).host_functions == {
        "env": ("proxy_log", "proxy_done"),
        "wasi_unstable": ("proc_exit",),
    }


def test_callbacks_are_what_envoy_calls_under_that_version() -> None:
    exports = {
        "proxy_on_tick": "i32 -> void",
        "proxy_on_foreign_function": "i32 i32 i32 -> void",
        "helper": "void -> void",
    }
    new, old = (describe(read_module(proxy_module(abi=abi, exports=exports))) for abi in ("0_2_1", "0_1_0"))
    assert new.callbacks == ("proxy_on_tick", "proxy_on_foreign_function")
    assert old.callbacks == ("proxy_on_tick",)
