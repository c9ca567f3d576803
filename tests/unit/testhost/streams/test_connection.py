"""Connections through a network filter on the host: what it is told, and when they close."""

import pytest

from modules.chains import told
from modules.guests import HEAP, TEXT, calling, const
from modules.wasm_encoder import body, proxy_module
from weft.scenario import Mismatch, Played, parse
from weft.testhost import Code, Plugin, play
from weft.wasm import CALLBACKS

SIGNATURES = {row.name: str(row.signature) for row in CALLBACKS if "0.2.1" in row.abis}
HEARD = {
    "new_connection": 0, "downstream_data": 0, "upstream_data": 0, "downstream_connection_close": 0,
    "upstream_connection_close": 0, "done": 1, "log": 0, "delete": 0,
}  # fmt: skip


def relay(**answers: int) -> bytes:
    """A filter of connections that is told everything and returns these numbers."""
    returned = {f"proxy_on_{name}": value for name, value in {**HEARD, **answers}.items()}
    exports = {name: SIGNATURES[name] for name in returned}
    bodies = {
        name: body(b"" if exports[name].endswith("void") else const(value))
        for name, value in returned.items()
    }
    return proxy_module(exports=exports, bodies={"malloc": body(const(HEAP)), **bodies})


def doing(name: str, *arguments: int, during: str, returns: int = 0) -> bytes:
    """One that calls a host function in one callback."""
    also = {f"proxy_on_{event}": value for event, value in HEARD.items() if event != during}
    during = f"proxy_on_{during}"
    return calling((name, arguments), during=during, returns=returns, text=b"new", also=also)


def played(module: bytes, steps: str, plugin: str = "{}") -> Played:
    (case,) = parse(f"scenarios: [{{name: a, plugin: {plugin}, steps: [{steps}]}}]", where="x.yaml")
    return play(case, Code.load(module), Plugin())


END = ["done(2)", "log(2)", "delete(2)"]
NEW = "new_connection(2)"
CONNECT, UP, UP_END = "{connect: true}", "{upstream_data: {data: ab}}", "{upstream_data: {end: true}}"
DOWN, DOWN_END = "{downstream_data: {data: ab}}", "{downstream_data: {end: true}}"
BOTH_BY_UPSTREAM = [
    NEW, "downstream_data(2, 0, 1)", "upstream_data(2, 0, 1)", "upstream_connection_close(2, 0)",
    "downstream_connection_close(2, 1)", *END,
]  # fmt: skip
BOTH_BY_CLIENT = [
    NEW, "upstream_data(2, 0, 1)", "upstream_connection_close(2, 0)", "downstream_data(2, 0, 1)",
    "downstream_connection_close(2, 2)", *END,
]  # fmt: skip


@pytest.mark.parametrize(
    ("module", "steps", "expected"),
    [
        pytest.param(
            relay(), [DOWN, UP], [NEW, "downstream_data(2, 2, 0)", "upstream_data(2, 2, 0)"], id="bytes"
        ),
        pytest.param(relay(), [DOWN_END, UP_END], BOTH_BY_UPSTREAM, id="the upstream ends last"),
        pytest.param(relay(), [UP_END, DOWN_END], BOTH_BY_CLIENT, id="the client ends last"),
        pytest.param(
            relay(), ["{disconnect: true}"], [NEW, "downstream_connection_close(2, 2)", *END], id="gone"
        ),
        pytest.param(
            relay(), ["{upstream_data: {reset: true}}"], [NEW, "downstream_connection_close(2, 1)", *END],
            id="the upstream is gone",
        ),
        pytest.param(
            relay(downstream_data=1), [DOWN, DOWN],
            [NEW, "downstream_data(2, 2, 0)", "downstream_data(2, 4, 0)"], id="what is held is shown again",
        ),
        pytest.param(relay(new_connection=1), [DOWN], [NEW], id="a new connection is held"),
        pytest.param(
            relay(new_connection=1), [DOWN, "{disconnect: true}"], [NEW], id="and nobody sees its client go"
        ),
        pytest.param(
            doing("proxy_close_stream", 2, during="downstream_data"), [DOWN, UP, DOWN],
            [NEW, "downstream_data(2, 2, 0)", "downstream_connection_close(2, 1)", *END], id="closed",
        ),
        pytest.param(
            doing("proxy_continue_stream", 2, during="new_connection", returns=1), [DOWN],
            [NEW, "downstream_data(2, 2, 0)"], id="held, and let go at once",
        ),
    ],
)  # fmt: skip
def test_a_filter_hears_what_envoy_tells(module: bytes, steps: list[str], expected: list[str]) -> None:
    trace = told(played(module, ", ".join([CONNECT, *steps])).trace)
    assert [line for line in trace if not line.startswith("context_create")] == expected


