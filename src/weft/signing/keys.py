"""Keys: ECDSA (P-256, P-384, P-521), Ed25519 and RSA, in the files that cosign and openssl write.

Signatures are what sigstore's libraries make and take: ECDSA as ASN.1 DER, RSA as PKCS #1 v1.5, both over
SHA-256 (ECDSA on a larger curve is also taken over that curve's own hash), Ed25519 over the message itself.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from weft.signing import cosign_key
from weft.signing.errors import KeyInvalid

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    AnyPrivate = EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey
    AnyPublic = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey

__all__ = ["KINDS", "PrivateKey", "PublicKey"]

KINDS = ("ecdsa-p256", "ed25519", "rsa-3072")
"""What ``PrivateKey.generate`` makes; the first is cosign's."""

_RSA_BITS = 3072
_MIN_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Half of a pair: judges signatures."""

    _key: "AnyPublic"

    @classmethod
    def load(cls, pem: bytes, *, where: str) -> "PublicKey":
        """Read a PEM public key (SubjectPublicKeyInfo); raises ``KeyInvalid`` naming ``where``."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            hint = "this is a private key; its .pub file is wanted" if b"PRIVATE KEY" in pem else None
            raise KeyInvalid(f"{where} is no PEM public key", hint=hint) from error
        return cls(cast("AnyPublic", _known(key, where)))

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether the other half made ``signature`` over ``message``."""
        from cryptography.exceptions import InvalidSignature

        for arguments in _schemes(self._key):
            try:
                self._key.verify(signature, message, *arguments)
            except InvalidSignature:
                continue
            return True
        return False

    @property
    def kind(self) -> str:
        """Algorithm and size, as in ``KINDS``."""
        from cryptography.hazmat.primitives.asymmetric import ec, rsa

        if isinstance(self._key, ec.EllipticCurvePublicKey):
            return f"ecdsa-p{self._key.curve.key_size}"
        return f"rsa-{self._key.key_size}" if isinstance(self._key, rsa.RSAPublicKey) else "ed25519"

    @property
    def der(self) -> bytes:
        """The SubjectPublicKeyInfo."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def hint(self) -> str:
        """What a sigstore bundle calls this key: base64 of the SHA-256 of ``der``."""
        return base64.b64encode(hashlib.sha256(self.der).digest()).decode()

    @property
    def fingerprint(self) -> str:
        """``SHA256:<hex>`` of ``der``, for people."""
        return f"SHA256:{hashlib.sha256(self.der).hexdigest()}"

    def to_pem(self) -> bytes:
        """The key as cosign.pub holds it."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True, repr=False)
class PrivateKey:
    """The half that signs. Never shown."""

    _key: "AnyPrivate"

    @classmethod
    def generate(cls, kind: str) -> "PrivateKey":
        """A new key, of one of ``KINDS``."""
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

        if kind == "ed25519":
            return cls(ed25519.Ed25519PrivateKey.generate())
        if kind == "rsa-3072":
            return cls(rsa.generate_private_key(65537, _RSA_BITS))
        if kind == "ecdsa-p256":
            return cls(ec.generate_private_key(ec.SECP256R1()))
        raise KeyInvalid(f"{kind!r} is no kind of key", hint=f"one of {', '.join(KINDS)}")

    @classmethod
    def load(cls, pem: bytes, password: Callable[[], bytes], *, where: str) -> "PrivateKey":
        """Read cosign's encrypted PEM, or PKCS #8, SEC 1 and PKCS #1 as openssl writes them.

        ``password`` is asked only when the key is locked. Raises ``KeyInvalid``.
        """
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

        key: Any
        try:
            if cosign_key.is_sealed(pem):
                key = load_der_private_key(cosign_key.open_sealed(pem, password(), where=where), None)
            else:
                locked = b"ENCRYPTED" in pem
                key = load_pem_private_key(pem, password() if locked else None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            if b"ENCRYPTED" in pem:
                raise KeyInvalid(f"{where} cannot be opened: wrong password or damaged") from error
            hint = "a public key cannot sign" if b"PUBLIC KEY" in pem else None
            raise KeyInvalid(f"{where} is no PEM private key", hint=hint) from error
        return cls(cast("AnyPrivate", _known(key, where)))

    def sign(self, message: bytes) -> bytes:
        """The signature over ``message``."""
        key: Any = self._key
        return cast("bytes", key.sign(message, *_schemes(self._key)[-1]))

    @property
    def public(self) -> PublicKey:
        """The other half."""
        return PublicKey(self._key.public_key())

    def to_pem(self, password: bytes) -> bytes:
        """The key as cosign.key holds it, locked with ``password`` (which may be empty, as cosign's)."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        der = self._key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return cosign_key.seal(der, password)


def _schemes(key: "AnyPrivate | AnyPublic") -> list[tuple[Any, ...]]:
    """The arguments beside the message: every way that is taken; the last is the one we sign with."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        own: dict[int, HashAlgorithm] = {384: hashes.SHA384(), 521: hashes.SHA512()}
        taken = [own[key.curve.key_size]] if key.curve.key_size in own else []
        return [(ec.ECDSA(algorithm),) for algorithm in (*taken, hashes.SHA256())]
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        return [(padding.PKCS1v15(), hashes.SHA256())]
    return [()]


def _known(key: object, where: str) -> object:
    """``key`` when it is of a kind and size that we trust."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        if key.key_size < _MIN_RSA_BITS:
            raise KeyInvalid(
                f"{where} is an RSA key of {key.key_size} bits; at least {_MIN_RSA_BITS} are safe"
            )
    elif isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        if key.curve.name not in {"secp256r1", "secp384r1", "secp521r1"}:
            raise KeyInvalid(f"{where} is on curve {key.curve.name}; P-256, P-384 and P-521 are taken")
    elif not isinstance(key, ed25519.Ed25519PrivateKey | ed25519.Ed25519PublicKey):
        raise KeyInvalid(f"{where} is a {type(key).__name__}; ECDSA, Ed25519 and RSA keys are taken")
    return key
