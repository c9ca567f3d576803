"""Building a project: the compiler is a script, the rest is real."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from weft.base.paths import Places
from weft.errors import BuildFailed, PartMissing
from weft.toolchains import Tool, Toolbox
from weft.workflows.authoring.build import Built, build_project, compile_source
from weft.workflows.authoring.sources import read_source
from worlds.programs import wheel
from worlds.tiny_compiler import TINY_COMPILER, Tiny, tiny_compiler, tiny_project


@pytest.fixture(autouse=True)
def _only_the_tiny_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.workflows.authoring.build.LANGUAGES", {"cpp": Tiny()})


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "store", tmp_path / "tools", tmp_path / "cache")


@pytest.fixture
def toolbox(tmp_path: Path, places: Places) -> Toolbox:
    return Toolbox(places, {"PATH": str(tiny_compiler(tmp_path / "bin"))})


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def left_in_cache(places: Places) -> set[str]:
    """What builds left, without the folder that is the project's key."""
    return {path.name for path in places.cache.glob("builds/*/*")}


async def build(folder: Path, toolbox: Toolbox) -> Built:
    return await build_project(folder, toolbox=toolbox)


async def test_a_project_becomes_a_module_and_its_folder_is_only_read(
    tmp_path: Path, toolbox: Toolbox, places: Places
) -> None:
    project = tiny_project(tmp_path / "add-header")
    before = files_of(project)
    built = await build(project, toolbox)
    assert built.module.startswith(b"\0asm\1\0\0\0")
    assert built.project.name == "add-header"
    assert files_of(project) == before
    assert left_in_cache(places) == {".lock", "cache"}


async def test_the_same_source_gives_the_same_bytes_in_any_folder(tmp_path: Path, toolbox: Toolbox) -> None:
    here, there = tiny_project(tmp_path / "a" / "f"), tiny_project(tmp_path / "b" / "f")
    modules = {(await build(folder, toolbox)).module for folder in (here, here, there)}
    assert len(modules) == 1
    (there / "filter.cc").write_text("edited")
    assert (await build(there, toolbox)).module not in modules


async def test_each_project_has_a_cache_that_stays(tmp_path: Path, toolbox: Toolbox, places: Places) -> None:
    for folder in ("a/f", "b/f"):
        await build(tiny_project(tmp_path / folder), toolbox)
    assert len(list(places.cache.glob("builds/f-*/cache/kept.o"))) == 2


async def test_what_the_compiler_says_and_what_goes_on_are_told_apart(
    tmp_path: Path, toolbox: Toolbox, places: Places
) -> None:
    lines: list[str] = []
    said: list[str] = []
    project = tiny_project(tmp_path / "f", "warn")
    await build_project(project, toolbox=toolbox, on_line=lines.append, say=said.append)
    assert lines == ["filter.cc:2:1: warning: hm"]
    assert said == ["compiling f (cpp)", "the C++ library is compiled once, about a minute"]
    (places.cache / "zig").mkdir()
    await build_project(project, toolbox=toolbox, say=said.append)
    assert said[2:] == ["compiling f (cpp)"]


@pytest.mark.parametrize(
    ("source", "complaint", "detail"),
    [
        pytest.param("error", "the compiler refused f",
                     "filter.cc:1:1: error: what is this?\n  1 | <error>\n", id="refused"),
        pytest.param("none", "the compiler left no module for f", None, id="nothing made"),
        pytest.param("junk", "what the compiler made of f is not WebAssembly: it begins b'junk'", None,
                     id="no module"),
    ],
)  # fmt: skip
async def test_a_build_that_fails_leaves_nothing(
    tmp_path: Path, toolbox: Toolbox, places: Places, source: str, complaint: str, detail: str | None
) -> None:
    with pytest.raises(BuildFailed) as caught:
        await build(tiny_project(tmp_path / "f", source), toolbox)
    assert (str(caught.value), caught.value.detail) == (complaint, detail)
    assert left_in_cache(places) == {".lock", "cache"}


async def test_a_build_that_is_stopped_leaves_nothing(
    tmp_path: Path, toolbox: Toolbox, places: Places
) -> None:
    project = tiny_project(tmp_path / "f", "slow")
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        building = group.create_task(build(project, toolbox))
        await appears(tmp_path / "started")
        building.cancel()
    assert building.cancelled()
    assert left_in_cache(places) == {".lock", "cache"}


async def test_two_builds_of_one_project_take_turns(tmp_path: Path, toolbox: Toolbox) -> None:
    project = tiny_project(tmp_path / "f", "slow")
    waits = asyncio.Event()

    def say(line: str) -> None:
        if line == f"waiting for another build of {project}":
            waits.set()

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        first = group.create_task(build(project, toolbox))
        await appears(tmp_path / "started")
        second = group.create_task(build_project(project, toolbox=toolbox, say=say))
        await waits.wait()
        (tmp_path / "go").touch()
    assert first.result().module == second.result().module


async def test_what_a_killed_build_left_is_swept(tmp_path: Path, toolbox: Toolbox, places: Places) -> None:
    project = tiny_project(tmp_path / "f")
    await build(project, toolbox)
    (home,) = places.cache.glob("builds/*")
    (home / "work" / "out").mkdir(parents=True)
    (home / "work" / "out" / "filter.wasm").write_bytes(b"\0asm, half of i")
    (project / "filter.cc").write_text("none")
    with pytest.raises(BuildFailed, match="left no module"):
        await build(project, toolbox)


async def test_intermediate_files_go_where_they_are_told(tmp_path: Path, toolbox: Toolbox) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    source = read_source(tiny_project(tmp_path / "f", "slow"))
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(compile_source(source, toolbox=toolbox, scratch=scratch))
        await appears(tmp_path / "started")
        assert [path.name for path in scratch.glob("weft-*/scratch/*")] == ["made.o"]
        (tmp_path / "go").touch()
    assert list(scratch.iterdir()) == []


async def appears(path: Path) -> None:
    """Wait for another program to make ``path``; callers bound the time."""
    while not path.exists():  # noqa: ASYNC110, ASYNC240
        await asyncio.sleep(0.01)


class TestMissingTools:
    """A tool is fetched only when somebody agrees, and asked for once."""

    @pytest.fixture
    def bare(self, tmp_path: Path, places: Places) -> Toolbox:
        wheel(tmp_path / "index", "ziglang", "0.17.0", {"ziglang/zig": TINY_COMPILER})
        pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "index"), "PIP_CONFIG_FILE": "/dev/null"}
        return Toolbox(places, {"PATH": "", "HOME": str(tmp_path), **pip})

    async def test_nobody_agrees_by_default(self, tmp_path: Path, bare: Toolbox, places: Places) -> None:
        with pytest.raises(PartMissing) as caught:
            await build(tiny_project(tmp_path / "f"), bare)
        assert str(caught.value) == "zig is not on this machine"
        assert caught.value.hint == "weft toolchain install zig"
        assert not places.tools.exists()

    async def test_it_is_fetched_when_somebody_agrees(self, tmp_path: Path, bare: Toolbox) -> None:
        asked: list[list[str]] = []

        def allow(tools: Sequence[Tool]) -> bool:
            asked.append([tool.name for tool in tools])
            return True

        project = tiny_project(tmp_path / "f")
        built = await build_project(project, toolbox=bare, allow=allow)
        again = await build_project(project, toolbox=bare, allow=allow)
        assert built.module == again.module
        assert asked == [["zig"]]
