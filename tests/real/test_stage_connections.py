"""A filter of connections hears and does the same on the test host and in front of Envoy's TCP proxy.

The filter does what the bytes say (``tests/real/cpp/network.cc``) and logs all that it is told.
"""

import pytest

from modules.chains import told
from modules.cpp import STRICT, compile_cpp, source
from weft.scenario import Played
from weft.workflows.testing.on_both import compared
from worlds.staging import hosted, problems, staged

pytestmark = pytest.mark.real("envoy", "cpp")

NEW = "{connect: true, expect: {upstream: {sent: true, body: ''}, logs: [create, new]}}"
GO, GONE = "{reply: {}}", "{disconnect: true, expect: {reset: true}}"


def down(text: str, *lines: str, more: str = "") -> str:
    """The client says something, and what the filter logs then."""
    return f"{{downstream_data: {{data: {text}}}, expect: {{logs: [{', '.join(lines)}]{more}}}}}"


def up(text: str, *lines: str, more: str = "") -> str:
    """The upstream says something."""
    return f"{{upstream_data: {{data: {text}}}, expect: {{logs: [{', '.join(lines)}]{more}}}}}"


DOWN_ENDS, UP_ENDS = "{downstream_data: {end: true}}", "{upstream_data: {end: true}}"
UP_BREAKS = "{upstream_data: {reset: true}, expect: {reset: true, client: {ended: false}}}"
KEPT = "{connect: true, expect: {upstream: {sent: false}, logs: [create, new]}}"
LATER = "{reply: {}, expect: {upstream: {sent: true}}}"
TRAP = "expect: {crash: {contains: unreachable}, client: {ended: true}}"
PLAIN = {
    "there and back": [
        NEW, down("hello", "down 5 hello", more=", upstream: {body: hello, ended: false}"),
        up("world", "up 5 world", more=", client: {body: world}"), DOWN_ENDS, up("bye", "up 3 bye"), UP_ENDS,
    ],
    "the upstream ends first": [NEW, UP_ENDS, down("more", "down 4 more"), DOWN_ENDS],
    "in pieces": [
        NEW,
        "{downstream_data: {chunks: [a, b], end: true}, expect: {logs: [down 1 a, down 1 b, 'down 0 end ']}}",
        "{upstream_data: {chunks: [c, d], end: true}, expect: {logs: [up 1 c, up closed 0, down closed 1]}}",
    ],
    "bytes that are no text": [NEW, "{downstream_data: {data: {base64: AAE=}}}"],
    "held from the client": [NEW, down("hold1", "down 5 hold1"), down("x", "down 6 hold1x"), DOWN_ENDS],
    "held from the client, and the upstream ends": [NEW, down("hold", "down 4 hold"), DOWN_ENDS, UP_ENDS],
    "held from the upstream": [NEW, up("hold1", "up 5 hold1"), up("x", "up 6 hold1x"), UP_ENDS],
    "held from the upstream, and the client ends": [NEW, up("hold", "up 4 hold"), UP_ENDS, DOWN_ENDS],
    "the client ended, then held": [NEW, DOWN_ENDS, up("hold", "up 4 hold"), UP_ENDS],
    "the upstream ended, then held": [NEW, UP_ENDS, down("hold", "down 4 hold"), DOWN_ENDS],
    "it goes on": [NEW, down("hold ask", "down 8 hold ask"), GO, down("x", "down 1 x"), DOWN_ENDS, UP_ENDS],
    "it goes on after its end": [NEW, down("hold ask", "down 8 hold ask"), DOWN_ENDS, GO, UP_ENDS],
    "it goes on after the upstream's end": [NEW, down("hold ask", "down 8 hold ask"), UP_ENDS, GO, DOWN_ENDS],
    "it wants to go on after all": [NEW, down("hold ask", "down 8 hold ask"), UP_ENDS, DOWN_ENDS, GO],
    "the upstream's does not go on": [NEW, up("hold ask", "up 8 hold ask"), GO, up("x", "up 9 hold askx")],
    "it closes": [
        NEW, down("close down", "close Ok", "down closed 1", more=", upstream: {body: '', ended: true}"),
    ],
    "it closes at the upstream's word": [NEW, up("close down", "close Ok", "down closed 1", "done", "log")],
    "it closes the upstream": [NEW, down("close up", "close Ok", more=", client: {ended: true}"), down("x")],
    "it closes and holds": [NEW, down("close up hold", "close Ok")],
    "it changes": [
        NEW, down("change", more=", upstream: {body: changed}"),
        up("change", more=", client: {body: changed}"),
    ],
    "it changes what it holds": [
        NEW, down("hold change", "down 11 hold change"), down("x", "down 8 changedx"),
        up("hold change", "up 11 hold change"), up("x", "up 8 changedx"),
    ],
    "the client breaks off": [NEW, down("hello"), GONE],
    "the client breaks off what is held": [NEW, down("hold"), GONE],
    "the upstream breaks off": [NEW, down("hello"), UP_BREAKS],
    "the upstream breaks off what is held": [NEW, up("hold"), UP_BREAKS],
    "it fails": [NEW, f"{{downstream_data: {{data: trap}}, {TRAP}}}"],
    "it fails at the upstream's word": [NEW, f"{{upstream_data: {{data: trap}}, {TRAP}}}"],
    "after a failure": [
        NEW, f"{{downstream_data: {{data: trap}}, {TRAP}}}",
        "{stream: b, connect: true, expect: {crash: {contains: u}, client: {ended: true}}}",
    ],
    "two at a time": [
        NEW, "{stream: b, connect: true}", "{stream: b, downstream_data: {data: to b}}", down("a"),
        "{stream: b, upstream_data: {data: from b}, expect: {client: {body: from b}}}", up("from a"),
    ],
    "time passes": [NEW, down("hold ask"), "{reply: {timeout: true}, expect: {upstream: {body: hold ask}}}"],
}  # fmt: skip
HELD = {
    "a new connection is held": [KEPT, LATER, down("hi", "down 2 hi"), UP_ENDS, DOWN_ENDS],
    "with what comes": [KEPT, "{downstream_data: {chunks: [a, b]}}", LATER, UP_ENDS, DOWN_ENDS],
    "with its end": [KEPT, "{downstream_data: {data: a, end: true}}", LATER, UP_ENDS],
}  # fmt: skip
OPEN = [
    NEW, f"{{downstream_data: {{data: trap}}, {TRAP}}}",
    "{stream: b, connect: true, expect: {crash: {contains: u}, upstream: {sent: true}}}",
    "{stream: b, downstream_data: {data: x}, expect: {crash: {contains: u}, upstream: {body: x}}}",
]  # fmt: skip
SCENARIOS = {
    **{name: f"steps: [{', '.join(steps)}]" for name, steps in PLAIN.items()},
    **{name: f"plugin: {{config: hold}}, steps: [{', '.join(steps)}]" for name, steps in HELD.items()},
    "after a failure, open": f"plugin: {{fail_open: true}}, steps: [{', '.join(OPEN)}]",
    "held for ever": f"plugin: {{config: keep}}, steps: [{KEPT}, {{downstream_data: {{data: a}}}}]",
    "held for ever, and gone": f"plugin: {{config: keep}}, steps: [{KEPT}, {GONE}]",
    "afterwards": f"steps: [{NEW}]",
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Played, Played]]:
    """How each scenario went on the host, and on Envoy."""
    sources = {"filter.cc": source("network.cc")}
    module = compile_cpp(tmp_path_factory.mktemp("network"), sources, flags=STRICT).read_bytes()
    host = hosted(module, *SCENARIOS.values())
    envoy = compared(host, staged(module, *SCENARIOS.values(), known=frozenset("a")))
    return dict(zip(SCENARIOS, zip(host, envoy, strict=True), strict=True))


@pytest.mark.parametrize("name", SCENARIOS)
def test_connections_are_the_same_on_both(both: dict[str, tuple[Played, Played]], name: str) -> None:
    host, envoy = both[name]
    assert problems(host) == []
    assert problems(envoy) == []
    assert len(envoy.steps) == len(host.steps)
    assert told(envoy.trace) == told(host.trace)
