"""Signatures in real registries, judged by the real cosign and by sigstore's own JavaScript."""

import base64
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from contracts.repository import fresh, push
from contracts.signing import TEAM, PushedImage, SigningContract, policy, signed
from parts import tool
from weft.net import Http, Network
from weft.oci import Descriptor, Digest, Reference
from weft.registry import Registries, Repository
from weft.signing import KINDS, Policy, PrivateKey, PublicKey, Unverified, bundle_signature
from weft.workflows.signatures.verify import verify
from worlds.real_registry import running

PASSWORD = b"secret"
DIGEST = Digest.of(b"the manifest")
VERIFIER = Path(__file__).parents[1] / "worlds" / "verify_bundle.cjs"
LAYOUTS = ("simple", "bundle")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Start each kind of registry once."""
    with ExitStack() as stack:
        yield cache(
            lambda kind: stack.enter_context(running(kind, tmp_path_factory.mktemp("signing") / "registry"))
        )


@pytest.fixture
async def registries() -> AsyncIterator[Registries]:
    async with Http(Network()) as http:
        yield Registries(http)


@pytest.mark.parametrize(
    "registry",
    [pytest.param(name, marks=pytest.mark.real(name)) for name in ("docker-registry", "distribution")],
)
class TestRealRegistry(SigningContract):
    """The contract."""

    @pytest.fixture
    def host(self, registry: str, places: Callable[[str], str]) -> str:
        return places(registry)


class Cosign:
    """The real program, with a home of its own and no way out."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        program = tool("cosign", "cosign")
        assert program is not None
        nowhere = {"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.1"}
        env = {"HOME": str(self.home), "COSIGN_PASSWORD": PASSWORD.decode(), **nowhere}
        command = [str(program), *map(str, words)]
        return subprocess.run(
            command, env=env, cwd=self.home, capture_output=True, text=True, timeout=120, check=False
        )

    def verify(self, image: str, key: Path) -> subprocess.CompletedProcess[str]:
        # Its check of bundles wants to know whom else to trust, even when that is nobody.
        nobody = self.home / "trusted_root.json"
        nobody.write_text('{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}')
        trust = ("--insecure-ignore-tlog=true", "--trusted-root", nobody)
        return self.run("verify", "--key", key, *trust, image)

    def sign(self, image: str, key: Path, layout: str = "") -> None:
        form = [f"--new-bundle-format={str(layout == 'bundle').lower()}"] if layout else []
        alone = ("--use-signing-config=false", "--tlog-upload=false")  # nobody is to be told
        done = self.run("sign", "--key", key, *alone, *form, "--yes", image)
        assert done.returncode == 0, done.stderr

    def keys(self, name: str) -> tuple[Path, Path]:
        done = self.run("generate-key-pair", "--output-key-prefix", name)
        assert done.returncode == 0, done.stderr
        return self.home / f"{name}.key", self.home / f"{name}.pub"


def write_pair(folder: Path, name: str, key: PrivateKey) -> tuple[Path, Path]:
    private, public = folder / f"{name}.key", folder / f"{name}.pub"
    private.write_bytes(key.to_pem(PASSWORD))
    public.write_bytes(key.public.to_pem())
    return private, public


