"""What is said with each request: tokens of files and of programs, old, refused and broken ones."""

import asyncio
import json
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from weft.errors import PartMissing, WeftError
from weft.kube import Cluster, Denied, Ref
from weft.kube.credentials import Credentials
from weft.kube.kubeconfig import ExecPlugin, User
from worlds.clock import FakeClock
from worlds.kube_api import KubeWorld, open_client, open_world

ENV = {"PATH": "/usr/bin:/bin", "MINE": "kept"}
API = "client.authentication.k8s.io/v1"


def of(user: User, clock: FakeClock | None = None) -> Credentials:
    return Credentials(
        Cluster(name="x", server="https://x", authority=b"PEM", user=user), ENV, clock or FakeClock()
    )


async def complaint(user: User) -> WeftError:
    with pytest.raises(WeftError) as caught:
        await of(user).header()
    return caught.value


class Program:
    """A credential program in a folder: what it prints, and how often it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "login"

    def prints(self, output: str, code: int = 0) -> "Program":
        log = shlex.quote(str(self.folder / "calls"))
        script = (
            f"#!/bin/sh\nenv > {log}.env\necho \"$*\" >> {log}\ncat <<'END'\n{output}\nEND\nexit {code}\n"
        )
        self.path.write_text(script)
        self.path.chmod(0o755)
        return self

    def gives(self, **status: Any) -> "Program":
        return self.prints(json.dumps({"apiVersion": API, "kind": "ExecCredential", "status": status}))

    def user(self, **more: Any) -> User:
        return User(exec=ExecPlugin(command=str(self.path), api_version=API, **more))

    @property
    def calls(self) -> list[str]:
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    @property
    def env(self) -> dict[str, str]:
        lines = (self.folder / "calls.env").read_text().splitlines()
        return {line.partition("=")[0]: line.partition("=")[2] for line in lines}


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def after(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("user", "header"),
    [
        pytest.param(User(), {}, id="nobody"),
        pytest.param(User(certificate=b"x", key=b"y"), {}, id="a certificate speaks"),
        pytest.param(User(token="abc"), {"Authorization": "Bearer abc"}, id="a token"),
        pytest.param(
            User(username="me", password="pä"), {"Authorization": "Basic bWU6cMOk"}, id="a password"
        ),
    ],
)
async def test_what_does_not_change(user: User, header: dict[str, str]) -> None:
    credentials = of(user)
    assert await credentials.header() == header
    assert not credentials.forget(header)


class TestFiles:
    """A pod's token is replaced while it runs."""

    async def test_a_token_is_read_again_after_a_while(self, tmp_path: Path) -> None:
        path, clock = tmp_path / "token", FakeClock()
        path.write_text("one\n")
        credentials = of(User(token_file=path, token="not this one"), clock)
        assert await credentials.header() == {"Authorization": "Bearer one"}
        path.write_text("two\n")
        clock.time = 60
        assert await credentials.header() == {"Authorization": "Bearer one"}
        clock.time = 61
        assert await credentials.header() == {"Authorization": "Bearer two"}

    async def test_a_refused_token_is_read_again_at_once(self, tmp_path: Path) -> None:
        path = tmp_path / "token"
        path.write_text("one")
        credentials = of(User(token_file=path))
        old = await credentials.header()
        path.write_text("two")
        assert credentials.forget(old)
        assert await credentials.header() == {"Authorization": "Bearer two"}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            pytest.param(None, "cannot read the token in {path}: No such file or directory", id="missing"),
            pytest.param(b" \n", "the token in {path} is empty", id="empty"),
            pytest.param(b"a\nb", "the token has characters that no token has", id="two lines"),
            pytest.param(b"\xff\xfe", "the token has characters that no token has", id="not UTF-8"),
        ],
    )
    async def test_a_file_without_a_token(self, tmp_path: Path, content: bytes | None, message: str) -> None:
        path = tmp_path / "token"
        if content is not None:
            path.write_bytes(content)
        assert str(await complaint(User(token_file=path))) == message.format(path=path)


