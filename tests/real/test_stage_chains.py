"""Chains of filters go through Envoy as through the test host: the same callbacks in the same order."""

import pytest

from modules.chains import NEIGHBORS, OBSERVER, chained, told
from weft.scenario import LeftOut, Played
from weft.workflows.testing.on_both import compared
from worlds.staging import hosted, problems, staged

pytestmark = pytest.mark.real("envoy")

ALL = "{request: {chunks: [a, b], trailers: {t: 1}}}, {response: {chunks: [c, d], trailers: {t: 2}}}"
BARE = "{request: {}}, {response: {}}"
POST = "{request: {body: a}}"
MORE = "{request: {open: true, body: a}}, {request_body: {body: b, open: true}}, {request_body: {body: c}}"
PARTS = f"{MORE}, {{response: {{open: true, body: d}}}}, {{response_body: {{body: e}}}}"
BACK = "{reply: {status: 201}}, {response: {body: a}}"
TRAP = "{request: {body: a}, expect: {crash: {contains: unreachable}, client: {status: 503}}}"
CROSSING = """{stream: a, request: {}}, {stream: b, request: {}}, {stream: b, response: {body: b}},
    {stream: a, response: {body: a}}"""
CHAINS = {
    "everybody watches": chained(["watch"], ["watch"], ALL),
    "headers alone": chained(["watch"], ["watch"], BARE),
    "in pieces": chained(["watch"], ["watch"], PARTS),
    "the first waits": chained(["wait"], ["watch"], POST),
    "the last waits": chained(["watch"], ["wait"], MORE),
    "the first goes on later": chained(["pause"], ["watch"], f"{MORE}, {BACK}"),
    "the last goes on later": chained(["watch"], ["pause", "watch"], f"{MORE}, {BACK}"),
    "one takes along what another buffers": chained(
        ["pause in the body"], ["pause and watch"], f"{MORE}, {{reply: {{}}}}, {{reply: {{}}}}"
    ),
    "one goes on after a timeout": chained(["pause"], ["watch"], "{request: {}}, {reply: {timeout: true}}"),
    "both buffer": chained(["buffer"], ["buffer"], ALL),
    "the first buffers": chained(["buffer"], ["watch"], PARTS.split(", {response: ", maxsplit=1)[0]),
    "the last buffers": chained(["watch"], ["buffer"], PARTS.split(", {response: ", maxsplit=1)[0]),
    "the last drops": chained(["watch"], ["drop"], "{request: {chunks: [a, b]}}"),
    "trailers are held": chained(["watch"], ["hold trailers"], "{request: {body: a, trailers: {t: 1}}}"),
    **{
        f"{place} one answers the {event}": chained(
            [f"answer {event}" if place == "the first" else "watch"],
            ["watch"] if place == "the first" else [f"answer {event}", "watch"],
            POST if event.startswith("request") else "{request: {}}, {response: {body: x}}",
        )
        for event in ("request headers", "request body", "response headers", "response body")
        for place in ("the first", "the last")
    },
    "an answer alone": chained(["answer request headers"], [], POST),
    "an answer is held by the first": chained(["hold response"], ["answer request headers"], POST),
    "one closes": chained(["watch"], ["close", "watch"], POST),
    "one traps": chained(["watch"], ["trap", "watch"], TRAP),
    "one that may fail open traps": (
        f"setup: {{after: [{{module: trap, fail_open: true}}]}}, steps: [{TRAP}, {{stream: b, request: {{}},"
        " expect: {crash: {contains: a}, upstream: {sent: true}}}]"
    ),
    "the client goes away": chained(["watch"], ["watch"], "{request: {open: true}}, {disconnect: true}"),
    "two streams": chained(["watch"], ["watch"], CROSSING),
    "all may call": chained(
        ["ask"],
        ["ask"],
        "{request: {}, expect: {calls: [{cluster: a}, {cluster: a}]}}, {reply: {status: 201}},"
        " {reply: {failed: true}}",
    ),
    "metrics are the proxy's": chained(["count"], ["count"], "{request: {}, expect: {metrics: {tea: 4}}}"),
    "what one sets another gets": chained(["set"], ["get"], "{request: {}, expect: {client: {body: tea}}}"),
    "logs in order": f"{chained(['a'], ['b'], '{request: {}}')}, expect: {{logs: [a, b]}}",
    "this one once more": "setup: {before: [{name: again}]}, steps: [{request: {}}]",
    "one refuses": (
        "setup: {after: [{module: a}, {module: refuse}, {module: b}]}, expect: {refused: true, logs: [tea]}"
    ),
}


@pytest.fixture(scope="module")
def both() -> dict[str, tuple[Played, Played]]:
    """How each chain went on the host, and on Envoy."""
    host = hosted(OBSERVER, *CHAINS.values(), others=NEIGHBORS)
    envoy = compared(host, staged(OBSERVER, *CHAINS.values(), known=frozenset("a"), others=NEIGHBORS))
    return dict(zip(CHAINS, zip(host, envoy, strict=True), strict=True))


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_is_the_same_on_both(both: dict[str, tuple[Played, Played]], name: str) -> None:
    host, envoy = both[name]
    assert problems(host) == []
    assert problems(envoy) == []
    assert len(envoy.steps) == len(host.steps)
    if name != "one refuses":  # where Envoy tells the last attempt alone
        assert told(envoy.trace) == told(host.trace)


def test_what_a_chain_cannot_be_is_said() -> None:
    long = chained(["watch"] * 5, [], "{request: {}}")
    ticking = chained(["tick"], ["tick"], "{request: {}}, {tick: 1}")
    first, second = staged(OBSERVER, long, ticking, others=NEIGHBORS)
    assert first.left_out == [LeftOut("setup.before", "there are 4 places")]
    assert [left.what for left in second.left_out] == ["tick"]
