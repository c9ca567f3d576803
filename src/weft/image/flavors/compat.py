"""``compat``: an ordinary container image with ``plugin.wasm`` in its last layer.

Docker, podman and buildah make and move such images, every registry takes them, Istio and Harbor know
them (solo-io wasm image spec, "compat" variant). ``runtime-config.json`` may stand beside the module.

Read generously: docker or OCI types, any number of layers, the module in an earlier one if need be
(Istio insists on the last), plain tar as well as gzip.
"""

from weft.image.archive import files_in, gzip_deterministic, tar_deterministic
from weft.image.errors import ImageInvalid
from weft.image.image import Contents, Image, check_module
from weft.image.names import WasmAnnotation, WasmFile
from weft.image.runtime_config import RuntimeConfig
from weft.oci import Descriptor, Digest, Manifest, MediaType, compact_json

__all__ = ["NAME", "claims", "module_of", "pack", "unpack"]

NAME = "compat"

_LAYER_TYPES = frozenset(
    {
        MediaType.OCI_LAYER,
        MediaType.OCI_LAYER_GZIP,
        MediaType.OCI_LAYER_ZSTD,
        MediaType.DOCKER_LAYER,
        MediaType.DOCKER_LAYER_GZIP,
    }
)
_WANTED = (WasmFile.COMPAT_MODULE, WasmFile.RUNTIME_CONFIG)


def pack(module: bytes, runtime: RuntimeConfig) -> Image:
    """One layer with both files, and a config that container tools accept. Same input, same bytes."""
    archive = tar_deterministic({WasmFile.COMPAT_MODULE: module, WasmFile.RUNTIME_CONFIG: runtime.to_bytes()})
    layer = gzip_deterministic(archive)
    config = _config(Digest.of(archive))
    config_descriptor = Descriptor.of(MediaType.OCI_CONFIG, config)
    layer_descriptor = Descriptor.of(MediaType.OCI_LAYER_GZIP, layer)
    annotations = runtime.annotations | {WasmAnnotation.VARIANT: NAME}
    manifest = Manifest.build(
        config_descriptor, (layer_descriptor,), annotations, media_type=MediaType.OCI_MANIFEST
    )
    return Image(manifest, {config_descriptor.digest: config, layer_descriptor.digest: layer})


def claims(manifest: Manifest) -> bool:
    """Whether there is any layer a module could be in."""
    return any(layer.media_type in _LAYER_TYPES for layer in manifest.layers)


def module_of(manifest: Manifest) -> Descriptor | None:  # noqa: ARG001 - a flavor's contract
    """Nothing: the module is inside a layer, and only unpacking tells."""
    return None


def unpack(image: Image) -> Contents:
    """Module and runtime config from the last layer that has a module."""
    runtime: RuntimeConfig | None = None
    layers = image.manifest.layers
    for number, layer in reversed(list(enumerate(layers, 1))):
        if layer.media_type not in _LAYER_TYPES:
            continue
        where = f"layer {number} of {len(layers)} of image {image.digest}"
        files = _files(image.blob(layer), where)
        if runtime is None and (written := files.get(WasmFile.RUNTIME_CONFIG)) is not None:
            runtime = RuntimeConfig.parse(written, where=f"{WasmFile.RUNTIME_CONFIG} in {where}")
        if (module := files.get(WasmFile.COMPAT_MODULE)) is not None:
            check_module(module, f"{WasmFile.COMPAT_MODULE} in {where}")
            return Contents(NAME, module, runtime)
    raise ImageInvalid(
        f"image {image.digest} has no {WasmFile.COMPAT_MODULE} in any of its {len(layers)} layers",
        hint="it may be an ordinary container image; a wasm image is made with `weft build`",
    )


def _files(layer: bytes, where: str) -> dict[str, bytes]:
    try:
        return files_in(layer, _WANTED, required=WasmFile.COMPAT_MODULE)
    except ImageInvalid as error:
        raise ImageInvalid(f"{where}: {error}", hint=error.hint) from error


def _config(diff_id: Digest) -> bytes:
    """Docker refuses a config without a rootfs, and one for an operating system that it does not run."""
    return compact_json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [str(diff_id)]},
        }
    )
