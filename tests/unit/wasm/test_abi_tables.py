"""The two sides of the ABI as tables: each row once, in every version it belongs to.

That the rows are right is not tested here but against Envoy: tests/real/test_loadability_against_envoy.py.
"""

from collections import Counter

import pytest

from weft.wasm import ABI_VERSIONS, CALLBACKS, HOST_FUNCTIONS, WASI_MODULES, FuncType


def test_no_host_function_stands_twice() -> None:
    assert max(Counter((row.module, row.name) for row in HOST_FUNCTIONS).values()) == 1


def test_no_callback_stands_twice_in_one_version() -> None:
    for abi in ABI_VERSIONS:
        assert max(Counter(row.name for row in CALLBACKS if abi in row.abis).values()) == 1


def test_every_parameter_has_a_type() -> None:
    for function in HOST_FUNCTIONS:
        assert len(function.params) == len(function.signature.params), function.name
    for callback in CALLBACKS:
        assert len(callback.params) == len(callback.signature.params), callback.name


@pytest.mark.parametrize(
    ("abi", "count", "only"),
    [
        ("0.1.0", 40, {"get_configuration", "continue_request", "continue_response", "clear_route_cache"}),
        ("0.2.0", 38, {"continue_stream", "close_stream"}),
        ("0.2.1", 39, {"continue_stream", "close_stream", "get_log_level"}),
    ],
)
def test_each_version_has_its_own_functions(abi: str, count: int, only: set[str]) -> None:
    rows = [row for row in HOST_FUNCTIONS if row.name.startswith("proxy_") and abi in row.abis]
    assert len(rows) == count
    assert {row.name.removeprefix("proxy_") for row in rows if row.abis != ABI_VERSIONS} == only


def test_both_flavours_of_wasi_are_the_same_list() -> None:
    old, new = (
        {row.name: row.signature for row in HOST_FUNCTIONS if row.module == name} for name in WASI_MODULES
    )
    assert old == new
    assert len(new) == 45


def test_wide_parameters_are_marked() -> None:
    metric = next(row for row in HOST_FUNCTIONS if row.name == "proxy_increment_metric")
    assert (metric.params, metric.signature) == (("metric", "offset"), FuncType(("i32", "i64"), ("i32",)))


def test_headers_got_their_third_parameter_in_0_2_0() -> None:
    rows = {row.abis: str(row.signature) for row in CALLBACKS if row.name == "proxy_on_request_headers"}
    assert rows == {("0.1.0",): "i32 i32 -> i32", ("0.2.0", "0.2.1"): "i32 i32 i32 -> i32"}
