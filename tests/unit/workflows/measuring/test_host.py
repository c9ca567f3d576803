"""What assembled filters cost on the test host: instructions and memory are exact."""

import pytest

from modules.guests import PAGE, TEXT, answering, calling, const, running
from modules.wasm_encoder import body, proxy_module
from weft.errors import FilterRefused
from weft.testhost import Code, Plugin
from weft.wasm import CALLBACKS
from weft.workflows.measuring.host import HostFigures, measure_callbacks, measure_memory

GROW = const(1) + b"\x40\0\x1a"
"""One more page of memory."""
MEASURED = Plugin(root_id="r")


def test_memory_that_each_request_keeps_is_a_leak() -> None:
    memory = measure_memory(Code.load(running(GROW + const(0))), MEASURED, streams=40)
    assert (memory.per_vm, memory.leak_slope, memory.per_stream) == (PAGE, PAGE, PAGE)


def test_a_filter_that_keeps_nothing_has_no_leak() -> None:
    memory = measure_memory(Code.load(running(const(0))), MEASURED, streams=40)
    assert (memory.per_vm, memory.leak_slope, memory.per_stream) == (PAGE, 0, 0)


def test_each_callback_has_its_instructions() -> None:
    short, long = b"\x01" * 10, b"\x41\0\x1a" * 100
    costs = [
        measure_callbacks(Code.load(running(code + const(0))), MEASURED, streams=20) for code in (short, long)
    ]
    assert [[cost.name for cost in one] for one in costs] == [["proxy_on_request_headers"]] * 2
    assert all(cost.calls == 1 and cost.microseconds > 0 for one in costs for cost in one)
    assert costs[1][0].fuel - costs[0][0].fuel >= 100


def test_a_request_goes_through_every_callback() -> None:
    signatures = {row.name: str(row.signature) for row in CALLBACKS if "0.2.1" in row.abis}
    names = [f"proxy_on_{name}" for name in ("context_create", "log", "done", "delete")]
    names += [f"proxy_on_{side}_{part}" for side in ("request", "response") for part in ("headers", "body")]
    module = proxy_module(
        exports={name: signatures[name] for name in names},
        bodies={name: body(const(0)) for name in names if signatures[name].endswith("i32")},
    )
    found = measure_callbacks(Code.load(module), MEASURED, streams=20)
    assert {cost.name: cost.calls for cost in found} == dict.fromkeys(names, 1)


def test_calls_of_a_filter_are_answered() -> None:
    pairs = b"\3\0\0\0" + b"".join(size.to_bytes(4, "little") for size in (7, 3, 5, 1, 10, 1))
    pairs += b":method\0GET\0:path\0/\0:authority\0a\0"
    module = calling(
        ("proxy_http_call", (TEXT, 1, TEXT + 1, len(pairs), 0, 0, 0, 0, 1000, 64)),
        during="proxy_on_request_headers",
        text=b"c" + pairs,
        returns=1,
        also={"proxy_on_done": 1},
    )
    [asked, done] = measure_callbacks(Code.load(module), MEASURED, streams=20)
    assert (asked.name, asked.calls, done.calls) == ("proxy_on_request_headers", 1, 1)


def test_the_fuel_of_a_request_is_the_sum_of_its_callbacks() -> None:
    code = Code.load(answering(on_request_headers=0, on_done=1))
    costs = measure_callbacks(code, MEASURED, streams=20)
    figures = HostFigures(10, measure_memory(code, MEASURED, streams=20), costs)
    assert figures.fuel == sum(cost.fuel for cost in costs) > 0
    assert figures.figures == {
        "module_size": 10, "memory_per_vm": PAGE, "memory_per_stream": 0, "leak_slope": 0,
    }  # fmt: skip


@pytest.mark.parametrize("measure", [measure_memory, measure_callbacks])
def test_a_filter_that_fails_cannot_be_measured(measure: object) -> None:
    code = Code.load(running(b"\0" + const(0)))
    with pytest.raises(FilterRefused, match="the filter failed while it was measured") as refused:
        measure(code, MEASURED, streams=20)  # type: ignore[operator]
    assert refused.value.detail is not None
    assert "unreachable" in refused.value.detail
