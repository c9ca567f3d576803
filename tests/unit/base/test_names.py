"""A folder's name becomes class names, root ids and package names."""

import pytest

from weft.base.names import Name
from weft.errors import UsageError


@pytest.mark.parametrize(
    ("text", "kebab", "snake", "pascal"),
    [
        ("path_rewrite", "path-rewrite", "path_rewrite", "PathRewrite"),
        ("path-rewrite", "path-rewrite", "path_rewrite", "PathRewrite"),
        ("PathRewrite", "path-rewrite", "path_rewrite", "PathRewrite"),
        ("add header 2", "add-header-2", "add_header_2", "AddHeader2"),
        ("HTTPAuth", "http-auth", "http_auth", "HttpAuth"),
        ("x", "x", "x", "X"),
    ],
)
def test_a_name_is_spelled_for_each_language(text: str, kebab: str, snake: str, pascal: str) -> None:
    name = Name.parse(text)
    assert (name.kebab, name.snake, name.pascal) == (kebab, snake, pascal)


@pytest.mark.parametrize("text", ["", "42", "---", "9lives", "фильтр"])
def test_what_cannot_name_a_class_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Name.parse(text)
    assert str(caught.value) == f"{text!r} cannot name a filter"
