"""``weft sign`` and ``weft verify`` as a person types them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from conftest import Result, Weft
from contracts.repository import push
from weft.oci import Digest
from weft.signing import PrivateKey
from worlds.content import open_registries
from worlds.registry import RegistryWorld, open_registry
from worlds.sigstore import BUNDLE, ISSUER, SigstoreWorld

TEAM, STRANGER = PrivateKey.generate("ed25519"), PrivateKey.generate("ed25519")
LOCKED = {"team": TEAM.to_pem(b"secret"), "stranger": STRANGER.to_pem(b"secret")}
ONE_OF = "error: give one of --key, --policy and --identity"
Call = Callable[..., Awaitable[Result]]


def told(result: Result) -> tuple[int, str, str]:
    return result.code, result.out, result.err


@pytest.fixture
async def world() -> AsyncIterator[RegistryWorld]:
    async with open_registry() as world:
        yield world


@pytest.fixture
async def digest(world: RegistryWorld) -> Digest:
    async with open_registries(world.host) as registries:
        return (await push(registries.repository(world.host, "team/f"))).digest


@pytest.fixture
def image(world: RegistryWorld) -> str:
    return f"{world.host}/team/f"


@pytest.fixture
def call(weft: Weft, tmp_path: Path) -> Call:
    """The program in a thread, for the registry answers in this one; keys are in ``tmp_path``."""
    for name, key in (("team", TEAM), ("stranger", STRANGER)):
        (tmp_path / f"{name}.key").write_bytes(LOCKED[name])
        (tmp_path / f"{name}.pub").write_bytes(key.public.to_pem())

    async def run(command: str, *words: str | Path) -> Result:
        return await asyncio.to_thread(weft, command, "--plain-http", *words, WEFT_KEY_PASSWORD="secret")

    return run


async def test_scripts_get_the_pinned_reference(
    call: Call, image: str, digest: Digest, tmp_path: Path
) -> None:
    signed = await call("sign", f"{image}:v1", "--key", tmp_path / "team.key")
    assert told(signed) == (0, f"{image}@{digest}\n", "simple signature added\nbundle signature added\n")
    again = await call("sign", f"{image}:v1", "--key", tmp_path / "team.key", "--layout", "simple")
    assert told(again) == (0, f"{image}@{digest}\n", "simple signature was there already\n")
    key = tmp_path / "team.pub"
    verified = await call("verify", f"{image}:v1", "--key", tmp_path / "stranger.pub", "--key", key)
    assert told(verified) == (0, f"{image}@{digest}\n", f"signed by {key}\n")


async def test_json_says_what_was_done(call: Call, image: str, digest: Digest, tmp_path: Path) -> None:
    words = ("-o", "json")
    signed = await call("sign", image + ":v1", "--key", tmp_path / "team.key", "--layout", "bundle", *words)
    names = {"reference": f"{image}:v1", "pinned": f"{image}@{digest}", "digest": str(digest)}
    assert json.loads(signed.out) == names | {
        "key": TEAM.public.fingerprint,
        "layouts": {"bundle": "added"},
    }
    verified = await call("verify", image + ":v1", "--key", tmp_path / "team.pub", *words)
    assert json.loads(verified.out) == names | {"signedBy": [str(tmp_path / "team.pub")]}


async def test_a_refusal_is_code_seven_with_every_reason(
    call: Call, image: str, digest: Digest, tmp_path: Path
) -> None:
    await call("sign", f"{image}:v1", "--key", tmp_path / "stranger.key")
    result = await call("verify", f"{image}:v1", "--key", tmp_path / "team.pub")
    assert (result.code, result.out) == (7, "")
    first, _, *reasons = result.err.splitlines()
    assert first == (
        f"error: {image}:v1 is refused: a signature of one of {tmp_path / 'team.pub'} is needed, "
        f"and nobody has signed {digest}"
    )
    assert len(reasons) == 2
    assert all(f"was made with none of the keys {tmp_path / 'team.pub'}" in reason for reason in reasons)


async def test_a_policy_finds_its_keys_beside_it(
    call: Call, world: RegistryWorld, image: str, digest: Digest, tmp_path: Path
) -> None:
    await call("sign", f"{image}:v1", "--key", tmp_path / "team.key")
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"keys: {{team: team.pub}}\nrules: [{{images: '{world.host}/**', anyOf: [team]}}]\n")
    assert told(await call("verify", f"{image}:v1", "--policy", policy)) == (
        0,
        f"{image}@{digest}\n",
        "signed by team\n",
    )
    policy.write_text(f"keys: {{}}\nrules: [{{images: '{world.host}/**', unsigned: true}}]\n")
    assert (await call("verify", f"{image}:v1", "--policy", policy)).err == (
        "the policy asks for no signature\n"
    )


@pytest.mark.usefixtures("call")
@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        pytest.param((), 2, ONE_OF, id="neither"),
        pytest.param(
            ("--key", "team.pub", "--policy", "p"),
            2,
            ONE_OF,
            id="both",
        ),
        pytest.param(("--key", "none.pub"), 4, "error: none.pub: no such file", id="no such key"),
        pytest.param(("--policy", "none"), 4, "error: none: no such file", id="no such policy"),
        pytest.param(("--policy", "bytes"), 2, "error: bytes is not UTF-8 at byte 0", id="bytes"),
        pytest.param(("--policy", "lost"), 4, "error: away.pub: no such file", id="a policy without its key"),
        pytest.param(("--key", "."), 1, "error: .: Is a directory", id="a folder"),
    ],
)
def test_a_mistake_is_named_before_anything_is_asked(
    weft: Weft,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    code: int,
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bytes").write_bytes(b"\xff")
    (tmp_path / "lost").write_text("keys: {team: away.pub}\nrules: []\n")
    result = weft("verify", "hub.invalid/f:v1", *words)
    assert (result.code, result.err.splitlines()[0]) == (code, complaint)


async def test_an_identity_verifies_what_sigstore_certified(
    call: Call, world: RegistryWorld, image: str, digest: Digest, tmp_path: Path
) -> None:
    sigstore = SigstoreWorld()
    (tmp_path / "root.json").write_bytes(sigstore.trusted_root())
    (tmp_path / "bundle.json").write_bytes(sigstore.bundle(digest, "me@example.com"))
    file = f"{tmp_path / 'bundle.json'}:{BUNDLE}"
    attached = await call("attach", f"{image}:v1", file, "--artifact-type", BUNDLE)
    assert attached.code == 0, attached.err
    who = ("--identity", "me@example.com", "--issuer", ISSUER, "--trusted-root", tmp_path / "root.json")
    assert told(await call("verify", f"{image}:v1", *who)) == (
        0,
        f"{image}@{digest}\n",
        f"signed by me@example.com ({ISSUER})\n",
    )
    stranger = ("--identity", "you@example.com", *who[2:])
    refused = await call("verify", f"{image}:v1", *stranger)
    assert refused.code == 7
    assert "Certificate's SANs do not match you@example.com" in refused.err


def test_a_public_key_cannot_sign(weft: Weft, tmp_path: Path) -> None:
    path = tmp_path / "team.pub"
    path.write_bytes(TEAM.public.to_pem())
    result = weft("sign", "hub.invalid/f:v1", "--key", path)
    assert told(result) == (2, "", f"error: {path} is no PEM private key\n\nhint: a public key cannot sign\n")
