"""The same scenario on the test host and on a real Envoy: the same is seen, and what cannot be is said.

Guests are assembled, each to do one thing; one Envoy a guest.
"""

import asyncio
import os
from pathlib import Path

import pytest

from modules.guests import HEAP, TEXT, answering, calling, running
from modules.wasm_encoder import proxy_module
from weft.envoy import Native
from weft.errors import WeftError
from weft.scenario import LeftOut
from weft.workflows.testing import on_envoy
from weft.workflows.testing.on_both import compared
from weft.workflows.testing.on_envoy import EnvoyJob, play_on_envoy
from worlds.staging import PROJECT, cases_of, envoy, hosted, problems, staged

pytestmark = pytest.mark.real("envoy")

NOTHING = proxy_module()
RESPONDING = ("proxy_send_local_response", (418, TEXT, 3, TEXT, 3, 0, 0, 0xFFFFFFFF))
GRPC = "{content-type: application/grpc}"
TICKS = "the filter's timer runs in real time, so the number of ticks is not exact"
WHICH = "Envoy does not show which of several histograms was given which value"
CLOCK = "the filter reads the clock, and time really passes; only their number is compared"


FULL = (
    "request: {headers: {':method': POST, ':path': '/a?b=c', cookie: a=1, x: [one, two], te: trailers,"
    " x-forwarded-proto: https, x-request-id: mine, date: yesterday}, chunks: [ab, c], trailers: {t: [1, 2]}}"
)
BACK = (
    "response: {status: 201, headers: {set-cookie: [a=1, b=2], server: mine, date: today,"
    " content-length: 5}, chunks: [hel, lo], trailers: {last: 1}}"
)
PIECEMEAL = """steps: [
    {request: {open: true, body: a}}, {request_body: {body: b, open: true}},
    {request_body: {trailers: {t: 1}}}, {response: {open: true}}, {response_body: {body: z}}]"""
CROSSING = """steps: [
    {stream: a, request: {headers: {':path': /a}}}, {stream: b, request: {headers: {':path': /b}}},
    {stream: b, response: {body: to b}}, {stream: a, response: {body: to a}}]"""
PASSING = """steps: [
    {request: {}, expect: {crash: {contains: the_callback}}},
    {stream: b, request: {}, expect: {crash: {contains: a}, upstream: {sent: true}}}]"""


