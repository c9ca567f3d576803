"""Figures against budgets."""

import pytest

from weft.project import Budgets
from weft.workflows.measuring.budgets import CPU_RATIO, amount, judged


def test_a_budget_is_kept_up_to_its_last_byte() -> None:
    limits = Budgets(module_size=100, leak_slope="16 B").limits()
    size, leak = judged(limits, {"module_size": 100, "leak_slope": 16.4})
    assert (size.kept, leak.kept) == (True, False)


def test_a_budget_without_a_figure_is_left_out() -> None:
    assert judged(Budgets(module_size=1, cpu_per_request="2x").limits(), {"memory_per_vm": 1}) == ()


@pytest.mark.parametrize(("budget", "shown"), [("1.5x", "1.19x"), ("5us", "3.2 us")])
def test_work_is_judged_as_a_ratio_or_in_microseconds(budget: str, shown: str) -> None:
    figures = {"cpu_per_request": 3.21, CPU_RATIO: 1.19}
    [verdict] = judged(Budgets(cpu_per_request=budget).limits(), figures)
    assert (verdict.shown, verdict.kept) == (shown, True)


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0 B"), (1023, "1023 B"), (65536, "64.0 KiB"), (1376256, "1.31 MiB")]
)
def test_bytes_are_shown_in_powers_of_two(value: float, shown: str) -> None:
    assert amount(value, "bytes") == shown
