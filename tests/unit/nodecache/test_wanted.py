"""The list of wanted images."""

import pytest

from weft.nodecache import read_wanted

A = "hub.example.com/team/a:v1"
B = "hub.example.com/team/b:v2"


@pytest.mark.parametrize(
    ("text", "references"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param(f"{A}\n{B}", [A, B], id="wasme's, without an end of line"),
        pytest.param(f"\n  {A}  \r\n\n# {B}\n{B} # soon\n", [A, B], id="spaces, empty lines, comments"),
        pytest.param(f"{A}\n{A}\n", [A], id="twice"),
        pytest.param("team/a", ["docker.io/team/a:latest"], id="a short name"),
    ],
)
def test_one_reference_a_line(text: str, references: list[str]) -> None:
    wanted = read_wanted(text, where="images.txt")
    assert list(map(str, wanted.references)) == references
    assert wanted.problems == ()


def test_a_bad_line_is_named_and_the_others_count() -> None:
    wanted = read_wanted(f"{A}\nhttps://{B}\n{B}\n", where="images.txt")
    assert list(map(str, wanted.references)) == [A, B]
    assert wanted.problems == (f"images.txt: line 2: 'https://{B}' is a URL, not an image reference",)
