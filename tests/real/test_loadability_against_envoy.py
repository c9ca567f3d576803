"""The ABI tables and the rules against the Envoy they were measured on: it must do what weft says.

One module can carry a whole table: Envoy compares the type of every import and of every export it knows, so
a module with all rows loads only when all rows are right. What must be refused takes a module each.
"""

import os

import pytest

from cases.loadability import CASES, Case
from modules.wasm_encoder import proxy_module
from parts import envoy_binary
from weft.envoy import Outcome, Verdict, validate
from weft.wasm import (
    ABI_VERSIONS,
    CALLBACKS,
    ENTRY_POINTS,
    ENVOY_VERSION,
    HOST_FUNCTIONS,
    WASI_MODULES,
    Effect,
    loadability,
    read_module,
)

pytestmark = pytest.mark.real("envoy")


async def ask(data: bytes) -> Verdict:
    envoy = envoy_binary()
    assert envoy is not None
    return await validate(envoy, data, env=os.environ)


def foretold(data: bytes) -> list[str | None]:
    """The words weft expects of Envoy."""
    return [problem.envoy for problem in loadability(read_module(data)) if problem.effect is Effect.REFUSED]


def marker(abi: str) -> str:
    return abi.replace(".", "_")


@pytest.mark.parametrize("abi", ABI_VERSIONS)
async def test_all_host_functions_of_a_version_link(abi: str) -> None:
    rows = [row for row in HOST_FUNCTIONS if abi in row.abis]
    imports = [(row.module, row.name, str(row.signature)) for row in rows]
    assert await ask(proxy_module(abi=marker(abi), imports=imports)) == Verdict(Outcome.LOADED, ENVOY_VERSION)


OF_OTHER_VERSIONS = [
    (abi, row.module, row.name, str(row.signature))
    for row in HOST_FUNCTIONS
    for abi in ABI_VERSIONS
    if abi not in row.abis
]
# In specifications and SDKs, and not in Envoy.
OF_NOBODY = [
    ("env", "proxy_remove_metric", "i32 -> i32"),
    ("env", "proxy_dispatch_http_call", "i32 -> i32"),
    ("env", "proxy_get_buffer", "i32 -> i32"),
    ("env", "proxy_create_timer", "i32 -> i32"),
    ("env", "proxy_get_http_fields", "i32 -> i32"),
    ("env", "emscripten_memcpy_big", "i32 i32 i32 -> i32"),
    ("env", "abort", "i32 i32 i32 i32 -> void"),
    *((module, "proc_raise", "i32 -> i32") for module in WASI_MODULES),
]
MISSING = OF_OTHER_VERSIONS + [("0.2.1", *row) for row in OF_NOBODY]


@pytest.mark.parametrize(
    ("abi", "module", "name", "signature"), MISSING, ids=[f"{row[0]}-{row[1]}.{row[2]}" for row in MISSING]
)
async def test_no_other_host_function_links(abi: str, module: str, name: str, signature: str) -> None:
    data = proxy_module(abi=marker(abi), imports=[(module, name, signature)])
    verdict = await ask(data)
    assert verdict.outcome is Outcome.REFUSED
    assert list(verdict.words) == foretold(data)


@pytest.mark.parametrize("abi", ABI_VERSIONS)
@pytest.mark.parametrize("entry", ENTRY_POINTS)
async def test_all_callbacks_of_a_version_are_taken(abi: str, entry: str) -> None:
    rows = [*(row for row in CALLBACKS if abi in row.abis), *ENTRY_POINTS[entry]]
    exports = {row.name: str(row.signature) for row in rows}
    verdict = await ask(proxy_module(abi=marker(abi), exports=exports))
    assert verdict == Verdict(Outcome.LOADED, ENVOY_VERSION)


@pytest.mark.parametrize("abi", ABI_VERSIONS)
@pytest.mark.parametrize("entry", ENTRY_POINTS)
async def test_every_callback_of_a_wrong_type_is_refused(abi: str, entry: str) -> None:
    names = {row.name for row in (*CALLBACKS, *ENTRY_POINTS[entry])}
    data = proxy_module(abi=marker(abi), exports=dict.fromkeys(sorted(names), "f32 -> f64"))
    verdict = await ask(data)
    assert verdict.outcome is Outcome.REFUSED
    assert sorted(verdict.words) == sorted(filter(None, foretold(data)))


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_envoy_does_what_weft_says(case: Case) -> None:
    verdict = await ask(case.data)
    effects = {effect for _, effect, _ in case.problems}
    expected = Outcome.LOADED
    if Effect.CRASHES in effects:
        expected = Outcome.CRASHED
    elif Effect.REFUSED in effects:
        expected = Outcome.REFUSED
    assert verdict.outcome is expected
    if expected is Outcome.REFUSED:
        assert list(verdict.words) == case.envoy
