"""The program as a function: help, exit codes, and the table of commands."""

import importlib
import subprocess
import sys

import pytest

from conftest import Weft
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


def test_the_version_is_data(weft: Weft) -> None:
    result = weft("--version")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("weft version ")
