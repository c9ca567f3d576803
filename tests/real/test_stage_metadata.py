"""Metadata of HTTP/2 comes to filters on the test host as it does on a real Envoy, whatever they do then."""

import pytest

from modules.chains import NEIGHBORS, chained, doing, observer, pausing_observer, told
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


MORE = "{request_metadata: {d: 4}}"
LAST = "{request_body: {body: y, trailers: {t: 1}}}"
SOONER, LATER = (
    f"{ASKS}, {SAYS}, {MORE}, {rest}" for rest in (f"{{reply: {{}}}}, {ENDS}", f"{LAST}, {{reply: {{}}}}")
)
SAID_BACK = "{response_body: {body: x, open: true}}, {response_metadata: {d: 4, e: 5}}"
BACK_SOONER, BACK_LATER = (
    f"{{request: {{}}}}, {ANSWERS}, {SAID_BACK}, {rest}"
    for rest in (
        "{reply: {}}, {response_body: {body: y}}",
        "{response_body: {body: y}}, {reply: {}}",
    )
)
PAUSING = {
    "buffers": FILTERS["buffers"],
    "watches": FILTERS["watches"],
    "request": pausing_observer("on_request_headers", **_BOTH),
    "request body": pausing_observer("on_request_body", on_request_trailers=1, **_BOTH),
    "response": pausing_observer("on_response_headers", **_BOTH),
    "response body": pausing_observer("on_response_body", **_BOTH),
}
HELD = {
    f"{' and '.join([*before, 'it', *after])}, {when}": chained(before, after, steps)
    for kind, ways in {
        "request": {"sooner": SOONER, "later": LATER},
        "request body": {"sooner": SOONER, "later": LATER},
        "response": {"sooner": BACK_SOONER, "later": BACK_LATER},
        "response body": {"sooner": BACK_SOONER, "later": BACK_LATER},
    }.items()
    for when, steps in ways.items()
    for before, after in (
        ([kind], ["watches"]), (["watches"], [kind]), (["watches"], [kind, "watches"]),
        *([(["buffers"], [kind]), ([kind], ["buffers"])] if kind in {"request", "response"} else []),
    )
}  # fmt: skip
"""One filter of a chain waits for the answer to a call: in the middle of the message, or after it."""


@pytest.fixture(scope="module")
def held() -> dict[str, tuple[Played, Played]]:
    """How each of these chains went on the host, and on Envoy."""
    watching = FILTERS["watches"]
    host = hosted(watching, *HELD.values(), others=PAUSING)
    envoy = staged(watching, *HELD.values(), known=frozenset("a"), others=PAUSING)
    return dict(zip(HELD, zip(host, compared(host, envoy), strict=True), strict=True))


@pytest.mark.parametrize("name", HELD)
def test_what_a_filter_of_a_chain_holds_goes_on_in_the_same_order(
    held: dict[str, tuple[Played, Played]], name: str
) -> None:
    host, envoy = held[name]
    alike(host, envoy)
    assert any("metadata" in line for line in told(host.trace))


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