@pytest.mark.parametrize(
    ("module", "scenarios"),
    [
        pytest.param(
            NOTHING,
            [
                f"steps: [{{{FULL}}}, {{{BACK}}}]",
                "steps: [{request: {}}, {response: {status: 204}}]",
                "steps: [{request: {headers: {':method': HEAD, ':scheme': https}}}, {response: {}}]",
                "steps: [{request: {body: ''}}, {response: {body: ''}}]",
                PIECEMEAL,
                "steps: [{request: {open: true}}, {response: {body: early}}]",
                "steps: [{request: {open: true}}, {disconnect: true}]",
                "steps: [{request: {}}, {response: {open: true, body: a}}, {disconnect: true}]",
                CROSSING,
                "steps: [{request: {body: {base64: /w==}, headers: {raw: é}}}, {response: {body: ñ}}]",
                f"steps: [{{request: {{body: {'x' * 40000}}}}}, {{response: {{body: {'y' * 70000}}}}}]",
            ],
            id="nothing",
        ),
        *(
            pytest.param(
                answering(
                    on_request_headers=headers, on_request_body=body, on_request_trailers=0,
                    on_response_headers=headers, on_response_body=body, on_response_trailers=0, on_done=1,
                ),
                [f"steps: [{{{FULL}}}]", "steps: [{request: {}}]", "steps: [{request: {chunks: [a, b]}}]"],
                id=f"headers {headers} body {body}",
            )
            for headers, body in ((1, 0), (0, 1), (0, 2), (0, 3))
        ),
        pytest.param(
            answering(on_response_headers=0, on_response_body=1, on_response_trailers=0, on_done=1),
            [f"steps: [{{request: {{}}}}, {{{BACK}}}]", "steps: [{request: {}}, {response: {body: a}}]"],
            id="a response that waits",
        ),
        *(
            pytest.param(
                calling(RESPONDING, during=f"proxy_on_request_{part}", returns=1, text=b"tea"),
                [
                    "steps: [{request: {open: true}}, {request_body: {body: a}}]",
                    "steps: [{request: {headers: {':method': HEAD}, body: a}}]",
                    f"steps: [{{request: {{headers: {GRPC}, body: a}}}}]",
                ],
                id=f"a local response to the request's {part}",
            )
            for part in ("headers", "body")
        ),
        *(
            pytest.param(
                calling(RESPONDING, during=f"proxy_on_response_{part}", returns=1, text=b"tea"),
                ["steps: [{request: {}}, {response: {open: true, body: b}}]"],
                id=f"a local response to the response's {part}",
            )
            for part in ("headers", "body")
        ),
        pytest.param(
            calling(("proxy_close_stream", (0,)), during="proxy_on_request_headers", returns=1),
            ["steps: [{request: {}}]"],
            id="a stream that is closed",
        ),
        pytest.param(
            running(b"\0\x41\0"),
            [
                "steps: [{request: {}, expect: {crash: {contains: unreachable}, client: {status: 503}}}]",
                f"plugin: {{fail_open: true}}, {PASSING}",
                f"steps: [{{request: {{headers: {GRPC}}}}}], expect: {{crash: {{contains: unreachable}}}}",
            ],
            id="a crash",
        ),
        pytest.param(
            calling(
                ("proxy_log", (2, TEXT, 3)), ("proxy_log", (3, TEXT, 2)), ("proxy_log", (0, TEXT, 1)),
                during="proxy_on_request_headers", returns=0, text=b"a\nb",
            ),
            ["steps: [{request: {}}]", "steps: [{request: {}}, {stream: b, request: {}}]"],
            id="logs",
        ),
        pytest.param(
            calling(("proxy_log", (4, TEXT, 3)), during="proxy_on_configure", returns=0, text=b"bad"),
            ["expect: {refused: true, logs: [{level: error, message: bad}]}"],
            id="a refusal",
        ),
        pytest.param(
            calling(
                ("proxy_define_metric", (0, TEXT, 1, 64)), ("proxy_define_metric", (2, TEXT, 2, 68)),
                ("proxy_define_metric", (2, TEXT, 3, 72)), ("proxy_define_metric", (1, TEXT, 4, 76)),
                ("proxy_increment_metric", (4, 3)), ("proxy_record_metric", (6, 250)),
                ("proxy_record_metric", (10, 1 << 40)), ("proxy_record_metric", (6, 0)),
                ("proxy_record_metric", (5, 17)),
                during="proxy_on_request_headers", returns=0, text=b"mnop",
            ),
            ["steps: [{request: {}}], expect: {metrics: {m: 3, mn: [250, 0], mnop: 17}}", "steps: []"],
            id="metrics",
        ),
    ],
)  # fmt: skip
def test_both_show_the_same(module: bytes, scenarios: list[str]) -> None:
    host, envoy = hosted(module, *scenarios), staged(module, *scenarios)
    assert [problems(played) for played in host] == [[] for _ in scenarios]
    assert [problems(played) for played in compared(host, envoy)] == [[] for _ in scenarios]


