"""A sigstore of our own: an authority for short-lived certificates and two logs, all in memory.

``bundle`` is what `cosign sign` leaves without a key: a certificate for somebody's identity, a DSSE envelope,
and the proof that a log has seen it. ``trusted_root`` is what a verifier must believe for that.
"""

import base64
import datetime as dt
import hashlib
import json
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from weft.oci import Digest, compact_json

_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_TIMESTAMPS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_PAYLOAD = "application/vnd.in-toto+json"
_PREDICATE = "https://sigstore.dev/cosign/sign/v1"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SIGNED_AT = START + dt.timedelta(days=30)
ISSUER = "https://accounts.example.com"


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, kind)


def _log_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_spki(key)).digest()


def _sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass
class SigstoreWorld:
    """One sigstore with keys of its own."""

    authority: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    certificates: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    """The log of certificates."""
    signatures: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    """The log of signatures."""

    def __post_init__(self) -> None:
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
        public = self.authority.public_key()
        usage = _usage(key_cert_sign=True, crl_sign=True)
        self.root = (
            x509.CertificateBuilder(self.name, self.name, public, 1, START, START + dt.timedelta(3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self.authority, hashes.SHA256())
        )

    def trusted_root(self) -> bytes:
        """``trusted_root.json`` (sigstore protobuf-specs)."""
        valid = {"start": "2026-01-01T00:00:00Z"}

        def log(key: ec.EllipticCurvePrivateKey, url: str) -> dict[str, Any]:
            return {
                "baseUrl": url,
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": _b64(_spki(key)),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": valid,
                },
                "logId": {"keyId": _b64(_log_id(key))},
            }

        chain = {"certificates": [{"rawBytes": _b64(self.root.public_bytes(serialization.Encoding.DER))}]}
        return compact_json(
            {
                "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [log(self.signatures, "https://rekor.invalid")],
                "certificateAuthorities": [
                    {
                        "subject": {"organization": "test", "commonName": "authority"},
                        "uri": "https://fulcio.invalid",
                        "certChain": chain,
                        "validFor": valid,
                    }
                ],
                "ctlogs": [log(self.certificates, "https://ct.invalid")],
                "timestampAuthorities": [],
            }
        )

    def bundle(
        self, digest: Digest, identity: str, *, issuer: str = ISSUER, at: dt.datetime = SIGNED_AT
    ) -> bytes:
        """``identity`` signs ``digest``, as a token of ``issuer`` allowed it to, and the log notes it."""
        key = _key()
        certificate = self._certificate(key, identity, issuer)
        statement = compact_json(
            {
                "_type": "https://in-toto.io/Statement/v1",
                "subject": [{"digest": {digest.algorithm: digest.hex}}],
                "predicateType": _PREDICATE,
                "predicate": {},
            }
        )
        message = b"DSSEv1 %d %b %d %b" % (len(_PAYLOAD), _PAYLOAD.encode(), len(statement), statement)
        signature = _sign(key, message)
        return compact_json(
            {
                "mediaType": BUNDLE,
                "verificationMaterial": {
                    "certificate": {"rawBytes": _b64(certificate.public_bytes(serialization.Encoding.DER))},
                    "tlogEntries": [self._entry(certificate, statement, signature, at)],
                },
                "dsseEnvelope": {
                    "payload": _b64(statement),
                    "payloadType": _PAYLOAD,
                    "signatures": [{"sig": _b64(signature)}],
                },
            }
        )

    def _certificate(self, key: ec.EllipticCurvePrivateKey, identity: str, issuer: str) -> x509.Certificate:
        """For ten minutes, with the log's word that it has seen it (RFC 6962, 3.2)."""
        san: x509.GeneralName = (
            x509.UniformResourceIdentifier(identity) if "://" in identity else x509.RFC822Name(identity)
        )
        builder = (
            x509.CertificateBuilder(
                self.name,
                x509.Name([]),
                key.public_key(),
                x509.random_serial_number(),
                SIGNED_AT - dt.timedelta(minutes=5),
                SIGNED_AT + dt.timedelta(minutes=5),
            )
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.public_key()),
                critical=False,
            )
            .add_extension(x509.SubjectAlternativeName([san]), critical=True)
            .add_extension(x509.UnrecognizedExtension(_ISSUER, issuer.encode()), critical=False)
        )
        seen = builder.sign(self.authority, hashes.SHA256()).tbs_certificate_bytes
        milliseconds = int(SIGNED_AT.timestamp() * 1000)
        issuer_hash = hashlib.sha256(_spki(self.authority)).digest()
        length = struct.pack(">I", len(seen))[1:]
        signed = struct.pack(">BBQH", 0, 0, milliseconds, 1) + issuer_hash + length + seen + b"\0\0"
        value = _sign(self.certificates, signed)
        stamp = b"\0" + _log_id(self.certificates) + struct.pack(">Q", milliseconds) + b"\0\0\4\3"
        stamp += struct.pack(">H", len(value)) + value
        stamps = struct.pack(">HH", len(stamp) + 2, len(stamp)) + stamp
        der = b"\x04" + (bytes([len(stamps)]) if len(stamps) < 128 else bytes([0x81, len(stamps)])) + stamps
        return builder.add_extension(x509.UnrecognizedExtension(_TIMESTAMPS, der), critical=False).sign(
            self.authority, hashes.SHA256()
        )

    def _entry(
        self, certificate: x509.Certificate, statement: bytes, signature: bytes, at: dt.datetime
    ) -> dict[str, Any]:
        """The only entry of the log: its proof is empty, its root is itself (RFC 6962, 2.1)."""
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        payload = hashlib.sha256(statement).hexdigest()
        body = _canonical(
            {
                "apiVersion": "0.0.1",
                "kind": "dsse",
                "spec": {
                    "envelopeHash": {"algorithm": "sha256", "value": payload},
                    "payloadHash": {"algorithm": "sha256", "value": payload},
                    "signatures": [{"signature": _b64(signature), "verifier": _b64(pem)}],
                },
            }
        )
        root, log_id = hashlib.sha256(b"\0" + body).digest(), _log_id(self.signatures)
        promise = {
            "body": _b64(body),
            "integratedTime": int(at.timestamp()),
            "logID": log_id.hex(),
            "logIndex": 0,
        }
        note = f"rekor.invalid - 1\n1\n{_b64(root)}\n"
        note_signature = _b64(log_id[:4] + _sign(self.signatures, note.encode()))
        return {
            "logIndex": "0",
            "logId": {"keyId": _b64(log_id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(int(at.timestamp())),
            "inclusionPromise": {"signedEntryTimestamp": _b64(_sign(self.signatures, _canonical(promise)))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _b64(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\u2014 rekor.invalid {note_signature}\n"},
            },
            "canonicalizedBody": _b64(body),
        }


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _usage(**wanted: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: wanted.get(name, False) for name in names})
