"""A picture of a comparison: what each round cost, without and with the filter."""

from collections.abc import Iterable, Sequence
from html import escape

from weft.workflows.measuring.proxy import Comparison

__all__ = ["plot"]

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 320, 56, 280, 44
_LINES = 5
_COLOURS = ("#7a869a", "#d2601a")
_FONT = 'font-family="sans-serif" font-size="12" fill="#444"'


def plot(name: str, comparison: Comparison) -> str:
    """An SVG: CPU microseconds a request, a line for each Envoy, a point for each round."""
    sides = (comparison.bare.cpu_us, comparison.filtered.cpu_us)
    most = max(max(side) for side in sides) * 1.1
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_LEFT, 20, f"{name}: CPU us a request, {comparison.ratio:.2f}x", size=14),
        *_grid(most),
    ]
    for side, colour, title in zip(sides, _COLOURS, ("without", "with"), strict=True):
        parts += _line(side, most, colour)
        parts.append(_text(_WIDTH - 8, _y(side[-1], most) - 8, title, anchor="end"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _grid(most: float) -> Iterable[str]:
    for step in range(_LINES + 1):
        value = most * step / _LINES
        y = _y(value, most)
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - 8}" stroke="#e4e7eb"/>'
        yield _text(_LEFT - 8, y + 4, f"{value:.1f}", anchor="end")
    yield _text(_LEFT, _BOTTOM + 24, "rounds, in the order in which they were measured")


def _line(values: Sequence[float], most: float, colour: str) -> Iterable[str]:
    width = (_WIDTH - 8 - _LEFT) / max(1, len(values) - 1)
    points = [(_LEFT + place * width, _y(value, most)) for place, value in enumerate(values)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y in points:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'


def _y(value: float, most: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * value / most


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12) -> str:
    font = _FONT.replace('"12"', f'"{size}"')
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {font}>{escape(words)}</text>'
