"""What is made of the figures of two Envoys: ratios, budgets, a picture."""

import os
from xml.etree import ElementTree as ET

import pytest

from weft.workflows.measuring.budgets import CPU_RATIO
from weft.workflows.measuring.load import Loaded
from weft.workflows.measuring.plot import plot
from weft.workflows.measuring.proxy import Comparison, ProxyFigures, _cpu, _Measured, _memory

SVG = "{http://www.w3.org/2000/svg}"


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
    circles = drawn.findall(f"{SVG}circle")
    assert len(circles) == points
    assert all(
        0 <= float(one.get("cx", "-1")) <= 640 and 0 <= float(one.get("cy", "-1")) <= 320 for one in circles
    )
    assert drawn.findtext(f"{SVG}text") == f"a<b: CPU us a request, {comparison.ratio:.2f}x"


def loaded(*microseconds: int, seconds: float = 1.0, good: int | None = None) -> Loaded:
    return Loaded(seconds, [one * 1000 for one in microseconds], len(microseconds) if good is None else good)


def measured() -> _Measured:
    """Rounds of which the first warmed up."""
    loads = [loaded(900, 900), loaded(1, 2, 3, 4), loaded(5, 6, seconds=2.0, good=1), loaded(7, 8)]
    return _Measured(None, loads, [99.0, 3.0, 1.0, 2.0], [1000, 3000, 3000, 5000])  # type: ignore[arg-type]


def test_the_first_round_does_not_count_but_for_memory() -> None:
    assert measured().figures() == ProxyFigures(
        cpu_us=(3.0, 1.0, 2.0), rate=2.0, p50_us=6, p99_us=6, memory_slope=4000 / 8, good=7 / 8
    )


def test_a_process_says_what_it_took() -> None:
    here = os.getpid()
    cpu, memory = _cpu(here), _memory(here)
    held = b"x" * (64 << 20)
    assert _memory(here) - memory > len(held) // 2
    assert _cpu(here) > cpu > 0


def lines(drawn: ET.Element) -> list[list[tuple[float, float]]]:
    """Of each side, the places of its rounds."""
    found = (one.get("points", "").split() for one in drawn.findall(f"{SVG}polyline"))
    return [[(float(x), float(y)) for x, y in (point.split(",") for point in line)] for line in found]


def test_a_picture_shows_both_sides_from_left_to_right_and_more_is_higher() -> None:
    drawn = ET.fromstring(plot("a", COMPARISON))  # noqa: S314 - our own
    bare, filtered = lines(drawn)
    for side in (bare, filtered):
        assert [x for x, _ in side] == sorted(x for x, _ in side)
        assert [y for _, y in side] == sorted((y for _, y in side), reverse=True)
    assert all(above < below for (_, above), (_, below) in zip(filtered, bare, strict=True))


def test_a_picture_says_what_is_what() -> None:
    drawn = ET.fromstring(plot("a", Comparison(figures(1.0), figures(10.0))))  # noqa: S314 - our own
    assert [text.text for text in drawn.findall(f"{SVG}text")] == [
        "a: CPU us a request, 10.00x",
        "0.0", "2.2", "4.4", "6.6", "8.8", "11.0",
        "rounds, in the order in which they were measured",
        "without", "with",
    ]  # fmt: skip