class TestPrograms:
    """Tokens of a cloud's own tool."""

    async def test_a_program_is_asked_once_for_a_token_without_end(self, program: Program) -> None:
        credentials = of(program.gives(token="abc").user(args=["get-token", "--x"]))
        for _ in range(3):
            assert await credentials.header() == {"Authorization": "Bearer abc"}
        assert program.calls == ["get-token --x"]

    async def test_it_is_told_what_the_kubeconfig_says(self, program: Program) -> None:
        user = program.gives(token="abc").user(env=[], provide_cluster_info=True)
        await of(user).header()
        info = json.loads(program.env["KUBERNETES_EXEC_INFO"])
        assert info == {
            "apiVersion": API,
            "kind": "ExecCredential",
            "spec": {
                "interactive": False,
                "cluster": {"server": "https://x", "certificate-authority-data": "UEVN"},
            },
        }
        assert program.env["MINE"] == "kept"
        await of(program.user()).header()
        assert "cluster" not in json.loads(program.env["KUBERNETES_EXEC_INFO"])["spec"]

    async def test_many_who_need_it_at_once_are_one_question(self, program: Program) -> None:
        credentials = of(program.gives(token="abc").user())
        headers = await asyncio.gather(*(credentials.header() for _ in range(10)))
        assert headers == [{"Authorization": "Bearer abc"}] * 10
        assert len(program.calls) == 1

    @pytest.mark.parametrize(
        ("seconds", "calls"), [pytest.param(3600, 1, id="long"), pytest.param(20, 2, id="too short")]
    )
    async def test_it_is_asked_again_when_its_token_ends(
        self, program: Program, seconds: float, calls: int
    ) -> None:
        credentials = of(program.gives(token="abc", expirationTimestamp=after(seconds)).user())
        await credentials.header()
        await credentials.header()
        assert len(program.calls) == calls

    async def test_a_refusal_of_what_is_renewed_already_renews_nothing(self, program: Program) -> None:
        credentials = of(program.gives(token="old").user())
        old = await credentials.header()
        program.gives(token="new")
        assert credentials.forget(old)
        assert credentials.forget(old)
        assert await credentials.header() == {"Authorization": "Bearer new"}
        assert credentials.forget(old)
        assert await credentials.header() == {"Authorization": "Bearer new"}
        assert len(program.calls) == 2

    async def test_a_certificate_is_an_identity_too(self, program: Program) -> None:
        status = {"clientCertificateData": "CERT", "clientKeyData": "KEY", "token": None}
        credentials = of(program.gives(**status).user())
        identity = await credentials.identity()
        assert (identity.certificate, identity.key) == (b"CERT", b"KEY")
        assert await credentials.header() == {}
        assert "KEY" not in repr(identity)

    @pytest.mark.parametrize(
        ("output", "message"),
        [
            pytest.param("Please log in", "printed no ExecCredential", id="text"),
            pytest.param("", "printed no ExecCredential", id="nothing"),
            pytest.param("[]", "printed no ExecCredential", id="a list"),
            pytest.param("[" * 100_000, "printed no ExecCredential", id="too deep"),
            pytest.param("{}", "printed no ExecCredential", id="no status"),
            pytest.param('{"status": null}', "printed no ExecCredential", id="null"),
            pytest.param('{"status": {"token": 7}}', "printed no ExecCredential", id="a number"),
            pytest.param(
                '{"status": {"token": "x", "expirationTimestamp": "soon"}}',
                "printed no ExecCredential",
                id="no time",
            ),
            pytest.param(
                '{"status": {"token": "x", "expirationTimestamp": "2026-11-21T07:00:00"}}',
                "printed no ExecCredential",
                id="a time of no zone",
            ),
            pytest.param(
                '{"status": {}}', "printed an ExecCredential with neither token nor certificate", id="empty"
            ),
        ],
    )
    async def test_what_is_no_credential_is_not_used(
        self, program: Program, output: str, message: str
    ) -> None:
        error = await complaint(program.prints(output).user(args=["--client-secret=s3cret"]))
        assert str(error) == f"{program.path} {message}"

    async def test_what_a_program_says_when_it_fails_is_shown(self, program: Program) -> None:
        error = await complaint(program.prints("not logged in", code=3).user())
        assert str(error) == f"{program.path} gave no credential: exit code 3"
        assert error.detail == "not logged in\n"

    @pytest.mark.parametrize(("told", "hint"), [("  brew install x\n", "brew install x"), ("", None)])
    async def test_how_to_install_a_missing_program_is_said(self, told: str, hint: str | None) -> None:
        plugin = ExecPlugin(command="no-such-login", api_version=API, install_hint=told)
        error = await complaint(User(exec=plugin))
        assert isinstance(error, PartMissing)
        assert (str(error), error.hint) == ("cannot start no-such-login: No such file or directory", hint)


class TestRefusals:
    """A 401 is answered with a fresh credential, once."""

    CONFIGMAP = Ref("v1", "ConfigMap", "a", "default")

    async def test_a_token_that_was_replaced_meanwhile_is_read_again(self, tmp_path: Path) -> None:
        path = tmp_path / "token"
        path.write_text("one")
        async with (
            open_world(KubeWorld(token="one")) as world,
            open_client(world, User(token_file=path)) as kube,
        ):
            world.put("a")
            await kube.get(self.CONFIGMAP)
            world.token = "two"
            path.write_text("two")
            await kube.get(self.CONFIGMAP)
            said = [one.authorization for one in world.requests("GET", "configmaps/a")]
        assert said == ["Bearer one", "Bearer one", "Bearer two"]

    async def test_many_refused_at_once_ask_the_program_once(self, program: Program) -> None:
        async with (
            open_world(KubeWorld(token="one")) as world,
            open_client(world, program.gives(token="one").user()) as kube,
        ):
            world.put("a")
            await kube.get(self.CONFIGMAP)
            world.token = "two"
            program.gives(token="two")
            await asyncio.gather(*(kube.get(self.CONFIGMAP) for _ in range(8)))
        assert len(program.calls) == 2

    async def test_a_credential_that_stays_bad_is_said_after_two_tries(self, program: Program) -> None:
        async with (
            open_world(KubeWorld(token="right")) as world,
            open_client(world, program.gives(token="wrong").user()) as kube,
        ):
            with pytest.raises(Denied) as caught:
                await kube.version()
        assert str(caught.value) == "ask for the version: Unauthorized"
        assert caught.value.hint == "the credential is not, or no longer, good: log in again"
        assert (len(world.seen), len(program.calls)) == (2, 2)

    async def test_a_token_that_cannot_be_renewed_is_tried_once(self) -> None:
        async with (
            open_world(KubeWorld(token="right")) as world,
            open_client(world, User(token="wrong")) as kube,
        ):
            with pytest.raises(Denied):
                await kube.version()
        assert len(world.seen) == 1
