"""Keys: what they sign they verify, and the files of cosign and openssl are read."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from weft.signing import KINDS, KeyInvalid, PrivateKey, PublicKey


def openssl(*words: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=True).stdout  # noqa: S607


def no_password() -> bytes:
    pytest.fail("nobody should be asked")


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_survives_its_files(kind: str) -> None:
    key = PrivateKey.generate(kind)
    again = PrivateKey.load(key.to_pem(b"secret"), lambda: b"secret", where="cosign.key")
    public = PublicKey.load(key.public.to_pem(), where="cosign.pub")
    signature = again.sign(b"words")
    assert public.verify(signature, b"words")
    assert not public.verify(signature, b"other words")
    assert not PrivateKey.generate(kind).public.verify(signature, b"words")
    assert not public.verify(b"", b"words")


def test_the_private_half_is_never_shown() -> None:
    key = PrivateKey.generate("ecdsa-p256")
    assert "PrivateKey" in repr(key)
    assert "_key" not in repr(key)


def test_a_locked_key_looks_like_cosigns() -> None:
    pem = PrivateKey.generate("ecdsa-p256").to_pem(b"")
    assert pem.startswith(b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n")
    assert pem.endswith(b"-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n")
    older = pem.replace(b"SIGSTORE", b"COSIGN")
    assert PrivateKey.load(older, lambda: b"", where="cosign.key").sign(b"x")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], id="P-256"),
        pytest.param(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], id="P-384"),
        pytest.param(["genpkey", "-algorithm", "ED25519"], id="Ed25519"),
        pytest.param(["genrsa", "-traditional", "2048"], id="RSA, PKCS #1"),
        pytest.param(["ecparam", "-name", "prime256v1", "-genkey", "-noout"], id="P-256, SEC 1"),
    ],
)
def test_openssl_keys_sign(words: list[str]) -> None:
    private = openssl(*words)
    public = openssl("pkey", "-pubout", stdin=private)
    key = PrivateKey.load(private, no_password, where="key.pem")
    judge = PublicKey.load(public, where="key.pub")
    assert judge.verify(key.sign(b"words"), b"words")
    der = openssl("pkey", "-pubin", "-outform", "DER", stdin=public)
    assert judge.fingerprint == f"SHA256:{hashlib.sha256(der).hexdigest()}"


def test_openssl_verifies_what_we_sign(tmp_path: Path) -> None:
    key = PrivateKey.generate("ecdsa-p256")
    for name, data in {"pub": key.public.to_pem(), "sig": key.sign(b"words"), "words": b"words"}.items():
        (tmp_path / name).write_bytes(data)
    command = ["openssl", "dgst", "-sha256", "-verify", "pub", "-signature", "sig", "words"]
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("pem", "complaint"),
    [
        pytest.param(b"", "k.key is no PEM private key", id="empty"),
        pytest.param(b"\0asm", "k.key is no PEM private key", id="not PEM"),
        pytest.param(
            b"-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED COSIGN PRIVATE KEY-----",
            "k.key is damaged: not the JSON that cosign writes",
            id="damaged",
        ),
    ],
)
def test_a_file_that_is_no_private_key_is_named(pem: bytes, complaint: str) -> None:
    with pytest.raises(KeyInvalid) as caught:
        PrivateKey.load(pem, lambda: b"", where="k.key")
    assert str(caught.value) == complaint


def test_a_wrong_password_is_said() -> None:
    pem = PrivateKey.generate("ed25519").to_pem(b"right")
    with pytest.raises(KeyInvalid, match=r"^k\.key cannot be opened: wrong password or damaged$"):
        PrivateKey.load(pem, lambda: b"wrong", where="k.key")


def test_a_costly_key_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.signing.cosign_key._N", 2**21)
    monkeypatch.setattr("weft.signing.cosign_key._stretch", lambda *_: bytes(32))
    pem = PrivateKey.generate("ed25519").to_pem(b"")
    with pytest.raises(KeyInvalid, match="out of bounds"):
        PrivateKey.load(pem, lambda: b"", where="k.key")


def test_a_private_key_is_not_taken_for_a_public_one() -> None:
    pem = openssl("genpkey", "-algorithm", "ED25519")
    with pytest.raises(KeyInvalid) as caught:
        PublicKey.load(pem, where="team.pub")
    assert str(caught.value) == "team.pub is no PEM public key"
    assert caught.value.hint == "this is a private key; its .pub file is wanted"


def test_a_weak_rsa_key_is_refused() -> None:
    pem = openssl("genrsa", "1024")
    with pytest.raises(KeyInvalid, match="RSA key of 1024 bits; at least 2048 are safe"):
        PrivateKey.load(pem, no_password, where="k.key")


def test_a_strange_curve_is_refused() -> None:
    pem = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1")
    with pytest.raises(KeyInvalid, match="on curve secp256k1"):
        PrivateKey.load(pem, no_password, where="k.key")
