"""The plugin of pytest, in a pytest of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modules.tiny import tiny_filter

TOML = '[filter]\nname = "my-filter"\nlanguage = "cpp"\nroot_id = "r"\n[config]\ndefault = "mine"\n'
TEST = """
from weft.testing import Filter

def test_the_projects_config_is_the_default(weft_filter, weft_project, weft_module):
    adder = weft_filter()
    assert isinstance(adder, Filter)
    assert adder.request().respond().headers["x-tiny"] == "mine"
    assert (weft_project / "weft.toml").is_file()
    assert weft_module.startswith(b"\\0asm")

def test_a_test_may_say_otherwise(weft_filter):
    one, other = weft_filter(config="1"), weft_filter(config="2")
    assert [each.request().respond().headers["x-tiny"] for each in (one, other)] == ["1", "2"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "tests").mkdir(parents=True)
    (folder / "weft.toml").write_text(TOML)
    (folder / "tests" / "test_it.py").write_text(TEST)
    (folder / "m.wasm").write_bytes(tiny_filter())
    return folder


def run_pytest(folder: Path, home: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """In the folder, with nothing of this project's settings; no compiler is on PATH."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "WEFT"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", *words, "."]
    return subprocess.run(
        command,
        cwd=folder,
        env=env | {"WEFT_HOME": str(home), "PATH": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_tests_get_filters_of_their_project(project: Path, tmp_path: Path) -> None:
    done = run_pytest(project, tmp_path / "home", "--weft-module", project / "m.wasm")
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    kept = list((tmp_path / "home" / "cache" / "modules").iterdir())
    assert len(kept) == 1, "the compiled module is kept for the next run"


def test_a_project_that_cannot_be_built_is_told_without_a_traceback(project: Path, tmp_path: Path) -> None:
    (project / "filter.cc").write_text("int x;")
    done = run_pytest(project, tmp_path / "home")
    assert done.returncode == 1
    assert "2 errors" in done.stdout
    assert "zig" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_module_that_is_not_there_is_told(project: Path, tmp_path: Path) -> None:
    done = run_pytest(project, tmp_path / "home", "--weft-module", "none.wasm")
    assert "none.wasm: no such file" in done.stdout


def test_a_test_outside_of_a_project_is_told(project: Path, tmp_path: Path) -> None:
    (project / "weft.toml").unlink()
    done = run_pytest(project, tmp_path / "home")
    assert f"no weft.toml at or above {project / 'tests'}" in done.stdout
