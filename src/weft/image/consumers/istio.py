"""Istio's agent (pkg/wasm/imagefetcher.go), and Higress, which has the same code.

A docker image with ``plugin.wasm`` in its last layer, an OCI image likewise, or exactly two layers of which
one is wasme's. Until 1.15 an image of the first two kinds had to have one layer (istio/istio#40647).
"""

from collections.abc import Callable, Sequence

from weft.image.archive import files_in
from weft.image.consumers.published import Published
from weft.image.errors import ImageInvalid
from weft.image.names import WasmFile, WasmType
from weft.oci import Manifest, MediaType

__all__ = ["refusal", "refusal_before_116", "refusal_joined", "remark"]

Join = Callable[[Sequence[str]], str]
_GZIP, _GZIP_HEADER_BYTES = b"\x1f\x8b", 10  # RFC 1952, 2.3


def refusal(published: Published) -> str:
    """What 1.16 and later say; empty when they take it."""
    return refusal_joined(published, _multierror, single=False)


def refusal_before_116(published: Published) -> str:
    """What 1.12 to 1.15 say."""
    return refusal_joined(published, _multierror, single=True)


def remark(published: Published) -> str:
    """A trap that only shows when the image is pinned."""
    if published.index is None or published.manifest is None:
        return ""
    return (
        "pinned by the digest of the index it never matches, for it is compared with the image's own: "
        f"pin {published.manifest.digest}"
    )


def refusal_joined(published: Published, join: Join, *, single: bool) -> str:
    """As Istio tries the layouts; ``join`` puts two errors into one, ``single`` is the rule before 1.16."""
    manifest = published.manifest
    if manifest is None:
        return f"could not fetch image: no child with platform linux/amd64 in index {published.name}"
    if manifest.media_type == MediaType.DOCKER_MANIFEST:
        error = _archived(published, manifest, MediaType.DOCKER_LAYER_GZIP, single=single)
        return error and f"could not extract Wasm file from the image as Docker container {error}"
    compat = _archived(published, manifest, MediaType.OCI_LAYER_GZIP, single=single)
    solo = _two_layers(manifest)
    if not (compat and solo):
        return ""
    return "the given image is in invalid format as an OCI image: " + join(
        [f"could not parse as compat variant: {compat}", f"could not parse as oci variant: {solo}"]
    )


def _archived(published: Published, manifest: Manifest, media_type: str, *, single: bool) -> str:
    if single and len(manifest.layers) != 1:
        return f"number of layers must be 1 but got {len(manifest.layers)}"
    if not manifest.layers:
        return "number of layers must be greater than zero"
    last = manifest.layers[-1]
    if last.media_type != media_type:
        return f"invalid media type {last.media_type} (expect {media_type})"
    error = _plugin_in(published.blobs[last.digest])
    return error and f"could not extract wasm binary: {error}"


def _plugin_in(layer: bytes) -> str:
    if len(layer) < _GZIP_HEADER_BYTES:
        return f"failed to parse layer as tar.gz: {'unexpected EOF' if layer else 'EOF'}"
    if not layer.startswith(_GZIP):
        return "failed to parse layer as tar.gz: gzip: invalid header"
    wanted = WasmFile.COMPAT_MODULE
    try:
        found = files_in(layer, (wanted,), required=wanted)
    except ImageInvalid as error:
        return str(error)
    return "" if wanted in found else f"{wanted} not found in the archive"


def _two_layers(manifest: Manifest) -> str:
    if len(manifest.layers) != 2:  # noqa: PLR2004 - the rule itself
        return f"number of layers must be 2 but got {len(manifest.layers)}"
    if all(layer.media_type != WasmType.SOLO_MODULE for layer in manifest.layers):
        return f"could not find the layer of type {WasmType.SOLO_MODULE}"
    return ""


def _multierror(errors: Sequence[str]) -> str:
    """As hashicorp/go-multierror lists them."""
    return f"{len(errors)} errors occurred:\n" + "".join(f"\t* {error}\n" for error in errors) + "\n"
