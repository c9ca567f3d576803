"""weft.toml: what it may say, and what is said when it is wrong."""

import pytest

from weft.errors import UsageError
from weft.project import Project


def test_a_whole_file_is_read() -> None:
    project = Project.parse(
        '[filter]\nname = "path-rewrite"\nlanguage = "cpp"\nroot_id = "r"\nlicense = "MIT"\n'
        '[config]\nschema = "s.json"\ndefault = {name = "hello"}\n[build]\nflags = ["-O3"]\n',
        where="weft.toml",
    )
    assert (project.name, project.language, project.root_id, project.license) == (
        "path-rewrite",
        "cpp",
        "r",
        "MIT",
    )
    assert project.config.schema == "s.json"
    assert project.config.default == {"name": "hello"}
    assert project.build == {"flags": ["-O3"]}


def test_the_root_id_follows_the_name() -> None:
    project = Project.parse('[filter]\nname = "a-b"\nlanguage = "go"', where="weft.toml")
    assert project.root_id == "a_b"
    assert project.config.default is None


def test_a_byte_order_mark_is_no_mistake() -> None:
    project = Project.parse('\ufeff[filter]\nname = "a-b"\nlanguage = "go"', where="weft.toml")
    assert project.name == "a-b"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "p/weft.toml: Object missing required field `filter`", id="empty"),
        pytest.param(
            '[filter]\nname = "x"\nlanguage = "perl"',
            "p/weft.toml: filter.language is 'perl'; it must be one of assemblyscript, cpp, go, rust",
            id="language",
        ),
        pytest.param(
            '[filter]\nname = "x"\nlanguage = "go"\nroot = "y"',
            "p/weft.toml: Object contains unknown field `root` - at `$.filter`",
            id="misspelt key",
        ),
        pytest.param(
            "[filter]\nname = 1\nlanguage = 'go'",
            "p/weft.toml: Expected `str`, got `int` - at `$.filter.name`",
            id="type",
        ),
        pytest.param("[filter", "p/weft.toml: Expected ']' at the end of a table declaration", id="syntax"),
        pytest.param("a = " + "[" * 100_000, "p/weft.toml is nested too deeply", id="deep"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        Project.parse(text, where="p/weft.toml")
    assert str(caught.value).startswith(complaint)
