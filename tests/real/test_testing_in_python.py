"""The example of docs/testing-in-python.md, in a project of each language."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Weft

PAGE = Path(__file__).parents[2] / "docs" / "testing-in-python.md"


@pytest.mark.parametrize(
    "language",
    [pytest.param(name, marks=pytest.mark.real(name)) for name in ("cpp", "assemblyscript", "rust", "go")],
)
def test_the_example_of_the_page_passes(
    weft: Weft, env: dict[str, str], tmp_path: Path, language: str
) -> None:
    project = tmp_path / "my-filter"
    assert weft("init", project, "--language", language).code == 0
    example = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    (project / "tests" / "test_filter.py").write_text(example)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-q"]
    clean = {name: value for name, value in env.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        command, cwd=project, env=clean, capture_output=True, text=True, timeout=300, check=False
    )
    assert "3 passed" in done.stdout, done.stdout
