"""Both of cosign's layouts: what we write we read, and what was altered does not count."""

import base64
import json
from datetime import UTC, datetime

import pytest

from weft.errors import WeftError
from weft.image import Image
from weft.oci import Descriptor, Digest, MediaType
from weft.signing import (
    BUNDLE_TYPE,
    SIMPLE_TYPE,
    PrivateKey,
    Signature,
    bundle_image,
    bundle_signature,
    judge,
    read_bundle,
    read_simple,
    signature_tag,
    simple_image,
    simple_signature,
)

DIGEST = Digest.of(b"the manifest")
OTHER = Digest.of(b"another manifest")
KEY = PrivateKey.generate("ecdsa-p256")
KEYS = {"team": KEY.public}


def signatures(image: Image) -> list[Signature]:
    return [read_simple(layer, image.blob(layer), where="img") for layer in image.manifest.layers]


def test_simple_signatures_add_up_in_one_image() -> None:
    first = simple_image(*simple_signature("hub.example.com/f", DIGEST, KEY))
    other = PrivateKey.generate("ed25519")
    both = simple_image(*simple_signature("hub.example.com/f", DIGEST, other), existing=first)
    assert [layer.media_type for layer in both.manifest.layers] == [SIMPLE_TYPE] * 2
    assert judge(DIGEST, signatures(both), KEYS | {"other": other.public}).signed_by == {"team", "other"}
    config = json.loads(both.blob(both.manifest.config))
    assert config["rootfs"]["diff_ids"] == [str(layer.digest) for layer in both.manifest.layers]


def test_the_words_are_what_cosign_signs() -> None:
    payload, _ = simple_signature("hub.example.com/f", DIGEST, KEY)
    assert payload == (
        b'{"critical":{"identity":{"docker-reference":"hub.example.com/f"},'
        b'"image":{"docker-manifest-digest":"' + str(DIGEST).encode() + b'"},'
        b'"type":"cosign container image signature"},"optional":null}'
    )
    assert signature_tag(DIGEST) == f"sha256-{DIGEST.hex}.sig"


def test_a_swapped_payload_does_not_count() -> None:
    image = simple_image(*simple_signature("r/f", OTHER, KEY))
    layer = image.manifest.layers[0]
    swapped = image.blob(layer).replace(str(OTHER).encode(), str(DIGEST).encode())
    judgement = judge(DIGEST, [read_simple(layer, swapped, where="img")], KEYS)
    assert not judgement.signed_by
    assert judgement.reasons == (
        f"signature {layer.digest.short} of img was made with none of the keys team",
    )


def test_a_signature_of_another_image_does_not_count() -> None:
    judgement = judge(DIGEST, signatures(simple_image(*simple_signature("r/f", OTHER, KEY))), KEYS)
    assert not judgement.signed_by
    assert judgement.reasons[0].endswith(f"is for {OTHER}, not for this image")


def test_a_bundle_is_read_back() -> None:
    bundle = bundle_signature(DIGEST, KEY)
    assert judge(DIGEST, read_bundle(bundle, where="img"), KEYS).signed_by == {"team"}
    assert not judge(OTHER, read_bundle(bundle, where="img"), KEYS).signed_by


def test_the_bundles_artifact_refers_to_the_image() -> None:
    bundle = bundle_signature(DIGEST, KEY)
    subject = Descriptor(MediaType.OCI_MANIFEST, DIGEST, 12, {"note": "not copied"})
    image = bundle_image(bundle, subject, datetime(2026, 11, 20, tzinfo=UTC))
    manifest = image.manifest
    assert manifest.artifact_type == BUNDLE_TYPE
    assert manifest.subject == Descriptor(MediaType.OCI_MANIFEST, DIGEST, 12)
    assert [image.blob(layer) for layer in manifest.layers] == [bundle]
    assert manifest.annotations["org.opencontainers.image.created"] == "2026-11-20T00:00:00Z"


def test_an_altered_envelope_does_not_count() -> None:
    document = json.loads(bundle_signature(OTHER, KEY))
    words = base64.b64decode(document["dsseEnvelope"]["payload"]).replace(
        OTHER.hex.encode(), DIGEST.hex.encode()
    )
    document["dsseEnvelope"]["payload"] = base64.b64encode(words).decode()
    found = read_bundle(json.dumps(document).encode(), where="img")
    assert not judge(DIGEST, found, KEYS).signed_by


def test_a_bundle_about_something_else_holds_no_signature() -> None:
    document = json.loads(bundle_signature(DIGEST, KEY))
    words = base64.b64decode(document["dsseEnvelope"]["payload"]).replace(b"cosign/sign", b"provenance")
    document["dsseEnvelope"]["payload"] = base64.b64encode(words).decode()
    assert read_bundle(json.dumps(document).encode(), where="img") == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b'{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}',
        b"\xff",
        b"{" * 9000,
    ],
)
def test_rubbish_is_named_and_never_a_traceback(raw: bytes) -> None:
    with pytest.raises(WeftError, match="img"):
        read_bundle(raw, where="img")
    with pytest.raises(WeftError, match="img"):
        read_simple(
            Descriptor.of(SIMPLE_TYPE, raw, {"dev.cosignproject.cosign/signature": "AAAA"}), raw, where="img"
        )


def test_a_layer_without_a_signature_is_named() -> None:
    with pytest.raises(WeftError, match="lacks the annotation"):
        read_simple(Descriptor.of(SIMPLE_TYPE, b"{}"), b"{}", where="img")
