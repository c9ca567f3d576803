"""Steps of scenarios on the host: what cannot happen, what ends a case, what is told at the start."""

import pytest

from modules.guests import TEXT, answering, calling, running
from modules.wasm_encoder import proxy_module
from weft.errors import UsageError
from weft.scenario import Mismatch, Played, parse
from weft.testhost import Code, Plugin, play

NOTHING = proxy_module()
FAILING = running(b"\0\x41\0")
TICKING = calling(("proxy_set_tick_period_milliseconds", (400,)))


def played(module: bytes, scenario: str, defaults: Plugin | None = None) -> Played:
    (case,) = parse(f"scenarios: [{{name: a, {scenario}}}]", where="x.yaml")
    return play(case, Code.load(module), defaults or Plugin())


@pytest.mark.parametrize(
    ("module", "steps", "number", "mismatch"),
    [
        pytest.param(
            NOTHING, "[{response: {}}]", 1,
            Mismatch("stream main", "a request came before", "there was none"), id="response alone",
        ),
        pytest.param(
            answering(on_request_headers=1), "[{request: {}}, {response: {}}]", 2,
            Mismatch("response", "the request went to the upstream", "the filter holds it"), id="held",
        ),
        pytest.param(
            NOTHING, "[{request: {}}, {response: {}}, {response: {}}]", 3,
            Mismatch("response", "the only one of its stream", "one came before"), id="two responses",
        ),
        pytest.param(
            NOTHING, "[{request: {}}, {response: {open: true}}, {response: {}}]", 3,
            Mismatch("response", "the only one of its stream", "one came before"), id="two at once",
        ),
        pytest.param(
            NOTHING, "[{request: {}}, {disconnect: true}, {response: {}}]", 3,
            Mismatch("response", "a stream that is open", "it is over"), id="the client left",
        ),
        pytest.param(
            NOTHING, "[{request: {}}, {reply: {cluster: auth}}]", 2,
            Mismatch("reply", "an open call to auth", "(none)"), id="no call",
        ),
        pytest.param(
            NOTHING, "[{tick: 1}]", 1, Mismatch("tick", "a timer", "the filter set none"), id="no timer",
        ),
        pytest.param(
            FAILING, "[{request: {}}]", 1,
            Mismatch(
                "crash", "the filter lives", "Function: proxy_on_request_headers failed: Uncaught "
                "RuntimeError: unreachable\nProxy-Wasm plugin in-VM backtrace:\n  0:  0x7d - the_callback",
            ),
            id="unexpected failure",
        ),
        pytest.param(
            answering(on_configure=0), "[{request: {}}]", 0,
            Mismatch("refused", "the filter starts", "Failed to configure base Wasm plugin"), id="refusal",
        ),
    ],
)  # fmt: skip
def test_a_case_ends_at_what_should_not_be(
    module: bytes, steps: str, number: int, mismatch: Mismatch
) -> None:
    result = played(module, f"steps: {steps}")
    assert not result.passed
    assert result.steps[-1].number == number
    (found,) = result.steps[-1].mismatches
    assert (found.what, found.expected) == (mismatch.what, mismatch.expected)
    assert found.got.partition("0x")[0] == mismatch.got.partition("0x")[0]


@pytest.mark.parametrize(
    ("module", "scenario"),
    [
        pytest.param(FAILING, "steps: [{request: {}, expect: {crash: {contains: unreachable}}}]", id="crash"),
        pytest.param(
            FAILING, "steps: [{request: {}}], expect: {crash: {contains: unreachable}}", id="crash at the end"
        ),
        pytest.param(
            FAILING, "steps: [{request: {}, expect: {crash: {contains: a}, client: {status: 503}}}]", id="503"
        ),
        pytest.param(answering(on_configure=0), "expect: {refused: true}", id="refusal"),
        pytest.param(TICKING, "steps: [{tick: 3}, {advance: 2s}]", id="ticks"),
        pytest.param(
            NOTHING,
            "steps: [{request: {body: {base64: /w==}, trailers: {t: 1}},"
            " expect: {upstream: {trailers: {t: 1}, body: {regex: '.*xff'}, ended: true}}}]",
            id="bytes and trailers",
        ),
        pytest.param(
            NOTHING,
            "steps: [{request: {open: true}, expect: {upstream: {ended: false}}},"
            " {request_body: {chunks: [a, b]}, expect: {upstream: {body: ab, ended: true}}},"
            " {response: {open: true}},"
            " {response_body: {body: c}, expect: {client: {body: c, ended: true}}}]",
            id="bodies in parts",
        ),
        pytest.param(
            NOTHING, "steps: [{request: {}}, {disconnect: true, expect: {reset: true}}]", id="disconnect"
        ),
    ],
)
def test_a_case_that_goes_as_it_should(module: bytes, scenario: str) -> None:
    result = played(module, scenario)
    assert [step.mismatches for step in result.steps if step.mismatches] == []
    assert result.passed


def test_the_projects_config_is_taken_where_the_scenario_has_none() -> None:
    module = calling(
        ("proxy_get_buffer_bytes", (7, 0, 99, 64, 68)),
        ("proxy_set_shared_data", (TEXT, 1, 4096, 3, 0)),
        during="proxy_on_configure",
        text=b"k",
    )
    defaults = Plugin(config=b"abc")
    assert played(module, "expect: {shared_data: {k: abc}}", defaults).passed
    assert played(module, "plugin: {config: xyz}, expect: {shared_data: {k: xyz}}", defaults).passed
    assert played(module, "plugin: {config: [1]}, expect: {shared_data: {k: '[1]'}}", defaults).passed


def test_a_clock_that_is_no_moment_is_refused() -> None:
    with pytest.raises(UsageError, match="'soon' is no moment"):
        played(NOTHING, "setup: {clock: soon}, steps: [{request: {}}]")


def test_the_trace_of_a_step_is_what_crossed_the_border_in_it() -> None:
    result = played(answering(on_request_headers=0), "steps: [{request: {}}, {response: {}}]")
    assert [len(step.trace) for step in result.steps] == [0, 2, 0]
    assert result.trace == ["[host->vm] proxy_on_request_headers(2, 4, 1)",
                            "[host<-vm] proxy_on_request_headers return: 0"]  # fmt: skip


@pytest.mark.parametrize(("setup", "level"), [("{}", 0), ("{log_level: warn}", 3)], ids=["unsaid", "said"])
def test_a_filter_logs_everything_where_nothing_is_said(setup: str, level: int) -> None:
    module = calling(
        ("proxy_get_log_level", (TEXT,)), ("proxy_set_shared_data", (TEXT, 1, TEXT, 1, 0)), text=b"?"
    )
    step = played(module, f"setup: {setup}, steps: []").steps[0]
    assert step.observed is not None
    assert step.observed.shared_data == {chr(level): chr(level).encode()}
