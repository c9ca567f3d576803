"""Every host function is played by scenarios, by filters of every language, on the host as on Envoy.

What was called is read off the traces: a host function that nobody plays fails here, without a list.
"""

import re

import pytest

from modules.chains import told
from suite import BY_HAND, LANGUAGES, PAGE, by_hand, called, column, columns_of, performance
from weft.scenario import Played
from weft.testhost.hostcalls import hostcalls
from weft.wasm import ABI_VERSIONS, CALLBACKS
from weft.workflows.testing.coverage import coverage
from worlds.staging import problems

EVERY_LANGUAGE = pytest.mark.parametrize(
    "language",
    [
        pytest.param(name, marks=[pytest.mark.real(name, "envoy"), pytest.mark.xdist_group(f"suite {name}")])
        for name in LANGUAGES
    ],
)
NEVER = {"proxy_on_foreign_function", "proxy_validate_configuration"}
"""Envoy knows these callbacks and calls them for nobody."""


def heard(played: Played) -> list[str]:
    """The callbacks, with nothing that is another number every time: those of queues."""
    return [re.sub(r"(queue_ready\(\d+), \d+", r"\1", line) for line in told(played.trace)]


@EVERY_LANGUAGE
def test_what_a_filter_does_is_the_same_on_both(language: str) -> None:
    suite = performance(language)
    assert {played.case.where for played in suite.host} == set(LANGUAGES[language][1])
    for host, envoy in zip(suite.host, suite.envoy, strict=True):
        about = (host.case.where, host.case.name)
        assert (about, problems(host), problems(envoy)) == (about, [], [])
        assert (about, heard(envoy)) == (about, heard(host))
        assert (about, len(envoy.steps)) == (about, len(host.steps))


@EVERY_LANGUAGE
def test_the_filter_uses_all_that_it_imports_and_exports(language: str) -> None:
    suite = performance(language)
    for plays in (suite.host, suite.envoy):
        callbacks, functions = coverage(suite.module, plays)
        assert {name for name in functions.unused if name.startswith("env.")} == set()
        assert set(callbacks.unused) - NEVER == set()


@EVERY_LANGUAGE
def test_the_page_says_which_scenarios_play_a_function(language: str) -> None:
    assert columns_of(PAGE.read_text())[language] == column(language), "run `python tests/suite.py`"


@pytest.mark.real("cpp", "envoy")
@pytest.mark.xdist_group("suite cpp")
def test_no_host_function_is_left_out() -> None:
    plays = [performance("cpp"), *map(by_hand, BY_HAND)]
    wanted = {".".join(key) for abi in ABI_VERSIONS for key in hostcalls(abi)}
    on_host, on_envoy = (
        {name for one in plays for name in called(one.host if host else one.envoy)} for host in (True, False)
    )
    assert (wanted - on_host, wanted - on_envoy) == (set(), set())


@pytest.mark.real("cpp", "envoy")
@pytest.mark.xdist_group("suite cpp")
def test_no_callback_is_left_out() -> None:
    exported = coverage(performance("cpp").module, performance("cpp").host)[0]
    assert {row.name for row in CALLBACKS} - set(exported.used) == NEVER


@pytest.mark.real("envoy")
@pytest.mark.xdist_group("suite cpp")
@pytest.mark.parametrize("name", BY_HAND)
def test_what_no_sdk_calls_is_answered_the_same(name: str) -> None:
    (host,), (envoy,) = by_hand(name).host, by_hand(name).envoy
    assert (problems(host), problems(envoy)) == ([], [])
    assert answers(envoy) == answers(host)


def answers(played: Played) -> list[str]:
    """What was called, and what came back."""
    return [line for line in played.trace if line.startswith(("[vm->host] ", "[vm<-host] "))]
