"""Metadata of HTTP/2 comes to filters on the test host as it does on a real Envoy, whatever they do then."""

import pytest

from modules.chains import NEIGHBORS, chained, doing, observer, told
from modules.guests import running
from weft.scenario import Played
from weft.workflows.testing.on_both import compared
from worlds.staging import hosted, problems, staged

pytestmark = pytest.mark.real("envoy")

_BOTH = {"on_request_metadata": 0, "on_response_metadata": 0}
_REPLY = ("proxy_send_local_response", (418, 0, 0, 0, 0, 0, 0, 0xFFFFFFFF))
FILTERS = {
    "watches": observer(**_BOTH),
    "holds": observer(**_BOTH, on_request_headers=1, on_response_headers=1),
    "buffers": observer(**_BOTH, on_request_body=1, on_response_body=1),
    "answers it": doing(_REPLY, during="on_request_metadata", text=b""),
    "answers late": doing(_REPLY, during="on_response_metadata", text=b""),
    "wants to stop": observer(on_request_metadata=3, on_response_metadata=1),
}
ASKS = "{request: {headers: {':method': POST}, open: true}}, {request_metadata: {a: 1, b: 2}}"
ANSWERS = "{response: {open: true}}, {response_metadata: {c: 3}}"
SAYS, ENDS, BACK = "{request_body: {body: x, open: true}}", "{request_body: {body: y}}", "{response_body: {}}"
STEPS = {
    "there and back": f"{ASKS}, {ENDS}, {ANSWERS}, {BACK}",
    "twice": f"{ASKS}, {{request_metadata: {{a: 3}}}}, {SAYS}, {{request_metadata: {{d: 4}}}}, {ENDS}",
    "held": f"{ASKS}, {SAYS}, {{request_metadata: {{d: 4}}}}, {ENDS}",
    "to the end": f"{ASKS}, {ENDS}, {ANSWERS}, {{response_metadata: {{e: 1}}}}, {BACK}",
}
SCENARIOS = [
    ("watches", "there and back"), ("watches", "twice"), ("holds", "held"), ("buffers", "twice"),
    ("buffers", "to the end"), ("answers it", "held"), ("answers late", "there and back"),
    ("wants to stop", "to the end"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "steps"), SCENARIOS)
def test_metadata_is_the_same_on_both(kind: str, steps: str) -> None:
    host, envoy = both(FILTERS[kind], f"steps: [{STEPS[steps]}]")
    alike(host, envoy)


def test_a_filter_that_fails_over_metadata_is_answered_for() -> None:
    module = running(b"\0\x41\0", during="proxy_on_request_metadata")
    crash = "expect: {crash: {contains: unreachable}, client: {status: 503}}"
    alike(*both(module, f"steps: [{STEPS['twice']}], {crash}"))


@pytest.mark.parametrize("beside", ["watches", "buffers"])
def test_metadata_goes_through_a_chain(beside: str) -> None:
    others = {"other": FILTERS[beside]}
    host, envoy = both(FILTERS["watches"], chained(["other"], ["other"], STEPS["to the end"]), others)
    alike(host, envoy)


def test_metadata_waits_for_the_headers_of_a_filter_before() -> None:
    others = {"pause": NEIGHBORS["pause"]}
    steps = f"{ASKS}, {SAYS}, {{reply: {{}}, expect: {{upstream: {{body: x}}}}}}, {ENDS}"
    host, envoy = both(FILTERS["watches"], chained(["pause"], [], steps), others)
    alike(host, envoy)
    assert [line for line in told(host.trace) if "metadata" in line] == ["request_metadata(2, 2)"]


@pytest.mark.parametrize(
    ("steps", "what"),
    [
        pytest.param("{request: {}}, {request_metadata: {a: 1}}", "request_metadata", id="after the request"),
        pytest.param(f"{ASKS}, {{response_metadata: {{a: 1}}}}", "response_metadata", id="before a response"),
        pytest.param(
            f"{ASKS}, {ENDS}, {{response: {{}}}}, {{response_metadata: {{a: 1}}}}", "response_metadata",
            id="after the response",
        ),
    ],
)  # fmt: skip
def test_metadata_that_cannot_come_is_a_mismatch(steps: str, what: str) -> None:
    for played in both(FILTERS["watches"], f"steps: [{steps}]"):
        (found,) = played.steps[-1].mismatches
        assert found.what == what


def both(module: bytes, scenario: str, others: dict[str, bytes] | None = None) -> tuple[Played, Played]:
    host = hosted(module, scenario, others=others or {})
    return host[0], compared(host, staged(module, scenario, known=frozenset("a"), others=others or {}))[0]


def alike(host: Played, envoy: Played) -> None:
    assert (problems(host), problems(envoy)) == ([], [])
    assert told(envoy.trace) == told(host.trace)
