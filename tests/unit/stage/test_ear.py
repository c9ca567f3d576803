"""What the log says of the filter that is played, and by which of Envoy's threads."""

import pytest

from weft.envoy import Record
from weft.scenario import ObservedLog
from weft.stage.ear import Ear, failure, local_reply, own_lines, trace_lines

WORKER, MAIN = "7", "1"


def wasm(message: str, *, thread: str = WORKER, level: str = "trace") -> Record:
    return Record(level, "wasm", message, thread)


def marked(number: int) -> list[Record]:
    """The two lines of a marked request."""
    return [
        Record("error", "lua", f"script log: weft-mark {number}", WORKER),
        Record("error", "lua", "script log: weft-mark", WORKER),
    ]


class Heard:
    """An ear, and how often it told."""

    def __init__(self, *records: Record) -> None:
        self.told = 0
        self.ear = Ear(self._tell)
        for record in records:
            self.ear.hear(record)

    def _tell(self) -> None:
        self.told += 1


def test_each_record_is_told_but_only_the_filters_are_kept() -> None:
    heard = Heard(wasm("a"), Record("info", "main", "starting"), wasm("b"))
    assert (heard.told, heard.ear.place) == (3, 2)


def test_before_a_mark_no_thread_is_known_to_work() -> None:
    assert Heard(wasm("a")).ear.worked(0) == []


def test_a_mark_says_who_works_and_how_far_the_log_is() -> None:
    ear = Heard(wasm("a"), wasm("b", thread=MAIN), *marked(3), wasm("c")).ear
    assert ear.mark == 3
    assert [record.message for record in ear.worked(0)] == ["a", "c"]
    assert [record.message for record in ear.worked(2)] == ["c"]


def test_the_second_line_of_a_mark_keeps_its_number() -> None:
    first, second = marked(5)
    ear = Heard(first).ear
    assert ear.mark == 5
    ear.hear(second)
    assert ear.mark == 5


def test_of_several_attempts_to_start_the_last_counts() -> None:
    lines = ["Base Wasm created 1 now active", "old", "Base Wasm created 2 now active", "new"]
    ear = Heard(*marked(1), *(wasm(line, thread=MAIN) for line in lines), wasm("not this one")).ear
    assert [record.message for record in ear.configured(0)] == lines[2:]
    assert [record.message for record in ear.configured(3)] == ["new"]


@pytest.mark.parametrize(
    ("message", "level", "lines"),
    [
        pytest.param(
            "wasm log r vm-1: hello: world", "info", (ObservedLog("info", "hello: world"),), id="own"
        ),
        pytest.param("wasm log vm-1: x", "warning", (ObservedLog("warn", "x"),), id="in the filter's words"),
        pytest.param(
            "wasm log n vm-3: a vm-1: x", "info", (ObservedLog("info", "a vm-1: x"),), id="a neighbor's"
        ),
        pytest.param("wasm log vm-2: x", "info", (), id="another VM's"),
        pytest.param("Wasm created vm-1: x", "info", (), id="Envoy's"),
    ],
)
def test_what_the_filter_said(message: str, level: str, lines: tuple[ObservedLog, ...]) -> None:
    assert own_lines([wasm(message, level=level)], ["vm-1", "vm-3"]) == lines


def test_a_trace_has_calls_and_words_line_by_line_but_not_what_envoy_remarks() -> None:
    records = [
        wasm("[host->vm] proxy_on_tick(1)"),
        wasm("wasm log vm: a\nb", level="debug"),
        wasm("~Wasm 1 remaining active", level="debug"),
    ]
    assert trace_lines(records) == ("[host->vm] proxy_on_tick(1)", "wasm log vm: a", "b")


def test_the_first_failure_is_told() -> None:
    first, second = (
        "Function: proxy_on_tick failed: Uncaught x",
        "Function: proxy_on_log failed: Uncaught y",
    )
    assert failure([wasm("a"), wasm(first), wasm(second)]) == first
    assert failure([wasm("the Function: a failed: b")]) is None


def test_the_last_local_reply_that_was_asked_for_is_told() -> None:
    asked = [
        f"[vm->host] env.proxy_send_local_response({status}, 1, 2, 3, 4, 5, 6, {grpc})"
        for status, grpc in ((403, 7), (500, 4294967295))
    ]
    assert local_reply([wasm(line) for line in asked]) == (500, 4294967295)
    assert local_reply([wasm("[vm->host] env.proxy_log(1, 2, 3)")]) is None


CALL, ANSWER = (f"{way} env.proxy_register_shared_queue{rest}" for way, rest in (
    ("[vm->host]", "(1024, 7, 64)"), ("[vm<-host]", " return: 0"),
))  # fmt: skip


@pytest.mark.parametrize(
    ("threads", "told"),
    [
        pytest.param("", True, id="nobody registers any"),
        pytest.param((MAIN, MAIN, WORKER, WORKER), True, id="the worker was last"),
        pytest.param((WORKER, WORKER, MAIN, MAIN), False, id="the main thread was last"),
        pytest.param((MAIN, WORKER, MAIN, WORKER), False, id="nobody knows"),
    ],
)
def test_the_thread_that_registers_a_queue_last_is_told_of_it(threads: tuple[str, ...], told: bool) -> None:
    seen: set[str] = set()
    heard = Heard(*marked(1), wasm("before"))
    for thread in threads:
        heard.ear.hear(wasm(ANSWER if thread in seen else CALL, thread=thread))
        seen.add(thread)
    assert heard.ear.reads_queues(0) is told
