"""What a filter makes of steps that nobody watched, and what is left when they are done again and again."""

import pytest

from modules.guests import TEXT, answering, calling, running
from modules.planted import ENDLESS, GROWING, HOLDING, METRIC_EACH_TIME, SOUND, TIRING, trapping_on_header
from weft.errors import FilterRefused
from weft.scenario import Case, parse, text_of
from weft.testhost import Code, Left, Limits, Plugin, Probed, probe, soak

DEFAULTS = Plugin("my", "r")
CALLING = calling(
    ("proxy_http_call", (TEXT, 1, TEXT, 0, 0, 0, 0, 0, 1000, 64)),
    during="proxy_on_request_headers",
    returns=1,
    text=b"c",
)
HOLDING_B = answering(on_response_headers=1)
TWICE = "[{stream: b, request: {}}, {stream: b, response: {}}]"


def case_of(steps: str) -> Case:
    [case] = parse(f"scenarios: [{{name: a, steps: {steps}}}]", where="x")
    return case


def probed(module: bytes, steps: str, **limits: int) -> Probed:
    return probe(case_of(steps), Code.load(module), DEFAULTS, limits=Limits(**limits) if limits else None)


def kept(found: Probed) -> str:
    return text_of([found.case]).partition("steps:")[2].strip()


def test_steps_that_cannot_happen_are_passed_over() -> None:
    found = probed(
        SOUND,
        "[{response: {}}, {request: {}}, {reply: {}}, {tick: 1}, {stream: b, disconnect: true},"
        " {response_body: {body: a}}, {response: {}, expect: {client: {status: 500}}}]",
    )
    assert kept(found) == "- request: {}\n  - response: {}"
    assert [step.number for step in found.played.steps] == [0, 1, 2]
    assert found.played.passed


def test_what_was_possible_can_be_played_again() -> None:
    found = probed(SOUND, "[{tick: 1}, {request: {open: true}}, {response: {}}, {request_body: {body: a}}]")
    again = probe(found.case, Code.load(SOUND), DEFAULTS)
    assert again == found


def test_a_failure_is_the_end() -> None:
    found = probed(trapping_on_header(), "[{request: {headers: {x: abcdefgh}}}, {stream: b, request: {}}]")
    assert kept(found) == "- request:\n      headers:\n        x: abcdefgh"
    [mismatch] = found.played.steps[-1].mismatches
    assert mismatch.got.splitlines()[0] == (
        "Function: proxy_on_request_headers failed: Uncaught RuntimeError: unreachable"
    )


@pytest.mark.parametrize("callback", ["proxy_on_log", "proxy_on_done", "proxy_on_delete"])
def test_a_failure_when_the_client_leaves_at_last_is_part_of_the_case(callback: str) -> None:
    found = probed(running(b"\0", during=callback), "[{request: {open: true}}]")
    assert kept(found) == "- request:\n      open: true\n  - disconnect: true"
    assert not found.played.passed


def test_code_without_an_end_is_stopped_as_soon_as_is_said() -> None:
    found = probed(ENDLESS, "[{request: {}}, {response: {}}]", fuel=1000)
    [mismatch] = found.played.steps[-1].mismatches
    assert "the code ran too long without an end" in mismatch.got


@pytest.mark.parametrize(
    ("module", "steps", "held"),
    [
        pytest.param(HOLDING, "[{request: {}}]", ("request of main",), id="nothing comes"),
        pytest.param(HOLDING, "[{request: {open: true}}]", (), id="more may come"),
        pytest.param(HOLDING, "[{request: {}}, {disconnect: true}]", (), id="nobody waits"),
        pytest.param(HOLDING_B, TWICE, ("response of b",), id="a response"),
        pytest.param(HOLDING_B, "[{request: {}}]", (), id="no response came"),
        pytest.param(CALLING, "[{request: {}}]", ("request of main",), id="an answer changes nothing"),
        pytest.param(SOUND, "[{request: {}}, {response: {}}]", (), id="all went on"),
    ],
)  # fmt: skip
def test_a_stream_that_nothing_will_resume_is_held(module: bytes, steps: str, held: tuple[str, ...]) -> None:
    assert probed(module, steps).held == held


def test_a_timer_may_resume_anything() -> None:
    module = calling(
        ("proxy_set_tick_period_milliseconds", (10,)),
        during="proxy_on_configure",
        also={"proxy_on_request_headers": 1},
    )
    assert probed(module, "[{request: {}}]").held == ()


def test_a_filter_that_refuses_has_no_steps() -> None:
    found = probed(answering(on_configure=0), "[{request: {}}]")
    assert found.case.steps == ()
    [step] = found.played.steps
    assert step.observed is not None
    assert step.observed.refused == "Failed to configure base Wasm plugin"


def soaked(module: bytes, steps: str, *rounds: int) -> list[Left]:
    return list(soak([case_of(steps)], Code.load(module), DEFAULTS, rounds))


def test_what_is_sound_leaves_nothing() -> None:
    first, second = soaked(SOUND, "[{request: {open: true}}, {response: {}}]", 10, 100)
    assert first == second
    assert (first.contexts, first.shared_data, first.queued, first.metrics) == (1, 0, 0, 0)


def test_a_heap_that_grows_is_seen() -> None:
    first, second = soaked(GROWING, "[{request: {}}]", 64, 640)
    assert second.memory - first.memory == 10 * 65536


@pytest.mark.parametrize(
    ("module", "what"),
    [
        pytest.param(METRIC_EACH_TIME, "metrics", id="metrics"),
        pytest.param(
            calling(
                ("proxy_register_shared_queue", (TEXT, 1, 64)),
                ("proxy_enqueue_shared_queue", (1, TEXT, 1)),
                during="proxy_on_request_headers", returns=0, text=b"q",
            ),
            "queued",
            id="queue",
        ),
    ],
)  # fmt: skip
def test_what_piles_up_outside_of_the_filter_is_seen(module: bytes, what: str) -> None:
    first, second = soaked(module, "[{request: {}}]", 5, 7)
    assert getattr(second, what) - getattr(first, what) == 7


def test_one_key_of_shared_data_is_one() -> None:
    module = calling(
        ("proxy_set_shared_data", (TEXT, 1, TEXT, 1, 0)),
        during="proxy_on_request_headers", returns=0, text=b"k",
    )  # fmt: skip
    assert [left.shared_data for left in soaked(module, "[{request: {}}]", 5, 5)] == [1, 1]


def test_a_filter_that_fails_after_some_time_says_so_and_ends_it() -> None:
    first, second = soaked(TIRING, "[{request: {}}]", 700, 1, 1)
    assert first.failure is None
    assert "unreachable" in (second.failure or "")


def test_cases_take_turns() -> None:
    cases = [case_of("[{request: {}}]"), case_of("[]")]
    [left] = soak(cases, Code.load(METRIC_EACH_TIME), DEFAULTS, [10])
    assert left.metrics == 5


def test_a_filter_that_does_not_start_cannot_be_soaked() -> None:
    with pytest.raises(FilterRefused):
        soaked(answering(on_configure=0), "[]", 1)
