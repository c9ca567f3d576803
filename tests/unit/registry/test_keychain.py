"""Where credentials are found, in files as docker, podman, ORAS and wasme write them."""

import base64
import json
from pathlib import Path

import pytest

from weft.errors import UsageError, WeftError
from weft.registry import Credential, Keychain

HUB = "hub.example.com"


def auth(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


def write(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


async def look(env: dict[str, str], registry: str = HUB, repository: str = "team/f") -> str | None:
    """``user:password`` of what is found."""
    found = await Keychain(env=env).lookup(registry, repository)
    return f"{found.username}:{found.password}" if found else None


@pytest.mark.parametrize(
    ("place", "env"),
    [
        pytest.param("auth.json", {"REGISTRY_AUTH_FILE": "{}/auth.json"}, id="REGISTRY_AUTH_FILE"),
        pytest.param("run/containers/auth.json", {"XDG_RUNTIME_DIR": "{}/run"}, id="podman's runtime folder"),
        pytest.param(
            "conf/containers/auth.json", {"XDG_CONFIG_HOME": "{}/conf"}, id="podman's config folder"
        ),
        pytest.param(".config/containers/auth.json", {"HOME": "{}"}, id="podman's home"),
        pytest.param("dc/config.json", {"DOCKER_CONFIG": "{}/dc"}, id="DOCKER_CONFIG"),
        pytest.param(".docker/config.json", {"HOME": "{}"}, id="docker's home"),
        pytest.param(".wasme/credentials.json", {"HOME": "{}"}, id="wasme"),
    ],
)
async def test_every_tool_s_file_is_read(tmp_path: Path, place: str, env: dict[str, str]) -> None:
    write(tmp_path / place, {"auths": {HUB: auth("me:secret")}})
    filled = {name: value.format(tmp_path) for name, value in env.items()}
    assert await look(filled) == "me:secret"
    assert await look(filled, "other.example.com") is None


async def test_docker_s_oldest_file_is_read(tmp_path: Path) -> None:
    write(tmp_path / ".dockercfg", {HUB: auth("me:secret")})
    assert await look({"HOME": str(tmp_path)}) == "me:secret"


async def test_the_first_place_wins(tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", {"auths": {HUB: auth("docker:x")}})
    home = {"HOME": str(tmp_path)}
    assert await look(home) == "docker:x"
    write(tmp_path / ".config/containers/auth.json", {"auths": {HUB: auth("podman:x")}})
    assert await look(home) == "podman:x"
    own = write(tmp_path / "own.json", {"auths": {HUB: auth("weft:x")}})
    found = await Keychain(env=home, own=own).lookup(HUB)
    assert found == Credential("weft", "x", source=f"{own}: auths.{HUB}")
    told = {"WEFT_REGISTRY_HOST": HUB, "WEFT_REGISTRY_USERNAME": "env", "WEFT_REGISTRY_PASSWORD": "x"}
    keychain = Keychain(env=home | told, own=own)
    assert await keychain.lookup(HUB) == Credential("env", "x", source="WEFT_REGISTRY_*")
    given = Keychain(env=home | told, own=own, given={HUB: Credential("flag", "x")})
    assert await given.lookup(HUB) == Credential("flag", "x")


@pytest.mark.parametrize(
    ("key", "registry", "found"),
    [
        pytest.param(HUB, HUB, True, id="host"),
        pytest.param(f"https://{HUB}", HUB, True, id="URL"),
        pytest.param(f"https://{HUB}/v2/", HUB, True, id="URL with a version"),
        pytest.param("localhost:5000", "localhost:5000", True, id="port"),
        pytest.param("localhost", "localhost:5000", False, id="another port"),
        pytest.param("https://index.docker.io/v1/", "docker.io", True, id="docker hub's old name"),
        pytest.param("docker.io", "docker.io", True, id="docker hub"),
        pytest.param(f"{HUB}/team", HUB, True, id="a team"),
        pytest.param(f"{HUB}/team/f", HUB, True, id="a repository"),
        pytest.param(f"{HUB}/te", HUB, False, id="half a name"),
        pytest.param(f"{HUB}.evil.com", HUB, False, id="a longer host"),
    ],
)
async def test_a_key_means_a_registry(tmp_path: Path, key: str, registry: str, found: bool) -> None:
    write(tmp_path / ".docker/config.json", {"auths": {key: auth("me:secret")}})
    assert await look({"HOME": str(tmp_path)}, registry) == ("me:secret" if found else None)


async def test_the_longest_key_wins(tmp_path: Path) -> None:
    keys = {HUB: auth("all:x"), f"{HUB}/team": auth("team:x"), f"{HUB}/team/f": auth("f:x")}
    write(tmp_path / ".docker/config.json", {"auths": keys})
    home = {"HOME": str(tmp_path)}
    assert [await look(home, HUB, name) for name in ("team/f", "team/g", "x")] == ["f:x", "team:x", "all:x"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param({"username": "me", "password": "pw"}, Credential("me", "pw"), id="in clear"),
        pytest.param(auth("me:p:w"), Credential("me", "p:w"), id="colon in the password"),
        pytest.param({"identitytoken": "T"}, Credential(identity_token="T"), id="identity token"),
        pytest.param({"registrytoken": "T"}, Credential(registry_token="T"), id="registry token"),
        pytest.param({}, None, id="an empty entry"),
        pytest.param({"email": "me@example.com"}, None, id="nothing useful"),
    ],
)
async def test_an_entry_is_one_of_these(
    tmp_path: Path, entry: dict[str, str], expected: Credential | None
) -> None:
    path = write(tmp_path / "auth.json", {"auths": {HUB: entry}})
    found = await Keychain(env={"REGISTRY_AUTH_FILE": str(path)}).lookup(HUB)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert (found.username, found.password, found.identity_token, found.registry_token) == (
            expected.username, expected.password, expected.identity_token, expected.registry_token,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("{", "{path} is not JSON: ", id="no JSON"),
        pytest.param("[" * 100_000, "{path} is not JSON: ", id="deep"),
        pytest.param("[]", "{path} must be a JSON object", id="a list"),
        pytest.param('{"auths": ["x"]}', "{path}: auths must be an object", id="auths"),
        pytest.param(
            '{"auths": {"hub.example.com": {"auth": "%%%"}}}',
            "{path}: auths.hub.example.com.auth is not base64 of user:password",
            id="not base64",
        ),
        pytest.param(
            '{"auths": {"hub.example.com": {"auth": "bm9jb2xvbg=="}}}',
            "{path}: auths.hub.example.com.auth is not base64 of user:password",
            id="no colon",
        ),
        pytest.param(
            '{"auths": {"hub.example.com": {"auth": 7}}}',
            "{path}: auths.hub.example.com.auth must be a string",
            id="a number",
        ),
    ],
)
async def test_a_broken_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "auth.json"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        await look({"REGISTRY_AUTH_FILE": str(path)})
    assert str(caught.value).startswith(complaint.format(path=path))


async def test_a_password_in_the_environment_must_say_whose_it_is() -> None:
    with pytest.raises(UsageError) as caught:
        await look({"WEFT_REGISTRY_USERNAME": "me", "WEFT_REGISTRY_PASSWORD": "secret"})
    assert str(caught.value) == (
        "WEFT_REGISTRY_HOST is not set, so nobody knows whose credential WEFT_REGISTRY_* is"
    )


async def test_a_password_in_the_environment_is_for_one_registry() -> None:
    env = {"WEFT_REGISTRY_HOST": HUB, "WEFT_REGISTRY_USERNAME": "me", "WEFT_REGISTRY_PASSWORD": "secret"}
    assert await look(env) == "me:secret"
    assert await look(env, "evil.example.com") is None


def test_a_credential_does_not_show_its_secrets() -> None:
    shown = repr(Credential("me", "p4ss", "id3nt", "r3g"))
    assert "me" in shown
    assert not any(secret in shown for secret in ("p4ss", "id3nt", "r3g"))


class TestHelpers:
    """Programs that keep passwords, as real programs."""

    @pytest.fixture
    def env(self, tmp_path: Path) -> dict[str, str]:
        return {"HOME": str(tmp_path), "PATH": f"{tmp_path}/bin:/usr/bin:/bin"}

    def helper(self, tmp_path: Path, script: str, name: str = "test") -> None:
        program = tmp_path / f"bin/docker-credential-{name}"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def config(self, tmp_path: Path, **fields: object) -> None:
        write(tmp_path / ".docker/config.json", fields)

    async def test_a_helper_is_asked_for_the_registry(self, tmp_path: Path, env: dict[str, str]) -> None:
        self.helper(
            tmp_path,
            'read host; echo "$1 $host" >> "$HOME/asked"; echo noise >&2\n'
            'echo "{\\"ServerURL\\":\\"$host\\",\\"Username\\":\\"me\\",\\"Secret\\":\\"s3\\"}"',
        )
        self.config(tmp_path, credHelpers={HUB: "test"})
        assert await look(env) == "me:s3"
        assert await look(env, "other.example.com") is None
        assert (tmp_path / "asked").read_text() == f"get {HUB}\n"

    async def test_docker_hub_has_its_old_name_there(self, tmp_path: Path, env: dict[str, str]) -> None:
        self.helper(tmp_path, 'read host; echo "{\\"Username\\":\\"$host\\",\\"Secret\\":\\"s\\"}"')
        self.config(tmp_path, credsStore="test")
        assert await look(env, "docker.io") == "https://index.docker.io/v1/:s"

    async def test_the_token_user_means_an_identity_token(self, tmp_path: Path, env: dict[str, str]) -> None:
        self.helper(tmp_path, 'echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"T\\"}"')
        self.config(tmp_path, credsStore="test")
        found = await Keychain(env=env).lookup(HUB)
        assert found == Credential(identity_token="T", source="docker-credential-test")

    async def test_a_helper_that_has_nothing_leaves_it_to_the_file(
        self, tmp_path: Path, env: dict[str, str]
    ) -> None:
        self.helper(tmp_path, "echo 'credentials not found in native keychain'; exit 1")
        self.config(tmp_path, credsStore="test", auths={HUB: auth("file:x")})
        assert await look(env) == "file:x"

    @pytest.mark.parametrize(
        ("script", "complaint"),
        [
            pytest.param(
                "echo locked; exit 2", "docker-credential-test failed for hub.example.com", id="failure"
            ),
            pytest.param(
                "echo s3cret",
                "docker-credential-test gave no credential document for hub.example.com",
                id="no JSON",
            ),
            pytest.param(
                "echo '[]'",
                "docker-credential-test gave no credential document for hub.example.com",
                id="another document",
            ),
        ],
    )
    async def test_a_helper_that_fails_is_named(
        self, tmp_path: Path, env: dict[str, str], script: str, complaint: str
    ) -> None:
        self.helper(tmp_path, script)
        self.config(tmp_path, credsStore="test")
        with pytest.raises(WeftError) as caught:
            await look(env)
        assert str(caught.value) == complaint
        assert "s3cret" not in f"{caught.value.detail}"

    async def test_a_helper_that_hangs_is_ended(
        self, tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("weft.registry.helpers._SECONDS", 0.2)
        self.helper(tmp_path, "sleep 60")
        self.config(tmp_path, credsStore="test")
        with pytest.raises(WeftError) as caught:
            await look(env)
        assert str(caught.value) == "docker-credential-test did not finish within 0.2 s"

    async def test_a_helper_that_never_ends_its_sentence_is_cut(
        self, tmp_path: Path, env: dict[str, str]
    ) -> None:
        self.helper(tmp_path, "head -c 1000000 /dev/zero")
        self.config(tmp_path, credsStore="test")
        with pytest.raises(WeftError) as caught:
            await look(env)
        assert str(caught.value) == "docker-credential-test wrote more than 262144 bytes"

    async def test_a_helper_that_is_not_there_is_remembered(
        self, tmp_path: Path, env: dict[str, str]
    ) -> None:
        self.config(tmp_path, credsStore="gone")
        keychain = Keychain(env=env)
        assert await keychain.lookup(HUB) is None
        assert await keychain.lookup(HUB) is None
        (note,) = keychain.notes
        assert note == (
            f"{tmp_path}/.docker/config.json names docker-credential-gone: "
            "cannot start docker-credential-gone: No such file or directory"
        )

    async def test_a_helper_s_name_is_no_path(self, tmp_path: Path, env: dict[str, str]) -> None:
        self.config(tmp_path, credsStore="../../bin/sh")
        with pytest.raises(UsageError) as caught:
            await look(env)
        assert str(caught.value) == "'../../bin/sh' cannot be the name of a credential helper"
