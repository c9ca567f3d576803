"""The files of an image layout (image-spec, image-layout.md), by their names in the archive. Pure."""

from weft.oci import Digest, DigestInvalid

__all__ = ["INDEX", "MARKER", "VERSION", "blob_name", "digest_of"]

MARKER = "oci-layout"
INDEX = "index.json"
VERSION = "1.0.0"
_BLOBS = "blobs"


def blob_name(digest: Digest) -> str:
    """Where a blob is."""
    return f"{_BLOBS}/{digest.algorithm}/{digest.hex}"


def digest_of(name: str) -> Digest | None:
    """Which blob a file is; ``None`` when it is none."""
    parts = name.split("/")
    if len(parts) != 3 or parts[0] != _BLOBS:  # noqa: PLR2004 - blobs, algorithm, hex
        return None
    try:
        return Digest(parts[1], parts[2])
    except DigestInvalid:
        return None
