"""The file format of ``cosign.key``: a PKCS #8 key sealed with a password.

A PEM block "ENCRYPTED SIGSTORE PRIVATE KEY" (formerly "ENCRYPTED COSIGN PRIVATE KEY") holds JSON: the
parameters of scrypt, which turns the password into 32 bytes, and a NaCl secretbox
(XSalsa20-Poly1305) with its nonce. This is go-securesystemslib's ``encrypted`` package.
"""

import base64
import binascii
import hashlib
import json
import re
import secrets
from typing import Any

from weft.signing.errors import KeyInvalid

__all__ = ["is_sealed", "open_sealed", "seal"]

_LABEL = b"ENCRYPTED SIGSTORE PRIVATE KEY"
_BLOCK = re.compile(
    rb"-----BEGIN (ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY)-----\s(.*?)-----END \1-----", re.DOTALL
)
_LINE = 64
_SALT_BYTES, _KEY_BYTES = 32, 32
_N, _R, _P = 65536, 8, 1
# A key file from elsewhere must not make us fill the memory or wait for minutes: 8 times cosign's cost.
_MAX_MEMORY = 8 * 128 * _N * _R
_MAX_P = 8


def is_sealed(pem: bytes) -> bool:
    """Whether ``pem`` is such a file."""
    return _BLOCK.search(pem) is not None


def open_sealed(pem: bytes, password: bytes, *, where: str) -> bytes:
    """The PKCS #8 DER inside; raises ``KeyInvalid`` for a wrong password or a damaged file."""
    from nacl.exceptions import CryptoError
    from nacl.secret import SecretBox

    block = _BLOCK.search(pem)
    if block is None:
        raise KeyInvalid(f"{where} is no cosign key")
    try:
        document = json.loads(base64.b64decode(block[2]))
        params = document["kdf"]["params"]
        known = document["kdf"]["name"] == "scrypt" and document["cipher"]["name"] == "nacl/secretbox"
        salt = base64.b64decode(document["kdf"]["salt"])
        nonce = base64.b64decode(document["cipher"]["nonce"])
        sealed = base64.b64decode(document["ciphertext"])
        n, r, p = (int(params[name]) for name in "Nrp")
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise KeyInvalid(f"{where} is damaged: not the JSON that cosign writes") from error
    if not known:
        raise KeyInvalid(f"{where} is sealed in a way we do not know; scrypt with nacl/secretbox is wanted")
    if min(n, r) < 1 or not 1 <= p <= _MAX_P or 128 * n * r > _MAX_MEMORY:
        raise KeyInvalid(f"{where} asks for scrypt with N={n} r={r} p={p}, which is out of bounds")
    try:
        return SecretBox(_stretch(password, salt, n, r, p)).decrypt(sealed, nonce)
    except (CryptoError, ValueError) as error:
        raise KeyInvalid(f"{where} cannot be opened: wrong password or damaged") from error


def seal(der: bytes, password: bytes) -> bytes:
    """``der`` as cosign would write it."""
    from nacl.secret import SecretBox

    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(SecretBox.NONCE_SIZE)
    box = SecretBox(_stretch(password, salt, _N, _R, _P))
    document: dict[str, Any] = {
        "kdf": {"name": "scrypt", "params": {"N": _N, "r": _R, "p": _P}, "salt": _text(salt)},
        "cipher": {"name": "nacl/secretbox", "nonce": _text(nonce)},
        "ciphertext": _text(box.encrypt(der, nonce).ciphertext),
    }
    body = base64.b64encode(json.dumps(document, separators=(",", ":")).encode())
    lines = [body[start : start + _LINE] for start in range(0, len(body), _LINE)]
    return b"\n".join([b"-----BEGIN " + _LABEL + b"-----", *lines, b"-----END " + _LABEL + b"-----", b""])


def _stretch(password: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=2 * _MAX_MEMORY, dklen=_KEY_BYTES)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
