"""Every example of every language goes as its scenarios say: projects of ``weft init``, really built."""

from pathlib import Path

import pytest

from conftest import Weft
from weft.templates import EXAMPLES, LANGUAGES


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("language", [pytest.param(name, marks=pytest.mark.real(name)) for name in LANGUAGES])
def test_the_scenarios_of_an_example_hold(weft: Weft, tmp_path: Path, language: str, example: str) -> None:
    folder = tmp_path / "shop-front"
    made = weft("init", folder, "--language", language, "--example", example)
    assert made.code == 0, made.err
    result = weft("test", folder)
    assert result.code == 0, result.out + result.err
    assert ", 0 failed in " in result.out
