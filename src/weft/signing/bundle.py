"""Sigstore's bundle layout: an artifact that refers to the image, found through the referrers list.

Its one layer is a bundle (sigstore's protobuf-specs, v0.3) with a DSSE envelope; the envelope's words are an
in-toto statement whose subject is the digest, with the predicate type that cosign gives to plain signatures
(cosign, specs/BUNDLE_SPEC.md). cosign 3 writes it by default, 2.4 and later read it.

A bundle whose key is a certificate (keyless signing) is judged by ``keyless``.
"""

import base64
import binascii
from datetime import datetime

from weft.image import Image
from weft.oci import (
    Annotation,
    Descriptor,
    Digest,
    DigestInvalid,
    DocumentInvalid,
    JsonView,
    Manifest,
    MediaType,
    compact_json,
)
from weft.signing.errors import SignatureInvalid
from weft.signing.keys import PrivateKey
from weft.signing.signature import Signature

__all__ = ["BUNDLE_TYPE", "bundle_image", "bundle_signature", "read_bundle"]

BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PREDICATE = "https://sigstore.dev/cosign/sign/v1"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PAYLOAD_TYPE = "application/vnd.in-toto+json"
_EMPTY = b"{}"
# One with a certificate chain and a transparency log entry is about 12 KB.
_MAX_BUNDLE_BYTES = 1024 * 1024
_MAX_SUBJECTS = 64


def bundle_signature(digest: Digest, key: PrivateKey) -> bytes:
    """The bundle that says ``key`` signed ``digest``."""
    statement = compact_json(
        {
            "_type": _STATEMENT,
            "subject": [{"digest": {digest.algorithm: digest.hex}}],
            "predicateType": _PREDICATE,
            "predicate": {},
        }
    )
    signature = key.sign(_pae(_PAYLOAD_TYPE, statement))
    return compact_json(
        {
            "mediaType": BUNDLE_TYPE,
            "verificationMaterial": {"publicKey": {"hint": key.public.hint}},
            "dsseEnvelope": {
                "payload": base64.b64encode(statement).decode(),
                "payloadType": _PAYLOAD_TYPE,
                "signatures": [{"sig": base64.b64encode(signature).decode()}],
            },
        }
    )


def bundle_image(bundle: bytes, subject: Descriptor, created: datetime) -> Image:
    """The artifact that carries ``bundle`` and refers to ``subject``."""
    config = Descriptor.of(MediaType.OCI_EMPTY, _EMPTY)
    layer = Descriptor.of(BUNDLE_TYPE, bundle)
    notes = {
        Annotation.CREATED: created.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": _PREDICATE,
    }
    manifest = Manifest.build(
        config,
        (layer,),
        notes,
        media_type=MediaType.OCI_MANIFEST,
        artifact_type=BUNDLE_TYPE,
        subject=Descriptor(subject.media_type, subject.digest, subject.size),
    )
    return Image(manifest, {config.digest: _EMPTY, layer.digest: bundle})


def read_bundle(raw: bytes, *, where: str) -> list[Signature]:
    """The signatures in a bundle; none when it holds another kind of statement.

    Raises ``SignatureInvalid`` or ``DocumentInvalid`` for what is no bundle.
    """
    view = JsonView.parse(raw, document=f"bundle {Digest.of(raw).short} of {where}", limit=_MAX_BUNDLE_BYTES)
    if not view.get("mediaType").text().startswith("application/vnd.dev.sigstore.bundle"):
        raise SignatureInvalid(f"{view.document} is no sigstore bundle")
    envelope = view.get("dsseEnvelope")
    if not envelope:
        raise SignatureInvalid(f"{view.document} has no DSSE envelope")
    payload_type = envelope.get("payloadType").text()
    payload = _decoded(envelope.get("payload"))
    statement = JsonView.parse(payload, document=f"the statement of {view.document}", limit=_MAX_BUNDLE_BYTES)
    if payload_type != _PAYLOAD_TYPE or statement.get("predicateType").text("") != _PREDICATE:
        return []
    message = _pae(payload_type, payload)
    values = [_decoded(item.get("sig")) for item in envelope.get("signatures").items(limit=_MAX_SUBJECTS)]
    material = view.get("verificationMaterial")
    certified = bool(material.get("certificate") or material.get("x509CertificateChain"))
    return [
        Signature(view.document, subject, message, value, raw if certified else b"")
        for subject in _subjects(statement)
        for value in values
    ]


def _subjects(statement: JsonView) -> list[Digest]:
    subjects = []
    for item in statement.get("subject").items(limit=_MAX_SUBJECTS):
        for algorithm, digits in item.get("digest").texts().items():
            try:
                subjects.append(Digest(algorithm, digits))
            except DigestInvalid as error:
                raise DocumentInvalid(f"{statement.document}: {item.path}: {error}") from error
    return subjects


def _decoded(view: JsonView) -> bytes:
    try:
        return base64.b64decode(view.text(), validate=True)
    except binascii.Error:
        view.wrong("is not base64")


def _pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: lengths in bytes, so nothing can be shifted between the parts."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
