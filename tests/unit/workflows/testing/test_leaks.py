"""Which scenario leaves something behind."""

import pytest

from modules.planted import GROWING, METRIC_EACH_TIME, SOUND, TIRING, growing_to
from modules.wasm_encoder import producers
from weft.scenario import Case, parse
from weft.testhost import Code, Plugin
from weft.workflows.testing.findings import Kind
from weft.workflows.testing.leaks import Leak, LeakSearch


def cases(*steps: str) -> list[Case]:
    return parse(f"scenarios: [{', '.join(f'{{name: a, steps: {one}}}' for one in steps)}]", where="x")


HEAP = "the filter's memory grows by about"
METRICS = "about 1 metrics more are defined each time"
GO = producers({"language": [("Go", "1.26")]})
INNOCENT, GUILTY = "[{tick: 1}]", "[{request: {}}]"


def search(module: bytes, *, allowed: float = 0) -> LeakSearch:
    return LeakSearch(Code.load(module), Plugin("my", "r"), allowed=allowed)


def test_a_sound_filter_leaks_nothing() -> None:
    assert search(SOUND).search(cases(GUILTY, INNOCENT)) == []


@pytest.mark.parametrize(
    ("module", "what", "amount", "title"),
    [
        pytest.param(GROWING, "memory", 1024, f"{HEAP} 1000 bytes each time", id="heap"),
        pytest.param(METRIC_EACH_TIME, "metrics", 1, METRICS, id="metrics"),
        pytest.param(TIRING, "failure", 1000, "the filter fails after at most 1000 times", id="an end"),
    ],
)  # fmt: skip
def test_the_scenario_that_leaks_is_found_among_others(
    module: bytes, what: str, amount: float, title: str
) -> None:
    given = cases(INNOCENT, INNOCENT, INNOCENT, GUILTY, INNOCENT)
    [leak] = search(module).search(given)
    assert leak.what == what
    assert leak.amount == pytest.approx(amount, rel=0.05)
    assert leak.case is given[3]
    assert leak.finding.kind is Kind.LEAK
    assert leak.finding.title == title


def test_a_little_may_be_allowed() -> None:
    assert search(GROWING, allowed=2000).search(cases(GUILTY)) == []


def test_a_smaller_scenario_is_asked_for_the_same_leak() -> None:
    [leak] = search(GROWING).search(cases(GUILTY))
    fails = search(GROWING).fails_like(leak)
    given = cases(INNOCENT, GUILTY)
    assert fails(given) is given[1]
    assert fails(given[:1]) is None


def test_a_leak_of_several_scenarios_names_none() -> None:
    leak = Leak("shared_data", 0.25)
    assert leak.case is None
    assert leak.finding.title == "about 0.25 keys of shared data more are there each time"


def test_what_a_garbage_collector_has_yet_to_take_is_no_leak() -> None:
    """A heap that grows to its size and stays there; without a collector it would stop earlier."""
    module = growing_to(120)
    given = cases(GUILTY)
    assert [leak.what for leak in search(module).search(given)] == ["memory"]
    assert search(module + GO).search(given) == []


def test_what_grows_beyond_any_garbage_is_one() -> None:
    assert [leak.what for leak in search(GROWING + GO).search(cases(GUILTY))] == ["memory"]


def test_it_can_be_ended_in_the_middle_of_a_round() -> None:
    turns = iter(range(51))

    def check() -> None:
        if next(turns) == 50:
            raise KeyboardInterrupt

    patient = LeakSearch(Code.load(SOUND), Plugin("my", "r"), check=check)
    with pytest.raises(KeyboardInterrupt):
        patient.search(cases(GUILTY))
    assert next(turns, None) is None
