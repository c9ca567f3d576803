"""Taking exports out of modules: which, and that nothing else changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.wasm_encoder import custom, name_section, proxy_module
from weft.toolchains.callbacks import without_idle_callbacks
from weft.wasm import ModuleInvalid, read_module

METHODS = {"proxy_on_log": ("on_log",), "proxy_on_done": ("on_done", "OnDone")}
EXPORTS = {"proxy_on_log": "i32 -> void", "proxy_on_done": "i32 -> i32", "proxy_on_delete": "i32 -> void"}
MODULE = proxy_module(exports=EXPORTS, tail=name_section({0: "f"}) + custom("producers", b"\0"))


def left(text: str) -> set[str]:
    names = read_module(without_idle_callbacks(MODULE, METHODS, text)).exported_functions()
    return {name.removeprefix("proxy_on_") for name in names if name.startswith("proxy_on_")}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("", {"delete"}, id="no method"),
        pytest.param("fn on_log(&mut self) {}", {"log", "delete"}, id="one"),
        pytest.param("// no on_done here", {"done", "delete"}, id="in a comment"),
        pytest.param("func (f *F) OnDone() {}", {"done", "delete"}, id="another name of the same"),
        pytest.param("on_logging; not_on_log; on_", {"delete"}, id="parts of words"),
        pytest.param("a.on_log-b.on_done", {"log", "done", "delete"}, id="between other signs"),
    ],
)
def test_an_export_stays_when_a_method_of_it_is_mentioned(text: str, kept: set[str]) -> None:
    assert left(text) == kept


def test_a_module_without_idle_callbacks_is_left_alone() -> None:
    assert without_idle_callbacks(MODULE, METHODS, "on_log on_done") is MODULE


def test_all_but_the_exports_stays_as_it_was() -> None:
    before, after = read_module(MODULE), read_module(without_idle_callbacks(MODULE, METHODS, ""))
    assert [export for export in before.exports if export.name not in METHODS] == list(after.exports)
    assert [section.name for section in before.sections] == [section.name for section in after.sections]
    assert [section.size for section in before.sections if section.name != "export"] == [
        section.size for section in after.sections if section.name != "export"
    ]
    assert after.function_names == {0: "f"}


@given(st.integers(0, 400), st.integers(0, 60))
def test_any_number_of_exports_is_written_so_that_it_reads(kept: int, dropped: int) -> None:
    names = [f"kept_{index}" for index in range(kept)] + [f"dropped_{index}" for index in range(dropped)]
    module = proxy_module(exports=dict.fromkeys(names, "void -> void"))
    methods = {name: (name,) for name in names if name.startswith("dropped")}
    exports = read_module(without_idle_callbacks(module, methods, "")).exports
    assert [export for export in read_module(module).exports if export.name not in methods] == list(exports)


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(ModuleInvalid):
        without_idle_callbacks(b"#!/bin/sh", METHODS, "")
