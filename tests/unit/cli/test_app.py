"""The program as a function: help, exit codes, and the table of commands."""

import importlib
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from conftest import Weft
from weft.cli.app import program
from weft.cli.commands import GROUPS

COMMANDS = [(name, *entry) for group in GROUPS.values() for name, entry in group.items()]
HEAVY = {
    "aiohttp",
    "asyncio",
    "jsonschema",
    "msgspec",
    "pip",
    "rich",
    "wasmtime",
    "watchfiles",
    "yaml",
}


@pytest.mark.parametrize(("name", "where", "summary"), COMMANDS, ids=[command[0] for command in COMMANDS])
def test_the_table_says_what_the_command_says(name: str, where: str, summary: str) -> None:
    module, attribute = where.split(":")
    command = getattr(importlib.import_module(module), attribute)
    assert command.name in {name, f"{name}-images", f"{name}_images"}
    assert (command.help or "").split("\n\n")[0].replace("\n", " ") == summary


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys\nfrom weft.cli import run\n"
        "assert run(['--help'], sys.stdin, sys.stderr, sys.stderr, {}) == 0\n"
        "print(' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())
    assert "Author a filter" in done.stderr


def test_an_unknown_command_is_a_usage_error(weft: Weft) -> None:
    result = weft("fly")
    assert result.code == 2
    assert result.err == "error: No such command 'fly'.\n\nhint: weft --help\n"


@pytest.mark.parametrize(
    ("words", "near", "help_of"),
    [
        (["buid"], "Did you mean 'build'?", "weft"),
        (["inpsect"], "Did you mean 'inspect'?", "weft"),
        (["deploy", "istoi"], "Did you mean 'istio'?", "weft deploy"),
    ],
    ids=["command", "letters exchanged", "command of a group"],
)
def test_a_mistyped_command_is_told_the_near_one(
    weft: Weft, words: list[str], near: str, help_of: str
) -> None:
    result = weft(*words)
    assert result.code == 2
    assert result.err == f"error: No such command '{words[-1]}'. {near}\n\nhint: {help_of} --help\n"


@pytest.mark.parametrize("words", [[], ["deploy"], ["key"]], ids=["weft", "weft deploy", "weft key"])
def test_without_a_command_there_is_help_and_no_error(weft: Weft, words: list[str]) -> None:
    result = weft(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"Usage: {' '.join(['weft', *words])} [OPTIONS] COMMAND")
    assert "hint:" not in result.err


def _fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command
    def broken() -> None:
        raise error

    monkeypatch.setattr(program, "get_command", lambda *_: broken)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied", "/data/x"), "error: /data/x: Permission denied\n"),
        (OSError(28, "No space left on device"), "error: No space left on device\n"),
        (TimeoutError("timed out"), "error: timed out\n"),
        (
            BrokenPipeError(32, "Broken pipe"),
            "error: a connection or a program that weft spoke to went away: Broken pipe\n",
        ),
    ],
    ids=["file", "no file", "no number", "a pipe that is not our output"],
)
def test_what_the_system_refuses_is_one_line(
    weft: Weft, monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
) -> None:
    _fail_with(monkeypatch, error)
    result = weft("any")
    assert (result.code, result.out, result.err) == (1, "", words)


def test_a_defect_of_ours_is_one_line_with_its_place(weft: Weft, monkeypatch: pytest.MonkeyPatch) -> None:
    _fail_with(monkeypatch, KeyError("nobody"))
    result = weft("any")
    assert result.code == 1
    assert result.err.startswith(f"error: a defect of weft: KeyError: 'nobody' (at {__file__}:")
    assert result.err.endswith("\n\nhint: please report it with what `weft -v` and the same words print\n")
    assert "Traceback" not in result.err


def test_verbose_shows_the_way_to_a_defect(weft: Weft, monkeypatch: pytest.MonkeyPatch) -> None:
    _fail_with(monkeypatch, KeyError("nobody"))
    assert "Traceback (most recent call last):" in weft("-v", "any").err


def test_a_folder_that_is_gone_is_named_as_such(
    weft: Weft, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    result = weft("build")
    assert (result.code, result.err) == (
        1,
        "error: the current folder is gone\n\nhint: cd to a folder that exists\n",
    )


def _in_a_shell(line: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-c", line, "bash", sys.executable, "-m", "weft"]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("line", "code", "err"),
    [
        (
            '"$@" init f <&-',
            2,
            "error: --language is missing\n\nhint: one of assemblyscript, cpp, go, rust\n",
        ),
        ('"$@" version >&-', 0, ""),
        ('"$@" fly 2>&-', 2, ""),
        ('"$@" version <&- >&- 2>&-', 0, ""),
        ('"$@" version >/dev/full', 1, "error: cannot write the output: No space left on device\n"),
        ('"$@" --help >/dev/full', 1, "error: No space left on device\n"),
        ('"$@" fly 2>/dev/full', 1, ""),
    ],
    ids=["no stdin", "no stdout", "no stderr", "none", "full disk", "full disk, help", "full disk, stderr"],
)
def test_streams_that_are_closed_or_full_throw_nothing(
    env: dict[str, str], line: str, code: int, err: str
) -> None:
    done = _in_a_shell(line, env)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", err)


@pytest.mark.parametrize("words", ["list", "--help"])
def test_a_reader_that_leaves_ends_the_program_as_a_signal_would(env: dict[str, str], words: str) -> None:
    line = (
        f'set -o pipefail; {{ read -r <&3; "$@" {words}; echo $? >&2; }} 3<fifo | {{ exec <&-; echo >fifo; }}'
    )
    done = _in_a_shell(f'cd "$WEFT_HOME" && mkfifo fifo && {line}', env)
    assert done.stderr.splitlines()[-1] == str(128 + signal.SIGPIPE)
    assert "Traceback" not in done.stderr


def test_the_version_is_data(weft: Weft) -> None:
    result = weft("--version")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("weft version ")
