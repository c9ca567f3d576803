"""What YAML may not do to the process that reads it."""

from typing import Any

import pytest
import yaml

from weft.base.yaml_reading import MOST_LEVELS, careful, check_size

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def _read(text: str) -> Any:
    check_size(text)
    return yaml.load(text, careful())  # noqa: S506 - it is a safe one


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("\ufeffa: 1", {"a": 1}),
        ("a: &a [1]\nb: *a\nc: *a", {"a": [1], "b": [1], "c": [1]}),
        ("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}", {"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}}),
        (
            "a: &a {x: 1}\nb: {deep: {er: &b {<<: *a, x: 2}}}\nc: {<<: *b, x: 3}",
            {"a": {"x": 1}, "b": {"deep": {"er": {"x": 2}}}, "c": {"x": 3}},
        ),
        ("a: {<<: {x: 1}, <<: {y: 2}}", {"a": {"x": 1, "y": 2}}),
    ],
    ids=["nothing", "byte order mark", "aliases", "merge", "merge of a merge", "two merges"],
)
def test_ordinary_yaml_is_read_as_ever(text: str, value: Any) -> None:
    assert _read(text) == value


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("\n" + "[" * (MOST_LEVELS + 1), "nested deeper than 100 levels", 2),
        ("[" * 200_000, "nested deeper than 100 levels", 1),
        ("- " * 200_000, "nested deeper than 100 levels", 1),
        ("x: " + "{x: " * 200_000, "nested deeper than 100 levels", 1),
        (LAUGHS, "more than 2,000,000 values, what aliases stand for written out", 7),
        ("a:\n  b: &b [*b]", "*b stands inside of what it stands for", 2),
        ("a: 1\nb: 2\na: 3", "the key a is there twice", 3),
        ("- a:\n    - {b: 1, c: 2, 'b': 1}", "the key b is there twice", 2),
        ("a: [1", "expected ',' or ']', but got '<stream end>'", 1),
    ],
    ids=[
        *("deep", "very deep", "deep list", "deep mapping", "aliases of aliases", "inside itself"),
        *("a key twice", "twice, quoted", "no YAML"),
    ],
)
def test_what_would_harm_is_told_with_its_line(text: str, problem: str, line: int) -> None:
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        _read(text)
    error = caught.value
    assert error.problem_mark is not None
    assert (error.problem, error.problem_mark.line + 1) == (problem, line)


def test_as_many_levels_as_promised_are_read() -> None:
    assert _read("[" * MOST_LEVELS + "]" * MOST_LEVELS)
