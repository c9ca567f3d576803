"""What is a finding, and which findings are the same."""

import pytest

from weft.scenario import (
    Case,
    Mismatch,
    Observed,
    ObservedLog,
    ObservedMessage,
    Played,
    Plugin,
    Setup,
    StepResult,
)
from weft.testhost import Probed
from weft.workflows.testing.findings import Kind, differing, failing, found_on_host

CASE = Case("a", Plugin(), Setup(), (), None, "x.yaml")
TRACE = "\nProxy-Wasm plugin in-VM backtrace:\n  0:  0x41c - deep3\n  1:  0x400 - on_request"

ELSEWHERE = TRACE.replace("0x41c", "0x42c")
STACK = "f failed: Uncaught RangeError: Maximum call stack size exceeded"
OTHER = "crash is not as on the host"
LOOP = "f failed: stopped by weft: the code ran too long without an end"


def played(*results: StepResult) -> Played:
    return Played(CASE, results)


def crash(words: str, *logs: ObservedLog) -> Played:
    failure = f"Function: {words}"
    found = Mismatch("crash", "the filter lives", failure)
    return played(StepResult(1, (found,), (), Observed(failure=failure, logs=logs)))


def seen(**what: object) -> Played:
    return played(StepResult(1, (), (), Observed(**what)))  # type: ignore[arg-type]


def refused(words: str) -> Played:
    found = Mismatch("refused", "the filter starts", words)
    return played(StepResult(0, (found,), (), Observed(refused=words)))


def test_a_filter_that_lives_is_no_finding() -> None:
    assert failing(seen()) is None
    assert found_on_host(Probed(CASE, seen())) is None


def test_a_trap_shows_its_backtrace_and_what_was_logged_before() -> None:
    panic = ObservedLog("critical", "panicked at src/lib.rs:7")
    found = failing(
        crash("on_x failed: Uncaught RuntimeError: unreachable" + TRACE, ObservedLog("info", "hi"), panic)
    )
    assert found is not None
    assert found.kind is Kind.TRAP
    assert found.title == "on_x failed: Uncaught RuntimeError: unreachable"
    assert found.detail == (
        "critical: panicked at src/lib.rs:7",
        "Proxy-Wasm plugin in-VM backtrace:",
        "  0:  0x41c - deep3",
        "  1:  0x400 - on_request",
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(f"f failed: 7 of 8{TRACE}", f"f failed: 9 of 8{TRACE}", True, id="numbers"),
        pytest.param(f"f failed: a{TRACE}", f"f failed: b{TRACE}", False, id="words"),
        pytest.param(f"f failed: a{TRACE}", f"f failed: a{ELSEWHERE}", False, id="place"),
        pytest.param(f"f failed: a{TRACE}", f"f failed: a{TRACE}\n  2:  0x400 - on_x", True, id="depth"),
        pytest.param(f"{STACK}{TRACE}", f"{STACK}{ELSEWHERE}", True, id="stack"),
        pytest.param(f"{LOOP}{TRACE}", f"{LOOP}{ELSEWHERE}", True, id="loop"),
    ],
)  # fmt: skip
def test_the_same_cause_has_the_same_key(one: str, other: str, *, same: bool) -> None:
    first, second = failing(crash(one)), failing(crash(other))
    assert first is not None
    assert second is not None
    assert (first.key == second.key) is same


def test_code_without_an_end_is_no_trap() -> None:
    found = failing(crash(LOOP))
    assert found is not None
    assert found.kind is Kind.ENDLESS


def test_a_refusal_is_a_finding_only_when_the_filter_failed() -> None:
    words = "Failed to configure base Wasm plugin\nerror: config: x"
    assert failing(refused(words)) is None
    found = failing(refused(f"{words}\nFunction: proxy_on_configure failed: y{TRACE}"))
    assert found is not None
    assert found.title == "proxy_on_configure failed: y"


def test_what_is_held_is_named_once_for_each_direction() -> None:
    found = found_on_host(Probed(CASE, seen(), ("request of a", "request of b", "response of c")))
    assert found is not None
    assert (found.kind, found.title) == (Kind.HELD, "the filter holds a request and a response for good")
    assert found.detail == ("request of a", "request of b", "response of c")


def test_a_difference_shows_both_sides() -> None:
    host, envoy = (seen(client=ObservedMessage(((":status", "200"), ("x", value)))) for value in ("a", "b"))
    found = differing(host, envoy)
    assert found is not None
    assert (found.kind, found.title) == (Kind.DIFFERS, "client.headers.x is not as on the host")
    assert found.detail == ("host   a", "envoy  b")
    assert differing(host, host) is None


@pytest.mark.parametrize(
    ("host", "envoy", "title"),
    [
        pytest.param(crash(f"f failed: a{TRACE}"), crash("f failed: a"), None, id="in the same way"),
        pytest.param(crash("f failed: a"), crash("f failed: b"), OTHER, id="in another way"),
        pytest.param(seen(), crash("f failed: b"), OTHER, id="only there"),
        pytest.param(crash("f failed: a"), seen(), OTHER, id="only here"),
    ],
)  # fmt: skip
def test_failures_are_compared_by_their_words(host: Played, envoy: Played, title: str | None) -> None:
    found = differing(host, envoy)
    assert (found and found.title) == title


def test_two_refusals_are_the_same_whatever_they_say() -> None:
    assert differing(refused("a"), refused("b")) is None
    assert differing(seen(), refused("b")) is not None
