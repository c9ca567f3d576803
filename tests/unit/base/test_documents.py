"""Documents are read as Envoy reads them, and what is written reads the same in both."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from weft.base.documents import as_yaml, parse_document
from weft.errors import UsageError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:30:45", "12:30:45"),
        ("2020-01-01", "2020-01-01"),
        ("1_000", "1_000"),
        ("=", "="),
        ("y", "y"),
        ("0.25s", "0.25s"),
        ("127.0.0.1", "127.0.0.1"),
        ("0777", 511),
        ("0x1F", 31),
        ("-5", -5),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("on", True),
        ("no", False),
        ("'no'", "no"),
        ("~", None),
        ("", None),
        ('{"a": [1, "x"]}', {"a": [1, "x"]}),
        ("{a: [1, x]}", {"a": [1, "x"]}),
        ("a: &x [1]\nb: *x\nc: {<<: {d: 1}}", {"a": [1], "b": [1], "c": {"d": 1}}),
    ],
)
def test_scalars_are_what_envoy_takes_them_for(text: str, value: Any) -> None:
    assert parse_document(text, where="f") == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [", "f at line 1, column 5: expected the node content, but found '<stream end>'"),
        ("a: b\nb: c: d", "f at line 2, column 5: mapping values are not allowed here"),
        ("\ta: b", "f at line 1, column 1: found character '\\t' that cannot start any token"),
        ("a: !!python/object:os.system x", "f at line 1, column 4: could not determine a constructor"),
        ("\x00", "f: unacceptable character #x0000: special characters are not allowed"),
        ("[" * 5000, "f at line 1, column 101: nested deeper than 100 levels"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_document(text, where="f")
    assert str(caught.value).startswith(complaint)


@pytest.mark.parametrize(
    "text", ["y", "N", "on", "1e3", "09", "0x1F", "12:30:45", "1_000", "null", "~", "", "-1"]
)
def test_text_that_could_be_something_else_is_quoted(text: str) -> None:
    written = as_yaml([text])
    assert written in {f"- '{text}'\n", f'- "{text}"\n'}


def test_order_is_kept_and_shared_parts_are_written_out() -> None:
    shared = ["x"]
    assert as_yaml({"b": shared, "a": shared}) == "b:\n- x\na:\n- x\n"


NUMBERS = some.floats(allow_nan=False, allow_infinity=False)
VALUES = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_written_is_read_again_by_us_and_by_other_yaml(value: Any) -> None:
    written = as_yaml(value)
    assert parse_document(written, where="f") == value
    assert yaml.safe_load(written) == value


@given(some.text())
def test_any_text_is_a_document_or_a_usage_error(text: str) -> None:
    try:
        parse_document(text, where="f")
    except UsageError as error:
        assert "\n" not in str(error).strip()  # noqa: PT017 - either outcome is right
