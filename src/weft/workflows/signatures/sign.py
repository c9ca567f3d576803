"""Sign an image in its registry.

The tag is resolved once; what is signed is a digest that was computed from the manifest's own bytes. Others'
signatures stay, and signing again with the same key adds nothing.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from weft.errors import WeftError
from weft.image import Image
from weft.oci import DEFAULT_TAG, Descriptor, Digest, Reference
from weft.registry import Opener, Registries, Repository
from weft.signing import (
    PrivateKey,
    bundle_image,
    bundle_signature,
    judge,
    signature_tag,
    simple_image,
    simple_signature,
)
from weft.workflows.signatures.lookup import (
    MAX_DOCUMENTS,
    Found,
    find_bundles,
    find_simple,
    simple_manifest,
)

__all__ = ["LAYOUTS", "Signed", "sign"]

LAYOUTS: Mapping[str, tuple[str, ...]] = {
    "both": ("simple", "bundle"),
    "bundle": ("bundle",),
    "simple": ("simple",),
}
"""What a person may ask for, and what is then written."""

# Two signers at once can overwrite each other under one tag; somebody else cannot win for ever.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed, and in which layouts that was new."""

    asked: Reference
    digest: Digest
    key: str
    """Its fingerprint."""
    layouts: Mapping[str, bool]
    """Layout → whether a signature was added; ``False`` when this key's was there already."""

    @property
    def pinned(self) -> str:
        """``name@digest``."""
        return f"{self.asked.name}@{self.digest}"

    def document(self) -> dict[str, Any]:
        """What ``weft sign -o json`` shows.

        ::

            {"reference": "hub.example.com/f:v1",
             "pinned": "hub.example.com/f@sha256:…",
             "digest": "sha256:…",
             "key": "SHA256:…",                             // of the public key
             "layouts": {"simple": "added", "bundle": "there"}}
        """
        return {
            "reference": str(self.asked),
            "pinned": self.pinned,
            "digest": str(self.digest),
            "key": self.key,
            "layouts": {name: "added" if added else "there" for name, added in self.layouts.items()},
        }


async def sign(
    registries: Registries, reference: Reference, key: PrivateKey, layouts: Sequence[str], *, now: datetime
) -> Signed:
    """Sign what ``reference`` names, an image or an index, and put the signatures beside it.

    ``now`` dates a bundle's artifact. Raises ``NotFound`` or what the registry raises.
    """
    repository = registries.repository(reference.registry, reference.repository)
    manifest = await repository.manifest(reference.digest or reference.tag or DEFAULT_TAG)
    added: dict[str, bool] = {}
    for layout in layouts:
        if layout == "simple":
            added[layout] = await _sign_simple(repository, manifest.digest, key)
        else:
            added[layout] = await _sign_bundle(repository, manifest.descriptor, key, now)
    return Signed(reference, manifest.digest, key.public.fingerprint, added)


async def _sign_simple(repository: Repository, digest: Digest, key: PrivateKey) -> bool:
    """Add a layer to the signatures' image, and look whether it is there afterwards."""
    payload, signature = simple_signature(str(repository), digest, key)
    for attempt in range(_TRIES):
        if _has_signed(await find_simple(repository, digest), digest, key):
            return attempt > 0
        manifest = await simple_manifest(repository, digest)
        if manifest and len(manifest.layers) >= MAX_DOCUMENTS:
            raise WeftError(
                f"{repository}:{signature_tag(digest)} has {MAX_DOCUMENTS} signatures; nobody reads more",
                hint="--layout bundle needs no place there",
            )
        existing = Image(manifest, {}) if manifest else None  # its blobs are in the repository
        await _put(repository, simple_image(payload, signature, existing), signature_tag(digest))
    raise WeftError(f"others keep rewriting the signatures at {repository}:{signature_tag(digest)}")


async def _sign_bundle(repository: Repository, subject: Descriptor, key: PrivateKey, now: datetime) -> bool:
    if _has_signed(await find_bundles(repository, subject.digest), subject.digest, key):
        return False
    await _put(repository, bundle_image(bundle_signature(subject.digest, key), subject, now))
    return True


def _has_signed(found: Found, digest: Digest, key: PrivateKey) -> bool:
    return bool(judge(digest, found.signatures, {"this": key.public}).signed_by)


async def _put(repository: Repository, image: Image, tag: str | None = None) -> None:
    """Write what ``image`` brings along, the manifest last."""
    for blob in image.manifest.blobs:
        if blob.digest in image.blobs and not await repository.has_blob(blob):
            await repository.put_blob(blob, _giving(image.blob(blob)))
    await repository.put_manifest(image.manifest, tag)


def _giving(data: bytes) -> Opener:
    async def source() -> AsyncGenerator[bytes, None]:
        yield data

    return source
