"""The registry of languages."""

import subprocess
import sys

import pytest

from weft import project
from weft.toolchains import LANGUAGES, TOOLS


def test_projects_and_compilers_know_the_same_languages() -> None:
    assert tuple(LANGUAGES) == project.LANGUAGES
    assert len(LANGUAGES) == 4


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_language_has_its_name_and_asks_for_tools_there_are(name: str) -> None:
    language = LANGUAGES[name]
    assert language.name == name
    assert language.tools
    assert set(language.tools) <= set(TOOLS)
    assert LANGUAGES[name] is language


@pytest.mark.parametrize("name", ["cobol", "", "..", "__init__"])
def test_another_language_is_no_key(name: str) -> None:
    assert name not in LANGUAGES
    with pytest.raises(KeyError):
        LANGUAGES[name]


def test_a_language_is_loaded_when_it_is_used() -> None:
    code = (
        "import sys; from weft.toolchains import LANGUAGES; list(LANGUAGES); LANGUAGES['cpp']\n"
        "print(*(name.rpartition('.')[2] for name in sys.modules if '.languages.' in name))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["cpp"]
