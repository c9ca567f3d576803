"""``weft version`` and ``weft completion``."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Weft
from weft import __version__
from worlds.programs import program


def test_the_versions_of_parts_that_are_here(weft: Weft, tmp_path: Path) -> None:
    go = program(tmp_path / "bin", "go", "echo go1.25.0")
    result = weft("version", "-o", "json", PATH=str(tmp_path / "bin"), WEFT_HOME=str(tmp_path / "home"))
    said = json.loads(result.out)
    assert (said["weft"], said["python"]) == (__version__, platform.python_version())
    assert said["tools"]["go"] == {"version": "1.25.0", "path": str(go)}
    assert "zig" not in said["tools"]


def test_the_table_begins_with_weft_itself(weft: Weft, tmp_path: Path) -> None:
    result = weft("version", PATH=str(tmp_path))
    assert [line.split()[:2] for line in result.out.splitlines()][:3] == [
        ["PART", "VERSION"],
        ["weft", __version__],
        ["python", platform.python_version()],
    ]


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("bash", "complete -o nosort -F _weft_completion weft"),
        ("zsh", "#compdef weft"),
        ("fish", "complete --no-files --command weft"),
    ],
)
def test_completion_is_printed_for_a_shell(weft: Weft, shell: str, line: str) -> None:
    result = weft("completion", shell)
    assert result.code == 0
    assert line in result.out


def test_an_unknown_shell_is_a_usage_error(weft: Weft) -> None:
    result = weft("completion", "tcsh")
    assert result.code == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in result.err


def test_the_printed_completion_works_in_bash(weft: Weft, tmp_path: Path) -> None:
    script = tmp_path / "weft.bash"
    script.write_text(weft("completion", "bash").out)
    typed = "COMP_WORDS=(weft toolchain i); COMP_CWORD=2; _weft_completion weft; echo $COMPREPLY"
    env = dict(os.environ) | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["/bin/bash", "--norc", "-c", f"source {script}; {typed}"],
        env=env,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["install"]
