"""cosign's first layout: an image beside the image, one layer per signature.

The image of ``sha256:<hex>`` has its signatures at the tag ``sha256-<hex>.sig`` of the same repository. A
layer holds the signed words ("simple signing", from the containers project), its annotation the signature
in base64 (cosign, specs/SIGNATURE_SPEC.md). cosign up to 2.x writes it by default, all of them read it.
"""

import base64
import binascii

from weft.image import Image
from weft.oci import Descriptor, Digest, DigestInvalid, JsonView, Manifest, MediaType, compact_json
from weft.signing.errors import SignatureInvalid
from weft.signing.keys import PrivateKey
from weft.signing.signature import Signature

__all__ = ["SIMPLE_TYPE", "read_simple", "signature_tag", "simple_image", "simple_signature"]

SIMPLE_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
_ANNOTATION = "dev.cosignproject.cosign/signature"
_KIND = "cosign container image signature"
# The words are about 250 bytes; annotations of the signer's own may be added.
_MAX_PAYLOAD_BYTES = 64 * 1024


def signature_tag(digest: Digest) -> str:
    """The tag that has the signatures of ``digest``."""
    return f"{digest.algorithm}-{digest.hex}.sig"


def simple_signature(repository: str, digest: Digest, key: PrivateKey) -> tuple[bytes, bytes]:
    """The signed words and the signature; ``repository`` (``registry/name``) stands in the words."""
    words = {
        "critical": {
            "identity": {"docker-reference": repository},
            "image": {"docker-manifest-digest": str(digest)},
            "type": _KIND,
        },
        "optional": None,
    }
    payload = compact_json(words)
    return payload, key.sign(payload)


def simple_image(payload: bytes, signature: bytes, existing: Image | None = None) -> Image:
    """The signature image with one more signature; those of ``existing`` stay as they are."""
    annotation = {_ANNOTATION: base64.b64encode(signature).decode()}
    layers = existing.manifest.layers if existing else ()
    layers = (*layers, Descriptor.of(SIMPLE_TYPE, payload, annotation))
    config = compact_json(
        {
            "architecture": "",
            "config": {},
            "os": "",
            "rootfs": {"type": "layers", "diff_ids": [str(layer.digest) for layer in layers]},
        }
    )
    described = Descriptor.of(MediaType.OCI_CONFIG, config)
    manifest = Manifest.build(described, layers, {}, media_type=MediaType.OCI_MANIFEST)
    blobs = dict(existing.blobs) if existing else {}
    return Image(manifest, blobs | {described.digest: config, Digest.of(payload): payload})


def read_simple(layer: Descriptor, payload: bytes, *, where: str) -> Signature:
    """The signature in one layer; ``where`` names the image. Raises ``SignatureInvalid``."""
    source = f"signature {layer.digest.short} of {where}"
    encoded = layer.annotations.get(_ANNOTATION, "")
    try:
        value = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise SignatureInvalid(f"{source}: its annotation {_ANNOTATION} is not base64") from error
    if not value:
        raise SignatureInvalid(f"{source} lacks the annotation {_ANNOTATION}")
    critical = JsonView.parse(payload, document=source, limit=_MAX_PAYLOAD_BYTES).get("critical")
    if critical.get("type").text("") != _KIND:
        raise SignatureInvalid(f"{source} is about something else than a container image")
    claimed = critical.get("image").get("docker-manifest-digest")
    try:
        subject = Digest.parse(claimed.text())
    except DigestInvalid as error:
        claimed.digest_error(error)
    return Signature(source, subject, payload, value)
