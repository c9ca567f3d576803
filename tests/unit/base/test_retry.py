"""When to try again: a table of decisions, no waiting."""

import pytest

from weft.base.retry import Patience

PATIENCE = Patience(tries=5, first=1.0, longest=4.0, deadline=60.0)


@pytest.mark.parametrize(
    ("failures", "spent", "asked", "wait"),
    [
        pytest.param(1, 0, 0, 1.0, id="after the first"),
        pytest.param(2, 1, 0, 2.0, id="twice as long"),
        pytest.param(4, 7, 0, 4.0, id="not longer than the longest"),
        pytest.param(5, 11, 0, None, id="no more tries"),
        pytest.param(1, 0, 30, 30.0, id="as long as was asked for"),
        pytest.param(1, 0, 0.1, 1.0, id="asked for less than we would wait"),
        pytest.param(1, 0, 61, None, id="asked to wait past the deadline"),
        pytest.param(2, 59, 0, None, id="deadline reached"),
    ],
)
def test_the_wait_is_decided(failures: int, spent: float, asked: float, wait: float | None) -> None:
    assert PATIENCE.wait(failures, spent=spent, asked=asked) == wait


def test_chance_takes_away_half_at_most() -> None:
    assert PATIENCE.wait(1, spent=0, chance=0.0) == 0.5
    assert PATIENCE.wait(1, spent=0, chance=0.5) == 0.75


def test_chance_never_shortens_what_was_asked_for() -> None:
    assert PATIENCE.wait(1, spent=0, asked=10, chance=0.0) == 10
