"""The ways a project's scenarios are run: on several processors, on both hosts, again and again."""

import asyncio
from pathlib import Path

import pytest

from modules.guests import TEXT, calling
from weft.base.files import atomic_write
from weft.base.tasks import beside
from weft.errors import NotFound
from weft.scenario import Case, LeftOut, Mismatch, Observed, ObservedLog, Played, StepResult, parse
from weft.testhost import Plugin
from weft.workflows.testing import on_host
from weft.workflows.testing.coverage import Coverage, coverage
from weft.workflows.testing.on_both import compared
from weft.workflows.testing.on_host import HostJob, play_on_host
from weft.workflows.testing.selection import neighbors, read_cases
from weft.workflows.testing.watch import run_again

LOGGING = calling(("proxy_log", (2, TEXT, 3)), during="proxy_on_request_headers", returns=0, text=b"abc")
CLOCK = "[vm->host] env.proxy_get_current_time_nanoseconds(4)"
PATIENCE = 20.0


def cases_of(*scenarios: str) -> list[Case]:
    text = ", ".join(f"{{name: s{number}, {scenario}}}" for number, scenario in enumerate(scenarios))
    return parse(f"scenarios: [{text}]", where="x.yaml")


(CASE,) = cases_of("steps: []")


def test_many_cases_are_spread_over_processes_and_come_back_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = cases_of(*(f"steps: [{{request: {{}}, expect: {{logs: ['{n}']}}}}]" for n in range(7)))
    job = HostJob(LOGGING, tmp_path, Plugin())
    alone = play_on_host(cases, job, 2)
    monkeypatch.setattr(on_host, "_WORTH_A_PROCESS", 3)
    monkeypatch.setattr(on_host, "_AT_ONCE", 2)
    spread = play_on_host(cases, job, 2)
    assert spread == alone
    assert [played.steps[-1].mismatches[0].expected for played in spread] == list("0123456")


def played(*steps: StepResult, on: str = "host") -> Played:
    return Played(CASE, steps, on)


def step(number: int, seen: Observed | None, *trace: str) -> StepResult:
    return StepResult(number, (), trace, seen)


def test_a_difference_ends_a_case_on_both() -> None:
    host = played(*(step(number, Observed()) for number in range(3)))
    loud = Observed(logs=(ObservedLog("info", "a"),))
    envoy = played(step(0, Observed()), step(1, loud), step(2, loud), on="envoy")
    (result,) = compared([host], [envoy])
    assert [found.number for found in result.steps] == [0, 1]
    assert result.steps[1].mismatches == (Mismatch("logs is not as on the host", "(nothing)", "info: a"),)
    assert not result.passed


def test_envoys_own_mismatch_is_told_instead_of_a_difference() -> None:
    own = StepResult(1, (Mismatch("client.status", "200", "404"),), (), Observed(reset=True))
    (result,) = compared([played(step(1, Observed()))], [played(own, on="envoy")])
    assert result.steps == (own,)


@pytest.mark.parametrize("trace", [(), (CLOCK,)], ids=["values", "values from the clock"])
def test_values_from_the_clock_are_compared_by_number(trace: tuple[str, ...]) -> None:
    host = played(step(1, Observed(metrics={"ms": [25]})))
    envoy = played(step(1, Observed(metrics={"ms": [27]}), *trace), on="envoy")
    (result,) = compared([host], [envoy])
    assert result.passed == bool(trace)


def test_values_that_envoy_does_not_show_are_left_out() -> None:
    host = played(step(1, Observed(metrics={"ms": [25]})))
    (result,) = compared([host], [played(step(1, Observed()), on="envoy")])
    reason = "Envoy does not show which of several histograms was given which value"
    assert result.passed
    assert result.left_out == [LeftOut("metrics.ms", reason)]


def test_a_case_that_was_not_played_at_all_is_no_pass() -> None:
    left = StepResult(0, (), (), left_out=(LeftOut("setup.clock", "because"),))
    assert played(left, on="envoy").unplayed
    assert not played(step(0, Observed()), on="envoy").unplayed


