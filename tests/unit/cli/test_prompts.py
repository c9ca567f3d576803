"""``weft login`` at a terminal: asks, hides the password, and leaves the file alone unless it was right."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Weft
from worlds.registry import RegistryWorld, registry_in_thread
from worlds.terminal import CTRL_C, CTRL_D, at_terminal


@pytest.fixture
def world() -> Iterator[RegistryWorld]:
    with registry_in_thread() as world:
        world.auth = "basic"
        yield world


@pytest.fixture
def kept(home: Path) -> Path:
    return home / "credentials.json"


def test_a_name_and_a_hidden_password_are_asked_for(
    world: RegistryWorld, env: dict[str, str], kept: Path
) -> None:
    with at_terminal(["login", world.host], env) as terminal:
        terminal.expect("Enter username: ")
        terminal.type("me\n")
        terminal.expect("Enter password: ")
        terminal.type("secret\n")
        assert terminal.left() == 0
    assert terminal.shown == (
        f"Enter username: me\nEnter password: \nSuccessfully logged in as me\nstored credentials in {kept}\n"
    )
    assert json.loads(kept.read_text()) == {"auths": {world.host: {"auth": "bWU6c2VjcmV0"}}}


def test_only_what_was_not_said_is_asked_for(world: RegistryWorld, env: dict[str, str]) -> None:
    with at_terminal(["login", world.host, "-u", "me"], env) as terminal:
        terminal.expect("Enter password: ")
        terminal.type("secret\n")
        assert terminal.left() == 0
    assert "username" not in terminal.shown


def test_a_wrong_password_is_said_and_not_kept(
    weft: Weft, world: RegistryWorld, env: dict[str, str], kept: Path
) -> None:
    assert weft("login", world.host, "-u", "me", "--password-stdin", stdin="secret\n").code == 0
    before = kept.read_bytes()
    with at_terminal(["login", world.host, "-u", "me"], env) as terminal:
        terminal.expect("Enter password: ")
        terminal.type("guess\n")
        assert terminal.left() == 1
    assert "401" in terminal.shown
    assert "the credential from the command line is wrong, or not enough for this" in terminal.shown
    assert "guess" not in terminal.shown
    assert kept.read_bytes() == before


@pytest.mark.parametrize("key", [pytest.param(CTRL_C, id="Ctrl-C"), pytest.param(CTRL_D, id="Ctrl-D")])
@pytest.mark.parametrize("typed", [[], ["me\n"]], ids=["at the name", "at the password"])
def test_who_changes_their_mind_leaves_the_file_alone(
    weft: Weft, world: RegistryWorld, env: dict[str, str], kept: Path, key: str, typed: list[str]
) -> None:
    assert weft("login", world.host, "-u", "me", "--password-stdin", stdin="secret\n").code == 0
    before, asked = kept.read_bytes(), len(world.seen)
    with at_terminal(["login", world.host], env) as terminal:
        terminal.expect("Enter username: ")
        for line in typed:
            terminal.type(line)
            terminal.expect("Enter password: ")
        terminal.insist(key)
        assert terminal.left() == 130
    assert terminal.shown.endswith("stopped\n")
    assert "Traceback" not in terminal.shown
    assert kept.read_bytes() == before
    assert len(world.seen) == asked


def test_an_empty_answer_names_the_option(world: RegistryWorld, env: dict[str, str], kept: Path) -> None:
    with at_terminal(["login", world.host], env) as terminal:
        terminal.expect("Enter username: ")
        terminal.type("\n")
        assert terminal.left() == 2
    assert terminal.shown.endswith("error: must specify username\n\nhint: add -u NAME\n")
    assert not kept.exists()