@pytest.mark.parametrize(
    ("module", "steps"),
    [
        pytest.param(
            relay(), "{connect: true, expect: {upstream: {sent: true, ended: false}}},"
            " {downstream_data: {chunks: [a, b], end: true}, expect: {upstream: {body: ab, ended: true}}},"
            " {upstream_data: {data: c}, expect: {client: {body: c, ended: false}, reset: false}}",
            id="through",
        ),
        pytest.param(
            relay(new_connection=1), "{connect: true, expect: {upstream: {sent: false}}}", id="not opened"
        ),
        pytest.param(
            doing("proxy_set_buffer_bytes", 2, 0, 9, TEXT, 3, during="downstream_data"),
            f"{CONNECT}, {{downstream_data: {{data: old}}, expect: {{upstream: {{body: new}}}}}}",
            id="changed on the way up",
        ),
        pytest.param(
            doing("proxy_set_buffer_bytes", 3, 0, 9, TEXT, 3, during="upstream_data"),
            f"{CONNECT}, {{upstream_data: {{data: old}}, expect: {{client: {{body: new}}}}}}",
            id="changed on the way down",
        ),
        pytest.param(
            relay(upstream_data=1),
            f"{CONNECT}, {{upstream_data: {{data: a}}, expect: {{client: {{body: ''}}}}}}",
            id="held on the way down",
        ),
        pytest.param(
            doing("proxy_close_stream", 0, during="downstream_data"),
            f"{CONNECT}, {{downstream_data: {{data: a}}, expect: {{upstream: {{body: a, ended: false}}}}}}",
            id="a connection is no request to close",
        ),
        pytest.param(
            doing("proxy_continue_stream", 0, during="downstream_data", returns=1),
            f"{CONNECT}, {{downstream_data: {{data: a}}, expect: {{upstream: {{body: ''}}}}}}",
            id="a connection is no request to continue",
        ),
        pytest.param(
            relay(), f"{CONNECT}, {{upstream_data: {{reset: true}}, expect: {{reset: true}}}}",
            id="broken off",
        ),
    ],
)  # fmt: skip
def test_what_comes_through(module: bytes, steps: str) -> None:
    assert [step.mismatches for step in played(module, steps).steps if step.mismatches] == []


TRAPPING = proxy_module(
    exports={"proxy_on_downstream_data": SIGNATURES["proxy_on_downstream_data"]},
    bodies={"malloc": body(const(HEAP)), "proxy_on_downstream_data": body(b"\0\x41\0")},
)
SECOND = """{connect: true},
    {downstream_data: {data: a}, expect: {crash: {contains: unreachable}, client: {ended: true}}},
    {stream: b, connect: true, expect: {crash: {contains: u}, upstream: {sent: %s}}}"""


@pytest.mark.parametrize(("plugin", "sent"), [("{}", "false"), ("{fail_open: true}", "true")])
def test_after_a_failure_connections_are_closed_or_passed_on(plugin: str, sent: str) -> None:
    assert [
        step.mismatches for step in played(TRAPPING, SECOND % sent, plugin).steps if step.mismatches
    ] == []


@pytest.mark.parametrize(
    ("module", "steps", "mismatch"),
    [
        (relay(), DOWN, Mismatch("stream main", "a client connected before", "there was none")),
        (
            relay(new_connection=1), f"{CONNECT}, {UP}",
            Mismatch("upstream_data", "the connection reached the upstream", "the filter holds it"),
        ),
    ],
    ids=["nobody connected", "the upstream was not reached"],
)  # fmt: skip
def test_what_cannot_happen_ends_the_case(module: bytes, steps: str, mismatch: Mismatch) -> None:
    assert played(module, steps).steps[-1].mismatches == (mismatch,)
