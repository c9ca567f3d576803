"""wkg and others that build on the crate oci-wasm (src/client.rs): CNCF's layout and no other."""

import json

from weft.image.consumers.published import Published
from weft.image.names import WasmType
from weft.oci import MediaType

__all__ = ["refusal"]


def refusal(published: Published) -> str:
    """What it says; empty when it takes the image."""
    manifest = published.manifest
    if manifest is None:
        return "no entry found in image index manifest matching client's default platform"
    if len(manifest.layers) != 1:
        return "Wasm components must have exactly one layer"
    # The type that came over HTTP does not count.
    if json.loads(manifest.raw).get("mediaType") != MediaType.OCI_MANIFEST:
        return f"Wasm components must have a manifest of type {MediaType.OCI_MANIFEST}"
    if manifest.config.media_type != WasmType.CNCF_CONFIG:
        return f"Wasm components must have a config of type {WasmType.CNCF_CONFIG}"
    return ""
