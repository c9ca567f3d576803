"""A mistyped key is told the near one, wherever in a document it stands."""

import msgspec
import pytest

from weft.base.suggestions import near_key
from weft.errors import UsageError
from weft.project import Project
from weft.scenario import parse


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    root_id: str = ""


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    inner: Inner = Inner()


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        ({"inner": {"rootid": "x"}}, "did you mean rootId?"),
        ({"iner": {}}, "did you mean inner?"),
        ({"else": {}}, None),
        ({"inner": 5}, None),
    ],
    ids=["inside", "at the top", "nothing near", "another mistake"],
)
def test_the_near_key_is_the_hint(document: object, hint: str | None) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(document, Outer)
    assert near_key(caught.value, Outer) == hint


def test_a_project_s_file_has_such_hints() -> None:
    with pytest.raises(UsageError) as caught:
        Project.parse('[filter]\nname = "a"\nlanguage = "go"\nrootid = "x"', where="weft.toml")
    assert caught.value.hint == "did you mean root_id?"


def test_scenarios_have_such_hints() -> None:
    with pytest.raises(UsageError) as caught:
        parse("scenarios: [{name: a, steps: [{request: {headrs: {}}}]}]", where="a.yaml")
    assert caught.value.hint == "did you mean headers?"