@pytest.mark.parametrize(
    ("module", "scenario", "left_out"),
    [
        pytest.param(
            NOTHING, "setup: {clock: 2026-01-01T00:00:00Z}, steps: [{request: {}}]",
            [(0, LeftOut("setup.clock", "Envoy's clock is the machine's"))],
            id="a clock",
        ),
        pytest.param(
            NOTHING, "steps: [{request: {headers: {cookie: [a=1, b=2]}}}]",
            [(0, LeftOut("step 1: request.headers.cookie", "HTTP/2 makes one of several"))],
            id="several cookies",
        ),
        pytest.param(
            NOTHING, "steps: [{request: {}}, {advance: 1m}, {response: {status: 404}}]",
            [(2, LeftOut("advance", "it would really take 1m"))],
            id="a long time",
        ),
        pytest.param(
            calling(("proxy_set_tick_period_milliseconds", (60_000,))), "steps: [{request: {}}, {tick: 1}]",
            [(2, LeftOut("tick", "it would really take 60000 ms"))],
            id="a slow timer",
        ),
        pytest.param(
            calling(("proxy_set_tick_period_milliseconds", (1,)), also={"proxy_on_tick": 0}),
            "steps: [{request: {}}, {tick: 1}]",
            [(2, LeftOut("tick", TICKS))],
            id="a fast timer",
        ),
        pytest.param(
            calling(RESPONDING, during="proxy_on_response_headers", returns=1, text=b"tea"),
            "steps: [{request: {}}, {response: {}, expect: {local_reply: {status: 418, details: other}}}]",
            [(2, LeftOut("local_reply.details", "Envoy does not tell them once a response has begun"))],
            id="details of a direct reply",
        ),
        pytest.param(
            calling(("proxy_set_shared_data", (TEXT, 1, TEXT, 1, 0)), text=b"x"),
            "expect: {shared_data: {x: y}}",
            [(1, LeftOut("shared_data.x", "Envoy does not show shared data"))],
            id="shared data",
        ),
        pytest.param(
            calling(
                ("proxy_define_metric", (2, TEXT, 1, 64)), ("proxy_define_metric", (2, TEXT + 1, 1, 64)),
                text=b"xy",
            ),
            "expect: {metrics: {x: []}}",
            [(1, LeftOut("metrics.x", WHICH))],
            id="histograms that cannot be told apart",
        ),
        pytest.param(
            calling(
                ("proxy_get_current_time_nanoseconds", (64,)), ("proxy_define_metric", (2, TEXT, 1, 64)),
                ("proxy_record_metric", (6, 3)), text=b"x",
            ),
            "expect: {metrics: {x: [4]}}",
            [(1, LeftOut("metrics.x", CLOCK))],
            id="what was measured",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(module: bytes, scenario: str, left_out: list[tuple[int, LeftOut]]) -> None:
    (played,) = staged(module, scenario)
    assert problems(played) == []
    assert [(step.number, left) for step in played.steps for left in step.left_out] == left_out


CALLING = calling(
    ("proxy_http_call", (TEXT, 1, TEXT + 1, 61, 0, 0, 0, 0, 300, 64)),
    during="proxy_on_request_headers", returns=1,
    text=b"a\3\0\0\0\7\0\0\0\3\0\0\0\5\0\0\0\1\0\0\0\12\0\0\0\1\0\0\0:method\0GET\0:path\0/\0:authority\0x\0",
)  # fmt: skip
CALLS = "calls: [{cluster: a, timeout: 300, headers: {':authority': x}}]"


@pytest.mark.parametrize(
    ("scenario", "known"),
    [
        pytest.param(f"steps: [{{request: {{}}, expect: {{{CALLS}}}}}]", frozenset(), id="named"),
        pytest.param("steps: [{request: {}, expect: {calls: [{}]}}]", frozenset({"a"}), id="known"),
        pytest.param("steps: [{request: {}, expect: {calls: []}}]", frozenset(), id="nobody"),
        pytest.param(
            "setup: {clusters: [b]}, steps: [{request: {}, expect: {calls: []}}]", frozenset("a"),
            id="another",
        ),
        pytest.param(
            f"steps: [{{request: {{}}}}, {{reply: {{cluster: a, timeout: true}}}}], expect: {{{CALLS}}}",
            frozenset(), id="timed out",
        ),
    ],
)  # fmt: skip
def test_a_filter_reaches_the_servers_it_may_call(scenario: str, known: frozenset[str]) -> None:
    (played,) = staged(CALLING, scenario, known=known)
    assert problems(played) == []


def test_an_envoy_that_a_filter_brought_down_is_replaced() -> None:
    endless = running(b"\3\x40\x0c\0\x0b\0")
    job = EnvoyJob(endless, envoy(), dict(os.environ), PROJECT, lambda _: frozenset(), patience=1.0)
    cases = cases_of("steps: [{request: {}}]", "steps: []", "steps: [{request: {}}]")
    first, second, third = asyncio.run(play_on_envoy(cases, job, 1))
    words = "Envoy has not answered for 1 s: does the filter run in a loop?"
    assert problems(first) == problems(third) == [f"0: envoy: 'it answers', '{words}'"]
    assert problems(second) == []


def test_many_cases_are_spread_over_envoys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_envoy, "_WORTH_AN_ENVOY", 4)
    job = EnvoyJob(NOTHING, envoy(), dict(os.environ), PROJECT, lambda _: frozenset())
    paths = [f"/{number}" for number in range(12)]
    cases = cases_of(*(f"steps: [{{request: {{headers: {{':path': {path}}}}}}}]" for path in paths))
    results = asyncio.run(play_on_envoy(cases, job, 2))
    seen = [played.steps[-1].observed for played in results]
    assert [dict(one.upstream.headers or ())[":path"] for one in seen if one] == paths


async def test_an_envoy_that_does_not_start_is_the_failure_itself() -> None:
    job = EnvoyJob(NOTHING, Native(Path("/bin/false")), {}, PROJECT, lambda _: frozenset())
    with pytest.raises(WeftError, match="Envoy ended with exit code 1"):
        await play_on_envoy(cases_of("steps: []"), job, 1)


def test_what_differs_is_a_mismatch_though_nothing_was_expected() -> None:
    """A filter can tell them apart: only Envoy has an address of its own to tell."""
    module = calling(
        ("proxy_get_property", (TEXT, 14, 64, 68)),
        ("proxy_send_local_response", (200, 0, 0, HEAP, 9, 0, 0, 0)),
        during="proxy_on_request_headers", returns=1, text=b"source\0address",
    )  # fmt: skip
    scenario = "steps: [{request: {}}]"
    host, envoy = hosted(module, scenario), staged(module, scenario)
    assert problems(host[0]) == problems(envoy[0]) == []
    found = problems(compared(host, envoy)[0])
    assert found[0].startswith("1: client.body is not as on the host: ")
    assert "127.0.0.1" in found[0]
