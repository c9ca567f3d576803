"""Metadata of HTTP/2 beside messages: who is told of it when, and what can have none.

``tests/real/test_stage_metadata.py`` shows that Envoy does the same.
"""

import pytest

from modules.chains import observer, told
from modules.guests import running
from weft.scenario import Mismatch, Played, parse
from weft.testhost import Code, Plugin, play

BOTH = {"on_request_metadata": 0, "on_response_metadata": 0}
OPEN, ENDS = "{request: {open: true}}", "{request_body: {body: x}}"
MORE, BACK = "{request_metadata: {a: 1, b: 2}}", "{response: {open: true}}, {response_metadata: {c: 3}}"


def played(module: bytes, steps: str, setup: str = "{}") -> Played:
    (case,) = parse(f"scenarios: [{{name: a, setup: {setup}, steps: [{steps}]}}]", where="x.yaml")
    return play(case, Code.load(module), Plugin())


def events(result: Played) -> list[str]:
    """The callbacks of streams that are about messages."""
    return [line for line in told(list(result.trace)) if line.startswith("re")]


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        pytest.param({}, [
            "request_headers(2, 4, 0)", "request_metadata(2, 2)", "request_body(2, 1, 1)",
            "response_headers(2, 1, 0)", "response_metadata(2, 1)",
        ], id="at once"),
        pytest.param({"on_request_body": 1, "on_request_metadata": 1}, [
            "request_headers(2, 4, 0)", "request_metadata(2, 2)", "request_body(2, 1, 1)",
        ], id="whatever it answers"),
        pytest.param({"on_request_headers": 1}, ["request_headers(2, 4, 0)"], id="never while it holds"),
    ],
)  # fmt: skip
def test_a_filter_is_told_of_metadata(actions: dict[str, int], expected: list[str]) -> None:
    steps = ", ".join([OPEN, MORE, ENDS] + ([] if actions else [BACK]))
    assert events(played(observer(**(BOTH | actions)), steps)) == expected


def test_each_filter_of_a_chain_is_told() -> None:
    result = played(observer(**BOTH), f"{OPEN}, {MORE}, {ENDS}, {BACK}", "{after: [{}, {}]}")
    assert result.passed
    assert [line for line in events(result) if "metadata" in line] == [
        *["request_metadata(2, 2)"] * 3, *["response_metadata(2, 1)"] * 3,
    ]  # fmt: skip


def test_a_filter_that_does_not_hear_of_metadata_misses_nothing() -> None:
    result = played(observer(), f"{OPEN}, {MORE}, {ENDS}, {BACK}")
    assert result.passed
    assert not any("metadata" in line for line in events(result))


def test_a_filter_that_fails_over_metadata_is_answered_for() -> None:
    module = running(b"\0\x41\0", during="proxy_on_request_metadata")
    step = played(module, f"{OPEN}, {MORE}").steps[-1]
    assert step.observed is not None
    assert step.observed.failure is not None
    assert dict(step.observed.client.headers or ())[":status"] == "503"


@pytest.mark.parametrize(
    ("steps", "mismatch"),
    [
        pytest.param(
            f"{{request: {{}}}}, {MORE}",
            Mismatch("request_metadata", "a message that is open", "it came to its end"),
            id="after the request",
        ),
        pytest.param(
            f"{OPEN}, {{response_metadata: {{a: 1}}}}",
            Mismatch("response_metadata", "a response came before", "there was none"), id="before a response",
        ),
        pytest.param(
            "{request: {}}, {response: {}}, {response_metadata: {a: 1}}",
            Mismatch("response_metadata", "a message that is open", "it came to its end"),
            id="after the response",
        ),
        pytest.param(
            MORE, Mismatch("stream main", "a request came before", "there was none"), id="before a request",
        ),
    ],
)  # fmt: skip
def test_metadata_that_cannot_come_is_a_mismatch(steps: str, mismatch: Mismatch) -> None:
    assert played(observer(**BOTH), steps).steps[-1].mismatches == (mismatch,)
