"""wasme (tools/wasme/pkg/pull): it looks for two media types among the config and the layers."""

from weft.image.consumers.published import Published
from weft.image.names import WasmType

__all__ = ["refusal"]


def refusal(published: Published) -> str:
    """What it says; empty when it takes the image. An index has neither type."""
    manifest = None if published.index else published.manifest
    there = {blob.media_type for blob in (manifest.config, *manifest.layers)} if manifest else set()
    for wanted in (WasmType.SOLO_CONFIG, WasmType.SOLO_MODULE):
        if wanted not in there:
            return f"media type {wanted} not found on image"
    return ""
