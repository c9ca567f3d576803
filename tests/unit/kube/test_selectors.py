"""Label selectors, asked of labels at hand."""

import pytest

from weft.kube.selectors import matches


@pytest.mark.parametrize(
    ("selector", "labels", "selected"),
    [
        ("", {}, True),
        ("a", {"a": ""}, True),
        ("a", {"b": ""}, False),
        ("a=b", {"a": "b", "c": "d"}, True),
        ("a=b", {"a": "bb"}, False),
        ("a=b", {}, False),
        ("a=", {"a": ""}, True),
        ("a=", {"a": "x"}, False),
        ("a=b,c=d", {"a": "b", "c": "d"}, True),
        ("a=b, c", {"a": "b"}, False),
        ("example.com/a-b_c=x.y", {"example.com/a-b_c": "x.y"}, True),
        ("a in (b, c)", {"a": "c"}, True),
        ("a in (b,c),d=e", {"a": "b", "d": "e"}, True),
        ("a in (b,c)", {"a": "d"}, False),
        ("a in (b,c)", {}, False),
    ],
)
def test_labels_are_selected_as_the_api_does(selector: str, labels: dict[str, str], selected: bool) -> None:
    assert matches(selector, labels) is selected


@pytest.mark.parametrize("selector", ["!a", "a!=b", "a==b", "a notin (b)", "a in b", "a b", "a=b=c", ","])
def test_a_form_that_is_not_known_is_never_guessed(selector: str) -> None:
    with pytest.raises(ValueError, match="is not understood from"):
        matches(selector, {"a": "b"})
