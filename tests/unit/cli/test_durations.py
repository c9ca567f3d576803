"""Durations on the command line: seconds, or as wasme's flags took them."""

import click
import pytest

from weft.cli.options.durations import SECONDS


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("1.5", 1.5),
        ("90s", 90.0),
        ("1m30s", 90.0),
        ("1m0s", 60.0),
        ("1h2m", 3720.0),
        ("0", 0.0),
        ("0s", 0.0),
        ("500ms", 0.5),
        ("300.0", 300.0),
    ],
)
def test_it_is_seconds(text: str, seconds: float) -> None:
    assert SECONDS.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "x", "1x", "1m30x", "1 s", "1e3", "1m30", "1ss", "inf"])
def test_anything_else_is_a_mistake(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no duration, as 90, 90s or 1m30s"):
        SECONDS.convert(text, None, None)
