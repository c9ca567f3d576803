"""What a real Envoy cannot do or show is said with its reason, and so is what is not known yet."""

from typing import Any

import pytest

from weft.scenario import Case, Expect, LeftOut, Observed, Request, Setup, Step, parse
from weft.stage.limits import case_limits, fit, step_limit

HTTP2 = "it is played over HTTP/2, which has none"


def case_of(scenario: str) -> Case:
    (case,) = parse(f"scenarios: [{{name: a, {scenario}}}]", where="x.yaml")
    return case


@pytest.mark.parametrize(
    ("scenario", "left_out"),
    [
        ("setup: {clock: now}", [LeftOut("setup.clock", "Envoy's clock is the machine's")]),
        (
            "setup: {properties: {node: x}}",
            [LeftOut("setup.properties", "Envoy takes properties from the connection itself")],
        ),
        (
            "setup: {log_level: warn}",
            [
                LeftOut(
                    "setup.log_level",
                    "Envoy logs everything here, so that the calls of the filter can be seen",
                )
            ],
        ),
        ("steps: [{request: {headers: {Host: x}}}]", [LeftOut("step 1: request.headers.host", HTTP2)]),
        ("steps: [{request: {headers: {te: gzip}}}]", [LeftOut("step 1: request.headers.te", HTTP2)]),
        ("steps: [{request: {headers: {te: trailers}}}]", []),
        (
            "steps: [{response: {headers: {upgrade: x}}}]",
            [LeftOut("step 1: response.headers.upgrade", HTTP2)],
        ),
        (
            "steps: [{reply: {headers: {connection: x}}}]",
            [LeftOut("step 1: reply.headers.connection", HTTP2)],
        ),
        (
            "steps: [{tick: 1}, {request: {headers: {cookie: [a, b]}}}]",
            [LeftOut("step 2: request.headers.cookie", "HTTP/2 makes one of several")],
        ),
        ("steps: [{response: {headers: {set-cookie: [a, b]}}}, {disconnect: true}]", []),
    ],
)
def test_a_case_that_cannot_be_played_says_why(scenario: str, left_out: list[LeftOut]) -> None:
    assert list(case_limits(case_of(scenario))) == left_out


class LaterStep(Step, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A step as it may be one day."""

    grpc_reply: dict[str, Any] | None = None

    @property
    def actions(self) -> list[str]:
        return ["grpc_reply"]


class LaterSetup(Setup, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A setup as it may be one day."""

    region: str | None = None


def test_a_step_of_a_later_kind_is_refused_in_one_sentence() -> None:
    plain = case_of("steps: [{request: {}}]")
    later = Case("a", plain.plugin, plain.setup, (LaterStep(grpc_reply={}),), None, "x.yaml")
    assert case_limits(later) == (LeftOut("step 1.grpc_reply", "it cannot be played there"),)


class LaterRequest(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A request as it may be one day."""

    protocol: str = "h1"


def test_a_word_of_a_later_request_is_refused_in_one_sentence() -> None:
    plain = case_of("steps: []")
    steps = (Step(request=LaterRequest()), Step(request=LaterRequest(protocol="h3")))
    later = Case("a", plain.plugin, plain.setup, steps, None, "x.yaml")
    assert case_limits(later) == (LeftOut("step 2.request.protocol", "it cannot be played there"),)


def test_a_word_of_a_later_setup_is_refused_in_one_sentence() -> None:
    plain = case_of("steps: []")
    later = Case("a", plain.plugin, LaterSetup(region="eu"), (), None, "x.yaml")
    assert case_limits(later) == (LeftOut("setup.region", "it cannot be played there"),)


@pytest.mark.parametrize(
    ("step", "ticking", "chained", "left_out"),
    [
        ("{tick: 1}", True, False, None),
        ("{tick: 1}", True, True, "tick"),
        ("{advance: 1s}", True, False, "advance"),
        ("{advance: 1s}", False, False, None),
        ("{advance: 6s}", False, False, "advance"),
        ("{request: {}}", True, True, None),
    ],
)
def test_a_step_that_needs_another_time_ends_the_case(
    step: str, ticking: bool, chained: bool, left_out: str | None
) -> None:
    found = step_limit(case_of(f"steps: [{step}]").steps[0], ticking=ticking, chained=chained)
    assert (found.what if found else None) == left_out


@pytest.mark.parametrize(
    ("given", "kept"),
    [([5, 6], [5, 6]), ([5], [1, 2])],
    ids=["as many", "fewer"],
)
def test_values_from_the_clock_are_counted(given: list[int], kept: list[int]) -> None:
    expect = Expect(metrics={"ms": [1, 2], "total": 3})
    seen = Observed(metrics={"ms": given, "total": 4})
    fitting, left = fit(expect, seen, clock_read=True, unknown=frozenset())
    assert fitting.metrics == {"ms": kept, "total": 3}
    assert [one.what for one in left] == ["metrics.ms"]


def test_what_can_be_judged_stays() -> None:
    expect = Expect(metrics={"ms": [1], "total": 3}, quiet="warn", shared_data=None)
    fitting, left = fit(expect, Observed(metrics={"ms": [2]}), clock_read=False, unknown=frozenset())
    assert (fitting, left) == (expect, ())
