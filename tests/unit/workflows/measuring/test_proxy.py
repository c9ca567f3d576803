"""What is made of the figures of two Envoys: ratios, budgets, a picture."""

from xml.etree import ElementTree as ET

import pytest

from weft.workflows.measuring.budgets import CPU_RATIO
from weft.workflows.measuring.plot import plot
from weft.workflows.measuring.proxy import Comparison, ProxyFigures


def figures(*cpu_us: float) -> ProxyFigures:
    return ProxyFigures(cpu_us, rate=1000.0, p50_us=100.0, p99_us=200.0, memory_slope=0.0, good=1.0)


# The machine was slow in the last round: both sides were.
COMPARISON = Comparison(figures(10, 12, 40), figures(15, 18, 60))


def test_rounds_are_compared_one_by_one() -> None:
    assert (COMPARISON.ratio, COMPARISON.added_us) == (1.5, 6)
    assert COMPARISON.figures == {"cpu_per_request": 6, CPU_RATIO: 1.5}


@pytest.mark.parametrize(
    ("comparison", "points"), [(COMPARISON, 6), (Comparison(figures(1), figures(2)), 2)], ids=["three", "one"]
)
def test_a_picture_has_a_point_for_each_round(comparison: Comparison, points: int) -> None:
    drawn = ET.fromstring(plot("a<b", comparison))  # noqa: S314 - our own
    space = "{http://www.w3.org/2000/svg}"
    circles = drawn.findall(f"{space}circle")
    assert len(circles) == points
    assert all(
        0 <= float(one.get("cx", "-1")) <= 640 and 0 <= float(one.get("cy", "-1")) <= 320 for one in circles
    )
    assert drawn.findtext(f"{space}text") == f"a<b: CPU us a request, {comparison.ratio:.2f}x"
