"""What compilers are surrounded with, and how a step runs."""

import sys
from pathlib import Path

import pytest

from weft.toolchains import StepFailed, compiler_environment, executor
from worlds.programs import SYSTEM_PATH, program


def surround(env: dict[str, str], *tools: str) -> dict[str, str]:
    return compiler_environment(env, Path("/c"), Path("/c/p"), [Path(tool) for tool in tools])


def test_caches_go_to_wefts_own_folder() -> None:
    env = surround({"HOME": "/home/u", "PATH": "/bin"})
    assert env == {
        "HOME": "/home/u",
        "PATH": "/bin",
        "ZIG_GLOBAL_CACHE_DIR": "/c/zig",
        "ZIG_LOCAL_CACHE_DIR": "/c/p/zig",
        "GOCACHE": "/c/go-build",
        "CARGO_TERM_QUIET": "true",
    }


@pytest.mark.parametrize("name", ["ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR", "GOCACHE"])
def test_a_users_own_setting_wins(name: str) -> None:
    assert surround({"HOME": "/home/u", "PATH": "/bin", name: "/mine"})[name] == "/mine"


def test_go_finds_a_place_for_modules_where_there_is_no_home() -> None:
    assert surround({"PATH": "/bin"})["GOMODCACHE"] == "/c/go-mod"
    assert "GOMODCACHE" not in surround({"PATH": "/bin", "GOPATH": "/go"})


def test_the_tools_come_first_on_path_each_folder_once() -> None:
    env = surround({"HOME": "/", "PATH": "/bin"}, "/t/bin/cargo", "/t/bin/rustc", "/n/node")
    assert env["PATH"] == "/t/bin:/n:/bin"


async def test_a_step_has_the_jobs_environment_and_its_own(tmp_path: Path) -> None:
    lines: list[str] = []
    execute = executor("f", {"A": "job", "B": "job", "PATH": SYSTEM_PATH}, lines.append)
    finished = await execute(["sh", "-c", 'echo "$A $B"; pwd'], cwd=tmp_path, env={"B": "step"})
    assert lines == ["job step", str(tmp_path)]
    assert finished.output == f"job step\n{tmp_path}\n"


async def test_a_step_that_fails_carries_the_compilers_words(tmp_path: Path) -> None:
    lines: list[str] = []
    cc = program(tmp_path, "cc", "echo 'filter.cc:1:1: error: what?' >&2; exit 1")
    with pytest.raises(StepFailed) as caught:
        await executor("add-header", {}, lines.append)([cc], cwd=tmp_path)
    assert str(caught.value) == "the compiler refused add-header"
    assert caught.value.detail == "filter.cc:1:1: error: what?\n"
    assert lines == ["filter.cc:1:1: error: what?"]


async def test_nobody_need_listen(tmp_path: Path) -> None:
    finished = await executor("f", {}, None)([sys.executable, "-c", "print('quiet')"], cwd=tmp_path)
    assert finished.output == "quiet\n"
