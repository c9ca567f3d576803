"""Every example of every language goes as its scenarios say, on the test host and on Envoy alike.

Projects of ``weft init``, really built; what either shows must be the same to the byte.
"""

from pathlib import Path

import pytest

from conftest import Weft
from weft.templates import EXAMPLES, LANGUAGES

EVERY_LANGUAGE = [pytest.param(name, marks=pytest.mark.real(name, "envoy")) for name in LANGUAGES]


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("language", EVERY_LANGUAGE)
def test_the_scenarios_of_an_example_hold(weft: Weft, tmp_path: Path, language: str, example: str) -> None:
    folder = tmp_path / "shop-front"
    made = weft("init", folder, "--language", language, "--example", example)
    assert made.code == 0, made.err
    result = weft("test", folder, "--on", "both")
    assert result.code == 0, result.out + result.err
    assert ", 0 failed in " in result.out
    cases = [line for line in result.out.splitlines() if line.startswith("ok ")]
    assert len([line for line in cases if line.endswith(" (envoy)")]) * 2 == len(cases) > 0
