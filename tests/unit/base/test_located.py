"""Documents of one file, and the lines on which their values stand."""

import pytest

from weft.base.documents import parse_documents
from weft.base.located import Located
from weft.errors import UsageError

TEXT = """\
# a comment
a: 1
b:
  c: [x,
      y]
---
---
kind: List
items:
- d: 12:30
-
  e: {f: 1}
"""


def test_the_documents_of_a_file_are_read_without_the_empty_ones() -> None:
    first, second = parse_documents(TEXT, where="f.yaml")
    assert first.value == {"a": 1, "b": {"c": ["x", "y"]}}
    assert second.value == {"kind": "List", "items": [{"d": "12:30"}, {"e": {"f": 1}}]}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        pytest.param((), 2, id="the document"),
        pytest.param(("a",), 2, id="a value"),
        pytest.param(("b", "c"), 4, id="inside"),
        pytest.param(("b", "c", 1), 5, id="in a list"),
        pytest.param(("b", "x", "y"), 3, id="what is not there: what is around it"),
        pytest.param(("b", "c", 7), 4, id="past the end of a list"),
        pytest.param(("a", "x"), 2, id="below a scalar"),
        pytest.param(("b", 0), 3, id="a number for a mapping"),
    ],
)
def test_a_value_has_a_line(path: tuple[str | int, ...], line: int) -> None:
    first, _ = parse_documents(TEXT, where="f.yaml")
    assert first.line_of(path) == line


def test_the_members_of_a_list_are_documents() -> None:
    _, second = parse_documents(TEXT, where="f.yaml")
    assert [(one.value, one.line_of(())) for one in second.items("items")] == [
        ({"d": "12:30"}, 10),
        ({"e": {"f": 1}}, 12),
    ]


def test_data_that_was_never_text_has_no_lines() -> None:
    held = Located({"items": [1]}, "cluster")
    assert (held.line_of(("items", 0)), held.items("items")[0].line_of(())) == (None, None)


def test_json_has_lines_too() -> None:
    [held] = parse_documents('{\n "a": {\n  "b": 1}}', where="f.json")
    assert held.line_of(("a", "b")) == 3


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(
            "a: 1\n---\nb: [",
            "f at line 3, column 5: expected the node content, but found '<stream end>'",
            id="second document",
        ),
        pytest.param(
            "a: &x [x, !!python/none ]",
            "f at line 1, column 11: could not determine a constructor for"
            " the tag 'tag:yaml.org,2002:python/none'",
            id="a tag",
        ),
        pytest.param("[" * 5000, "f at line 1, column 101: nested deeper than 100 levels", id="too deep"),
    ],
)
def test_a_mistake_has_its_place(text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_documents(text, where="f")
    assert str(caught.value).startswith(complaint)
