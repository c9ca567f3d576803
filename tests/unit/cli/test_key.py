"""``weft key``: files, modes, passwords, and what is refused."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import Weft
from weft.signing import KINDS, PrivateKey, PublicKey

PASSWORD = {"WEFT_KEY_PASSWORD": "secret"}


def opened(prefix: Path, password: bytes = b"secret") -> PrivateKey:
    """The private key, which must fit the public one beside it."""
    key = PrivateKey.load(prefix.with_suffix(".key").read_bytes(), lambda: password, where="the test")
    public = PublicKey.load(prefix.with_suffix(".pub").read_bytes(), where="the test")
    assert public.der == key.public.der
    return key


@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_is_made_for_its_owner_alone(weft: Weft, tmp_path: Path, kind: str) -> None:
    prefix = tmp_path / "keys" / "team"
    result = weft("key", "generate", "--kind", kind, "--output-key-prefix", prefix, "-o", "json", **PASSWORD)
    key = opened(prefix)
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out) == {
        "private": f"{prefix}.key",
        "public": f"{prefix}.pub",
        "kind": kind,
        "fingerprint": key.public.fingerprint,
    }
    assert sorted(path.name for path in prefix.parent.iterdir()) == ["team.key", "team.pub"]
    assert prefix.with_suffix(".key").stat().st_mode & 0o777 == 0o600
    assert prefix.with_suffix(".pub").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("there", ["cosign.key", "cosign.pub"])
def test_no_key_is_ever_overwritten(weft: Weft, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    result = weft("key", "generate", "--output-key-prefix", tmp_path / "cosign")
    assert result.code == 2
    assert result.err == (
        f"error: {tmp_path / there} exists; a key is never overwritten\n\n"
        "hint: name another --output-key-prefix\n"
    )
    assert [path.name for path in tmp_path.glob("cosign*")] == [there]
    assert (tmp_path / there).read_text() == "precious"


@pytest.mark.parametrize(
    ("variables", "password"),
    [
        pytest.param({"COSIGN_PASSWORD": "c"}, b"c", id="cosign's"),
        pytest.param({"COSIGN_PASSWORD": "c", "WEFT_KEY_PASSWORD": "w"}, b"w", id="ours first"),
        pytest.param({"COSIGN_PASSWORD": ""}, b"", id="empty"),
    ],
)
def test_the_environment_gives_the_password(
    weft: Weft, tmp_path: Path, variables: dict[str, str], password: bytes
) -> None:
    assert weft("key", "generate", "--output-key-prefix", tmp_path / "k", **variables).code == 0
    opened(tmp_path / "k", password)


def test_without_anybody_to_ask_nothing_is_made(weft: Weft, tmp_path: Path) -> None:
    result = weft("key", "generate", "--output-key-prefix", tmp_path / "k")
    assert result.code == 2
    assert result.err == ("error: the key has a password, and nobody to ask\n\nhint: set WEFT_KEY_PASSWORD\n")
    assert not list(tmp_path.glob("k*"))


def test_a_terminal_is_asked_twice_and_shows_no_password(env: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "weft", "key", "generate", "--output-key-prefix", str(tmp_path / "k")]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, env=env, stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown, answers = b"", [b"from a person\n", b"from a person\n"]
    deadline = time.monotonic() + 60
    try:
        while process.poll() is None and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    shown += os.read(ours, 1024)
                except OSError:  # it has closed its end
                    break
            if answers and shown.count(b": ") == 3 - len(answers):
                os.write(ours, answers.pop())
        assert process.wait(30) == 0, shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    opened(tmp_path / "k", b"from a person")
    assert b"Password of the new key (may be empty): " in shown
    assert b"from a person" not in shown


def test_a_key_is_shown_from_either_half(weft: Weft, tmp_path: Path) -> None:
    weft("key", "generate", "--kind", "ed25519", "--output-key-prefix", tmp_path / "k", **PASSWORD)
    fingerprint = opened(tmp_path / "k").public.fingerprint
    public = weft("key", "show", tmp_path / "k.pub")
    assert public.out == (
        f"public       {tmp_path / 'k.pub'}\nkind         ed25519\nfingerprint  {fingerprint}\n"
    )
    private = weft("key", "show", tmp_path / "k.key", "-o", "json", **PASSWORD)
    assert json.loads(private.out) == {
        "private": str(tmp_path / "k.key"),
        "public": None,
        "kind": "ed25519",
        "fingerprint": fingerprint,
    }


@pytest.mark.parametrize(
    ("content", "code", "complaint"),
    [
        pytest.param(None, 4, "error: {}: no such file\n", id="missing"),
        pytest.param(b"hello", 2, "error: {} is no PEM public key\n", id="no key"),
        pytest.param(b"x" * 65537, 2, "error: {} is larger than 65536 bytes\n", id="huge"),
    ],
)
def test_what_is_no_key_is_named(
    weft: Weft, tmp_path: Path, content: bytes | None, code: int, complaint: str
) -> None:
    path = tmp_path / "k.pub"
    if content is not None:
        path.write_bytes(content)
    result = weft("key", "show", path)
    assert (result.code, result.out, result.err) == (code, "", complaint.format(path))


def test_a_wrong_password_is_named(weft: Weft, tmp_path: Path) -> None:
    weft("key", "generate", "--output-key-prefix", tmp_path / "k", **PASSWORD)
    result = weft("key", "show", tmp_path / "k.key", WEFT_KEY_PASSWORD="wrong")
    assert result.code == 2
    assert result.err.startswith(f"error: {tmp_path / 'k.key'} cannot be opened: wrong password or damaged\n")