@pytest.mark.real("cosign", "distribution")
class TestCosign(PushedImage):
    """What one signs the other verifies, and refuses what it should."""

    @pytest.fixture
    def cosign(self, tmp_path: Path) -> Cosign:
        return Cosign(tmp_path)

    @pytest.fixture
    def reference(self, places: Callable[[str], str]) -> Reference:
        return Reference.parse(f"{places('distribution')}/{fresh()}:v1")

    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("kind", KINDS)
    async def test_cosign_verifies_what_we_signed(
        self,
        cosign: Cosign,
        registries: Registries,
        reference: Reference,
        image: Descriptor,
        tmp_path: Path,
        kind: str,
        layout: str,
    ) -> None:
        key = PrivateKey.generate(kind)
        _, public = write_pair(tmp_path, "ours", key)
        _, wrong = write_pair(tmp_path, "wrong", PrivateKey.generate(kind))
        await signed(registries, reference, key, [layout])
        done = cosign.verify(str(reference), public)
        assert done.returncode == 0, done.stderr
        assert str(image.digest) in done.stdout
        refused = cosign.verify(str(reference), wrong)
        assert refused.returncode != 0
        assert "nvalid signature" in refused.stderr or "no matching" in refused.stderr, refused.stderr

    @pytest.mark.parametrize("layout", LAYOUTS)
    async def test_we_verify_what_cosign_signed(
        self,
        cosign: Cosign,
        registries: Registries,
        reference: Reference,
        repository: Repository,
        image: Descriptor,
        layout: str,
    ) -> None:
        private, public = cosign.keys("cosign")
        cosign.sign(str(reference.pinned(image.digest)), private, layout)
        key = PublicKey.load(public.read_bytes(), where="cosign.pub")
        found = await verify(registries, reference, Policy.of_keys({"cosign": key}))
        assert (found.digest, found.signed_by) == (image.digest, ("cosign",))
        with pytest.raises(Unverified, match="nobody has signed") as caught:
            await verify(registries, reference, policy(team=TEAM))
        assert "was made with none of the keys team" in (caught.value.detail or "")
        await push(repository, b"another module")
        with pytest.raises(Unverified, match="nobody has signed"):
            await verify(registries, reference, Policy.of_keys({"cosign": key}))

    async def test_what_cosign_signs_untold_is_a_bundle_and_we_verify_it(
        self,
        cosign: Cosign,
        registries: Registries,
        reference: Reference,
        repository: Repository,
        image: Descriptor,
    ) -> None:
        private, public = cosign.keys("cosign")
        cosign.sign(str(reference.pinned(image.digest)), private)
        (bundle,) = await repository.referrers(image.digest)
        assert bundle.artifact_type == "application/vnd.dev.sigstore.bundle.v0.3+json"
        key = PublicKey.load(public.read_bytes(), where="cosign.pub")
        assert (await verify(registries, reference, Policy.of_keys({"cosign": key}))).signed_by == ("cosign",)

    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("kind", sorted({*KINDS} - {"ed25519"}))
    async def test_cosign_signs_with_our_key(
        self,
        cosign: Cosign,
        registries: Registries,
        reference: Reference,
        image: Descriptor,
        tmp_path: Path,
        kind: str,
        layout: str,
    ) -> None:
        key = PrivateKey.generate(kind)
        private, _ = write_pair(tmp_path, "ours", key)
        cosign.sign(str(reference.pinned(image.digest)), private, layout)
        assert (await verify(registries, reference, policy(ours=key))).signed_by == ("ours",)

    @pytest.mark.parametrize("layout", LAYOUTS)
    async def test_what_cosign_signs_with_ed25519_neither_takes(
        self,
        cosign: Cosign,
        registries: Registries,
        reference: Reference,
        image: Descriptor,
        tmp_path: Path,
        layout: str,
    ) -> None:
        # cosign 2.6 and 3.1 sign with Ed25519ph and verify Ed25519, so they refuse their own signature.
        key = PrivateKey.generate("ed25519")
        private, public = write_pair(tmp_path, "ours", key)
        cosign.sign(str(reference.pinned(image.digest)), private, layout)
        assert cosign.verify(str(reference), public).returncode != 0
        with pytest.raises(Unverified):
            await verify(registries, reference, policy(ours=key))

    @pytest.mark.parametrize("layout", LAYOUTS)
    async def test_we_sign_with_cosigns_key_beside_its_signature(
        self,
        cosign: Cosign,
        registries: Registries,
        reference: Reference,
        image: Descriptor,
        layout: str,
    ) -> None:
        first, first_public = cosign.keys("first")
        second, second_public = cosign.keys("second")
        cosign.sign(str(reference.pinned(image.digest)), first, layout)
        known, new = (
            PrivateKey.load(p.read_bytes(), lambda: PASSWORD, where=p.name) for p in (first, second)
        )
        assert (await signed(registries, reference, known, [layout])).layouts == {layout: False}
        assert (await signed(registries, reference, new, [layout])).layouts == {layout: True}
        for public in (first_public, second_public):
            done = cosign.verify(str(reference), public)
            assert done.returncode == 0, done.stderr
        assert (await verify(registries, reference, policy(a=known, b=new))).signed_by == ("a", "b")

    @pytest.mark.parametrize("layout", LAYOUTS)
    async def test_cosign_signs_beside_ours(
        self,
        cosign: Cosign,
        registries: Registries,
        reference: Reference,
        image: Descriptor,
        layout: str,
    ) -> None:
        await signed(registries, reference, TEAM, [layout])
        private, _ = cosign.keys("cosign")
        cosign.sign(str(reference.pinned(image.digest)), private, layout)
        theirs = PrivateKey.load(private.read_bytes(), lambda: PASSWORD, where="cosign.key")
        found = await verify(registries, reference, policy(ours=TEAM, theirs=theirs))
        assert found.signed_by == ("ours", "theirs")


@pytest.mark.real("sigstore-js")
class TestJavaScript:
    """``@sigstore/verify`` judges our bundles as we do."""

    def judge(self, folder: Path, bundle: bytes, key: PrivateKey) -> subprocess.CompletedProcess[str]:
        modules = tool("sigstore-js", "node_modules")
        assert modules is not None
        (folder / "bundle.json").write_bytes(bundle)
        _, public = write_pair(folder, "key", key)
        command = ["node", *map(str, (VERIFIER, modules, folder / "bundle.json", public))]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    @pytest.mark.parametrize("kind", KINDS)
    def test_our_bundle_is_taken(self, tmp_path: Path, kind: str) -> None:
        key = PrivateKey.generate(kind)
        done = self.judge(tmp_path, bundle_signature(DIGEST, key), key)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["subject"] == [{"digest": {"sha256": DIGEST.hex}}]

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_wrong_key_is_refused(self, tmp_path: Path, kind: str) -> None:
        bundle = bundle_signature(DIGEST, PrivateKey.generate(kind))
        done = self.judge(tmp_path, bundle, PrivateKey.generate(kind))
        assert done.returncode != 0
        assert "signature verification failed" in done.stderr

    def test_an_altered_statement_is_refused(self, tmp_path: Path) -> None:
        document = json.loads(bundle_signature(DIGEST, TEAM))
        words = base64.b64decode(document["dsseEnvelope"]["payload"])
        altered = words.replace(DIGEST.hex.encode(), Digest.of(b"another").hex.encode())
        document["dsseEnvelope"]["payload"] = base64.b64encode(altered).decode()
        done = self.judge(tmp_path, json.dumps(document).encode(), TEAM)
        assert done.returncode != 0
        assert "signature verification failed" in done.stderr