def test_coverage_is_in_the_order_of_the_module_and_of_what_it_has() -> None:
    module = calling(
        ("proxy_log", (2, TEXT, 1)), during="proxy_on_request_headers", returns=0, text=b"a",
        also={"proxy_on_tick": 0}, imports_only=["proxy_get_current_time_nanoseconds"],
    )  # fmt: skip
    trace = ("[host->vm] proxy_on_tick(1)", "[vm->host] env.proxy_log(2, 3, 1)", "[host->vm] malloc(3)")
    assert coverage(module, [played(step(0, None, *trace))]) == (
        Coverage(("proxy_on_tick",), ("proxy_on_request_headers",)),
        Coverage(("env.proxy_log",), ("env.proxy_get_current_time_nanoseconds",)),
    )


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    """As the watcher names it."""
    return tmp_path.resolve()


async def test_scenarios_run_at_once_and_after_each_change(watched: Path) -> None:
    loop, ran = asyncio.get_running_loop(), asyncio.Queue[int]()
    count = iter(range(100))

    def run() -> None:
        loop.call_soon_threadsafe(ran.put_nowait, next(count))

    async with asyncio.timeout(PATIENCE), beside(run_again([watched], run)):
        assert await ran.get() == 0
        (watched / "a.yaml").write_text("a")
        assert await ran.get() == 1


async def test_a_report_that_each_run_writes_is_no_reason_to_run_again(watched: Path) -> None:
    loop, ran = asyncio.get_running_loop(), asyncio.Queue[int]()
    count, report = iter(range(100)), watched / "report.xml"

    def run() -> None:
        number = next(count)
        atomic_write(report, str(number).encode())
        loop.call_soon_threadsafe(ran.put_nowait, number)

    async with asyncio.timeout(PATIENCE), beside(run_again([watched], run, written=report)):
        assert await ran.get() == 0
        for number, name in enumerate(("report.xml.yaml", ".report.xm", "a.yaml"), 1):
            (watched / name).write_text("a")
            assert await ran.get() == number
    assert ran.empty()


CHAINED = """
scenarios:
  - name: beside a file
    setup: {before: [{module: other.wasm, name: other}]}
    steps: [{request: {}, expect: {logs: [abc, abc]}}]
"""


def in_store(_: str) -> bytes:
    return LOGGING


def test_a_neighbors_file_lies_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "x.yaml").write_text(CHAINED)
    (tmp_path / "tests" / "other.wasm").write_bytes(LOGGING)
    cases, _ = read_cases(tmp_path, "")
    others = neighbors(cases, in_store)
    assert list(others) == [str(tmp_path / "tests" / "other.wasm")]
    (result,) = play_on_host(cases, HostJob(LOGGING, tmp_path / "cache", Plugin(), others), 1)
    assert result.passed


def test_a_neighbor_may_be_an_image(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "x.yaml").write_text(CHAINED.replace("other.wasm", "hub/other:v1"))
    cases, _ = read_cases(tmp_path, "")
    assert neighbors(cases, in_store) == {"hub/other:v1": LOGGING}


def test_a_neighbor_that_is_not_there_is_told_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "x.yaml").write_text(CHAINED)
    cases, _ = read_cases(tmp_path, "")
    with pytest.raises(NotFound) as missing:
        neighbors(cases, in_store)
    assert str(missing.value) == f"tests/x.yaml: {tmp_path}/tests/other.wasm: no such file"


def test_what_was_played_beside_others_covers_nothing() -> None:
    line = "[host->vm] proxy_on_request_headers(2, 4, 1)"
    for setup, used in (("before: [{module: x}]", ()), ("before: [{}]", ("proxy_on_request_headers",))):
        (case,) = cases_of(f"setup: {{{setup}}}, steps: []")
        callbacks, _ = coverage(LOGGING, [Played(case, (StepResult(1, (), (line,)),))])
        assert callbacks.used == used
