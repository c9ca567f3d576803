"""Would Envoy load it: every rule, in words a filter's author understands.

Each case is also given to the real Envoy, in tests/real/test_loadability_against_envoy.py.
"""

import pytest

from cases.loadability import CASES, Case
from modules.wasm_encoder import proxy_module
from weft.wasm import RULES, Effect, Problem, loadability, read_module


def found(case: Case) -> list[Problem]:
    return loadability(read_module(case.data))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_case_is_judged(case: Case) -> None:
    assert [(problem.rule, problem.effect, problem.message) for problem in found(case)] == case.problems


@pytest.mark.parametrize("case", [case for case in CASES if case.envoy], ids=str)
def test_envoys_words_are_foretold(case: Case) -> None:
    assert [problem.envoy for problem in found(case) if problem.effect is Effect.REFUSED] == case.envoy


def test_every_rule_is_broken_by_a_case() -> None:
    assert {rule for case in CASES for rule, *_ in case.problems} == {rule.name for rule in RULES}


def test_problems_come_in_the_order_of_the_rules() -> None:
    order = [rule.name for rule in RULES]
    for case in CASES:
        places = [order.index(problem.rule) for problem in found(case)]
        assert places == sorted(places)


HINTS = {
    "env.abort": "AssemblyScript: compile with --use abort=<a function of your own>",
    "env.__cxa_throw": "C++ exceptions: compile with -fno-exceptions",
    "wasi_snapshot_preview1.proc_raise": "wasi-libc's raise() and abort(): call __builtin_trap() instead",
    "wasi:cli/environment.get-environment": "a WASI 0.2 import: build for wasm32-wasip1, not wasm32-wasip2",
    "__wbindgen_placeholder__.throw": "wasm-bindgen needs JavaScript: build without it",
    "gojs.runtime.scheduleTimeoutEvent": "Go for the browser: build with GOOS=wasip1 -buildmode=c-shared",
    "env.proxy_dispatch_http_call": "no released ABI version has it; check the name and the SDK's version",
    "env.my_helper": "a function that was declared but never linked in",
    "elsewhere.thing": None,
}


@pytest.mark.parametrize(("label", "hint"), HINTS.items(), ids=HINTS)
def test_a_missing_import_says_where_it_usually_comes_from(label: str, hint: str | None) -> None:
    module, _, name = label.partition(".")
    data = proxy_module(imports=[(module, name, "i32 -> void")], exports={"proxy_on_tick": "i32 -> void"})
    assert [problem.hint for problem in loadability(read_module(data))] == [hint]
