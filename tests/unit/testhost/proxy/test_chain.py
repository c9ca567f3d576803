"""Several filters on the host: requests in order, responses in reverse, and what they share."""

import pytest

from modules.chains import NEIGHBORS, OBSERVER, chained, told
from weft.errors import UsageError
from weft.scenario import Mismatch, Played, parse
from weft.testhost import Code, Plugin, play

OTHERS = {name: Code.load(module) for name, module in NEIGHBORS.items()}
MINE = Code.load(OBSERVER)
BEGUN, DONE = ["context_create", "request_headers"], ["done", "delete"]


def played(scenario: str) -> Played:
    (case,) = parse(f"scenarios: [{{name: a, {scenario}}}]", where="x.yaml")
    return play(case, MINE, Plugin("my", "r", config=b"mine"), OTHERS)


ANSWERED = ["response_headers", "response_body"]
LAST_ANSWERS = [*BEGUN * 2, *["response_headers"] * 2, *["response_body"] * 2, *["log"] * 2, *DONE * 2]
FIRST_ANSWERS = [*BEGUN, *ANSWERED, "log", "context_create", "log", *DONE * 2]
OVER = [*BEGUN * 2, *["log"] * 2, *DONE * 2]
BACK = [*BEGUN * 2, *["response_headers"] * 2, *["log"] * 2, *DONE * 2]
OPEN, PIECES = "{request: {open: true}}", "{request: {open: true, chunks: [a, b]}}"


@pytest.mark.parametrize(
    ("before", "after", "steps", "expected"),
    [
        pytest.param(["watch"], [], "{request: {}}, {response: {}}", BACK, id="there and back"),
        pytest.param(["wait"], [], "{request: {body: a}}", BEGUN, id="the first waits"),
        pytest.param(["buffer"], [], PIECES, [*BEGUN * 2, *["request_body"] * 2], id="the first buffers"),
        pytest.param([], ["answer request headers"], "{request: {}}", LAST_ANSWERS, id="the last answers"),
        pytest.param(["answer request headers"], [], "{request: {}}", FIRST_ANSWERS, id="the first answers"),
        pytest.param([], ["close"], "{request: {}}", OVER, id="the last closes"),
        pytest.param(["watch"], [], f"{OPEN}, {{disconnect: true}}", OVER, id="the client goes away"),
    ],
)
def test_events_come_in_envoys_order(
    before: list[str], after: list[str], steps: str, expected: list[str]
) -> None:
    trace = told(played(chained(before, after, steps)).trace)
    starts = len(before) + len(after) + 1
    assert [line.partition("(")[0] for line in trace[starts:]] == expected


POST = "{request: {open: true, body: a}}"


def test_what_a_filter_held_comes_behind_it_one_after_the_other() -> None:
    steps = f"{POST}, {{request_body: {{body: b, trailers: {{t: 1}}}}}}, {{reply: {{}}}}"
    trace = told(played(chained(["pause and watch"], [], steps)).trace)
    start = next(number for number, line in enumerate(trace) if line.startswith("http_call_response"))
    assert trace[start + 1 :] == [
        "context_create(2, 1)", "request_headers(2, 4, 0)",
        *["request_body(2, 2, 0)"] * 2,
        *["request_trailers(2, 1)"] * 2,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("last", "body", "ended"),
    [
        pytest.param("{request_body: {body: b, open: true}}", "ab", False, id="in the middle"),
        pytest.param("{request_body: {body: b}}", "ab", True, id="at the end"),
        pytest.param("{request_body: {trailers: {t: 1}}}", "a", True, id="with trailers"),
    ],
)
def test_who_goes_on_takes_along_what_another_buffers(last: str, body: str, ended: bool) -> None:
    """As in Envoy, whose filters have one buffer."""
    gone = f"expect: {{upstream: {{body: {body}, ended: {str(ended).lower()}}}}}"
    steps = f"{POST}, {last}, {{reply: {{}}, {gone}}}"
    result = played(chained(["buffer"], ["pause and watch"], steps))
    assert [step.mismatches for step in result.steps if step.mismatches] == []


def test_what_was_taken_along_does_not_come_twice() -> None:
    gone = "{reply: {}, expect: {upstream: {body: ab, ended: true}}}"
    steps = f"{POST}, {{request_body: {{body: b}}}}, {gone}, {gone}"
    result = played(chained(["pause in the body"], ["pause and watch"], steps))
    assert [step.mismatches for step in result.steps if step.mismatches] == []


COMMON = {
    "properties of a stream": chained(["set"], ["get"], "{request: {}, expect: {client: {body: tea}}}"),
    "metrics": chained(["count"], ["count"], "{request: {}, expect: {metrics: {tea: 4}}}"),
    "logs": chained(["a"], ["b"], "{request: {}, expect: {logs: [a, b]}}"),
    "time and calls": chained(
        ["ask"], ["ask"], "{request: {}, expect: {calls: [{}, {}]}}, {reply: {}}, {advance: 1s}"
    ),
    "a request that goes on": chained(
        ["pause"],
        ["watch"],
        "{request: {}, expect: {upstream: {sent: false}}}, {reply: {}, expect: {upstream: {sent: true}}}",
    ),
    "timers": chained(["tick"], ["tick"], "{request: {}}, {tick: 2}, {advance: 1s}"),
    "a failure": chained(
        ["watch"],
        ["trap"],
        "{request: {}, expect: {crash: {contains: unreachable}, local_reply: {status: 503}}}",
    ),
    "a response that is replaced": chained(
        [],
        ["answer response headers"],
        "{request: {}}, {response: {}, expect: {client: {status: 418}, local_reply: {status: 418}}}",
    ),
    "a response that had begun": chained(
        ["watch"],
        ["answer response body"],
        "{request: {}}, {response: {open: true}}, {response_body: {body: a}, expect: {reset: true}}",
    ),
    "a refusal": "setup: {before: [{module: a}, {module: refuse}]}, expect: {refused: true}",
    "the filter once more": "setup: {after: [{config: other, name: again}]}, steps: [{request: {}}]",
}


@pytest.mark.parametrize("name", COMMON)
def test_what_a_chain_has_in_common(name: str) -> None:
    assert [step.mismatches for step in played(COMMON[name]).steps if step.mismatches] == []


def test_a_neighbor_without_a_module_is_the_filter_itself() -> None:
    result = played("setup: {after: [{config: other}]}, steps: [{request: {}}]")
    assert [line for line in told(result.trace) if "headers" in line] == ["request_headers(2, 4, 1)"] * 2


def test_a_refused_neighbor_is_told_with_its_own_words() -> None:
    result = played("setup: {before: [{module: a}, {module: refuse}]}, steps: [{request: {}}]")
    (mismatch,) = result.steps[0].mismatches
    assert mismatch.got == "Failed to configure base Wasm plugin\nerror: tea"


def test_a_neighbors_misspelt_word_is_refused() -> None:
    with pytest.raises(UsageError) as wrong:
        played("setup: {before: [{modul: x}]}")
    assert str(wrong.value) == "x.yaml: Object contains unknown field `modul` at a.setup.before[0]"


def test_a_timer_that_nobody_set_does_not_tick() -> None:
    (mismatch,) = played(chained(["watch"], [], "{tick: 1}")).steps[-1].mismatches
    assert mismatch == Mismatch("tick", "a timer", "the filter set none")
