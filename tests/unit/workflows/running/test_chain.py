"""Filters and wishes become the plugins of a chain."""

from pathlib import Path

import pytest

from weft.errors import UsageError
from weft.mesh import Failure, Plugin
from weft.workflows.running.chain import Wishes, make_chain
from weft.workflows.running.loading import Loaded

AUTH = Loaded(name="auth", module=b"a", root_id="auth_root", config={"path": "/"})
HEADER = Loaded(name="header", module=b"h", schema={"type": "object"})


def place(loaded: Loaded) -> Path:
    return Path("/m") / loaded.module.decode()


def chain(*filters: Loaded, **wishes: object) -> tuple[Plugin, ...]:
    return make_chain(filters, Wishes(**wishes), place)  # type: ignore[arg-type]


def test_without_wishes_a_filter_is_what_its_author_made_it() -> None:
    assert chain(AUTH) == (Plugin(id="auth", module="/m/a", root_id="auth_root", config={"path": "/"}),)


def test_wishes_go_to_the_filters_in_their_order() -> None:
    first, second = chain(
        AUTH, HEADER, configs=("x", "{}"), ids=("one", "two"), root_ids=("", "r"), failure=Failure.OPEN
    )
    assert first == Plugin(id="one", module="/m/a", root_id="", config="x", failure=Failure.OPEN)
    assert second == Plugin(id="two", module="/m/h", root_id="r", config="{}", failure=Failure.OPEN)


def test_who_gets_no_wish_keeps_the_authors() -> None:
    first, second = chain(HEADER, AUTH, configs=("{}",), ids=("one",), root_ids=("r",))
    assert (first.config, first.id, first.root_id) == ("{}", "one", "r")
    assert (second.config, second.id, second.root_id) == ({"path": "/"}, "auth", "auth_root")


def test_a_filter_may_stand_in_a_chain_more_than_once() -> None:
    assert [plugin.id for plugin in chain(AUTH, AUTH, HEADER, AUTH)] == ["auth", "auth-2", "header", "auth-3"]
    assert [plugin.id for plugin in chain(AUTH, AUTH, ids=("auth",))] == ["auth", "auth-2"]


def test_an_empty_config_is_given_without_a_check() -> None:
    assert chain(HEADER, configs=("",))[0].config == ""


@pytest.mark.parametrize(
    ("wishes", "complaint"),
    [
        ({"configs": ("a", "b", "c")}, "3 times --config for 2 filters"),
        ({"ids": ("a", "b", "c")}, "3 times --id for 2 filters"),
        ({"root_ids": ("a", "b", "c")}, "3 times --root-id for 2 filters"),
        ({"ids": ("a", "a")}, "the same --id is given twice"),
        ({"ids": ("a b",)}, "'a b' cannot be a filter's id"),
        ({"configs": ("x", "[]")}, "--config: [] is not of type 'object'"),
    ],
)
def test_wishes_that_do_not_fit_are_refused(wishes: dict[str, object], complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        chain(AUTH, HEADER, **wishes)
    assert str(caught.value) == complaint


def test_a_wrong_default_is_told_as_the_authors() -> None:
    wrong = Loaded(name="header", module=b"h", schema={"type": "object"}, config=[])
    with pytest.raises(UsageError) as caught:
        chain(wrong)
    assert str(caught.value) == "the config of header: [] is not of type 'object'"


def test_a_config_file_is_known_as_one(tmp_path: Path) -> None:
    wishes = Wishes(configs=("x", "@c.json"))
    assert [wishes.config_file(index) for index in range(3)] == [(), (Path("c.json"),), ()]
