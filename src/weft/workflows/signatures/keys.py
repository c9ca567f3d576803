"""Keys and policies as files: make a pair, read what a person names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weft.base.files import atomic_create, read_limited
from weft.errors import NotFound, UsageError, WeftError
from weft.signing import Identity, KeyInvalid, Keyless, Policy, PrivateKey, PublicKey

__all__ = [
    "KeyPair",
    "make_key_pair",
    "policy_of_identity",
    "policy_of_keys",
    "read_policy",
    "read_private_key",
    "show_key",
]

# An RSA key of 16384 bits has 13 KB; a policy of hundreds of teams fits, too.
_MAX_KEY_BYTES = 64 * 1024
_MAX_POLICY_BYTES = 1024 * 1024
_SECRET, _PUBLIC = 0o600, 0o644

Password = Callable[[], bytes]
"""Asks for the password of a key, when there is need."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Where a key is and what it is; ``private`` is ``None`` for a public key alone."""

    private: Path | None
    public: Path | None
    kind: str
    fingerprint: str

    def document(self) -> dict[str, Any]:
        """What ``weft key … -o json`` shows; a file that is not there is null."""
        return {
            "private": str(self.private) if self.private else None,
            "public": str(self.public) if self.public else None,
            "kind": self.kind,
            "fingerprint": self.fingerprint,
        }


def make_key_pair(prefix: str, kind: str, password: Password) -> KeyPair:
    """Write a new pair to ``<prefix>.key`` (for this user's eyes only) and ``<prefix>.pub``.

    Raises ``UsageError`` when either file exists, before any password is asked for; nothing is overwritten.
    """
    private, public = Path(f"{prefix}.key"), Path(f"{prefix}.pub")
    for path in (private, public):
        if path.exists() or path.is_symlink():
            raise _exists(path)
    key = PrivateKey.generate(kind)
    _create(private, key.to_pem(password()), _SECRET)
    try:
        _create(public, key.public.to_pem(), _PUBLIC)
    except BaseException:
        private.unlink()  # half a pair is none; this one was ours, a moment old
        raise
    return KeyPair(private, public, key.public.kind, key.public.fingerprint)


def read_private_key(path: Path, password: Password) -> PrivateKey:
    """The key in ``path``; raises ``NotFound`` or ``KeyInvalid``."""
    return PrivateKey.load(_read(path, _MAX_KEY_BYTES), password, where=str(path))


def show_key(path: Path, password: Password) -> KeyPair:
    """What the key in ``path`` is, public or private; raises ``NotFound`` or ``KeyInvalid``."""
    data = _read(path, _MAX_KEY_BYTES)
    if b"PRIVATE KEY" in data:
        public = PrivateKey.load(data, password, where=str(path)).public
        return KeyPair(path, None, public.kind, public.fingerprint)
    public = PublicKey.load(data, where=str(path))
    return KeyPair(None, path, public.kind, public.fingerprint)


def policy_of_keys(paths: Sequence[Path]) -> Policy:
    """Every image needs a signature of one of the public keys in ``paths``."""
    keys = {str(path): PublicKey.load(_read(path, _MAX_KEY_BYTES), where=str(path)) for path in paths}
    return Policy.of_keys(keys)


def policy_of_identity(subject: str, issuer: str, trusted_root: Path | None) -> Policy:
    """Every image needs a signature of ``subject``, as ``issuer`` knows it."""
    root = _read(trusted_root, _MAX_POLICY_BYTES) if trusted_root else None
    return Policy.of_identity(Identity(subject, issuer), Keyless(root, where=str(trusted_root)))


def read_policy(path: Path) -> Policy:
    """The policy in ``path``; key files that it names are looked for beside it.

    Raises ``NotFound``, ``KeyInvalid`` or ``UsageError``.
    """
    try:
        text = _read(path, _MAX_POLICY_BYTES).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 at byte {error.start}") from error
    return Policy.parse(text, lambda name: _read(path.parent / name, _MAX_KEY_BYTES), where=str(path))


def _read(path: Path, limit: int) -> bytes:
    try:
        data = read_limited(path, limit)
    except FileNotFoundError as error:
        raise NotFound(f"{path}: no such file") from error
    except OSError as error:
        raise WeftError(f"{path}: {error.strerror}") from error
    if data is None:
        raise KeyInvalid(f"{path} is larger than {limit} bytes")
    return data


def _create(path: Path, data: bytes, mode: int) -> None:
    try:
        atomic_create(path, data, mode=mode)
    except FileExistsError as error:
        if path.parent.is_dir():
            raise _exists(path) from error
        raise UsageError(f"{path.parent} is not a folder") from error
    except OSError as error:
        raise WeftError(f"{path}: {error.strerror}") from error


def _exists(path: Path) -> UsageError:
    return UsageError(f"{path} exists; a key is never overwritten", hint="name another --output-key-prefix")
