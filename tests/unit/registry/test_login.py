"""The file that ``weft login`` writes: private, whole, and the other registries stay."""

import asyncio
import json
import stat
from pathlib import Path

import pytest

from weft.base.locks import held
from weft.errors import UsageError, WeftError
from weft.registry import Credential, Keychain, forget, keep

ME = Credential("me", "secret")
ENV = {"PATH": "/usr/bin:/bin"}


async def found(path: Path, registry: str) -> str | None:
    credential = await Keychain(own=path).lookup(registry)
    return credential.username if credential else None


async def test_several_registries_live_together(tmp_path: Path) -> None:
    path = tmp_path / "deep/credentials.json"
    assert await keep(path, "a.example.com", ME, ENV) == str(path)
    await keep(path, "b.example.com", Credential("you", "x"), ENV)
    await keep(path, "a.example.com", Credential("again", "x"), ENV)
    assert [await found(path, f"{host}.example.com") for host in "abc"] == ["again", "you", None]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_weft_does_not_know_stays(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text('{"auths": {}, "HttpHeaders": {"X": "y"}}')
    await keep(path, "a.example.com", ME, ENV)
    document = json.loads(path.read_text())
    assert document == {"auths": {"a.example.com": {"auth": "bWU6c2VjcmV0"}}, "HttpHeaders": {"X": "y"}}


async def test_a_file_that_others_could_read_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text("{}")
    path.chmod(0o644)
    await keep(path, "a.example.com", ME, ENV)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_forgetting_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    assert not await forget(path, "a.example.com", ENV)
    await keep(path, "a.example.com", ME, ENV)
    await keep(path, "b.example.com", ME, ENV)
    assert await forget(path, "a.example.com", ENV)
    assert not await forget(path, "a.example.com", ENV)
    assert [await found(path, f"{host}.example.com") for host in "ab"] == [None, "me"]


async def test_docker_hub_is_forgotten_under_any_of_its_names(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text('{"auths": {"https://index.docker.io/v1/": {"auth": "bWU6c2VjcmV0"}}}')
    assert await forget(path, "docker.io", ENV)
    assert json.loads(path.read_text()) == {"auths": {}}


async def test_a_broken_file_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text("{oh no")
    with pytest.raises(UsageError, match="is not JSON"):
        await keep(path, "a.example.com", ME, ENV)
    assert path.read_text() == "{oh no"


async def test_a_file_that_another_holds_is_waited_for_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "credentials.json"
    monkeypatch.setattr("weft.registry.login._LOCK_SECONDS", 0.2)
    with held(tmp_path / "credentials.json.lock", make=True), pytest.raises(WeftError) as caught:
        await keep(path, "a.example.com", ME, ENV)
    assert str(caught.value) == f"another weft has held {path} for 0.2 s"
    assert not path.exists()
    await keep(path, "a.example.com", ME, ENV)


async def test_writers_at_once_lose_nothing_to_each_other(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(keep(path, f"h{number}.example.com", ME, ENV))
    assert len(json.loads(path.read_text())["auths"]) == 20


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeftError) as caught:
        await keep(tmp_path / "file/credentials.json", "a.example.com", ME, ENV)
    assert str(caught.value) == f"cannot write {tmp_path}/file/credentials.json: File exists"


async def test_a_helper_keeps_the_password_where_one_is_named(tmp_path: Path) -> None:
    program = tmp_path / "bin/docker-credential-test"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\ncase $1 in\n"
        f"store) cat > {tmp_path}/kept ;;\n"
        f"get) cat {tmp_path}/kept 2>/dev/null || {{ echo credentials not found; exit 1; }} ;;\n"
        f"erase) rm {tmp_path}/kept ;;\nesac\n"
    )
    program.chmod(0o755)
    env = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
    path = tmp_path / "credentials.json"
    path.write_text('{"credsStore": "test"}')
    assert await keep(path, "a.example.com", ME, env) == "docker-credential-test"
    assert json.loads((tmp_path / "kept").read_text()) == {
        "ServerURL": "a.example.com", "Username": "me", "Secret": "secret",
    }  # fmt: skip
    assert "bWU6" not in path.read_text()
    keychain = Keychain(env=env, own=path)
    assert (await keychain.lookup("a.example.com")) == Credential(
        "me", "secret", source="docker-credential-test"
    )
    assert await forget(path, "a.example.com", env)
    assert not (tmp_path / "kept").exists()
