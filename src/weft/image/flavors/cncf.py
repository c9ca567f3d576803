"""``cncf``: the "Wasm OCI Artifact layout" of CNCF's TAG Runtime, which wkg, containerd and Spin read.

One layer ``application/wasm`` with the raw module. The layout has no place for ``runtime-config.json``,
so it travels as an annotation, beside those two that wasme's images have.
"""

from weft.image.image import Contents, Image, check_module, only_blob
from weft.image.names import WasmAnnotation, WasmType
from weft.image.runtime_config import RuntimeConfig
from weft.oci import Descriptor, Manifest, MediaType, compact_json

__all__ = ["NAME", "claims", "module_of", "pack", "unpack"]

NAME = "cncf"

_MODULE_TYPES = (WasmType.CNCF_MODULE,)

# The field is required, and the same module must give the same image.
_CREATED = "1970-01-01T00:00:00Z"


def pack(module: bytes, runtime: RuntimeConfig) -> Image:
    """A core module's image; ``wasip1`` is what the layout asks for when there is no component."""
    module_descriptor = Descriptor.of(WasmType.CNCF_MODULE, module)
    config = compact_json(
        {
            "created": _CREATED,
            "architecture": "wasm",
            "os": "wasip1",
            "layerDigests": [str(module_descriptor.digest)],
        }
    )
    config_descriptor = Descriptor.of(WasmType.CNCF_CONFIG, config)
    annotations = runtime.annotations | {WasmAnnotation.RUNTIME_CONFIG: runtime.to_bytes().decode()}
    manifest = Manifest.build(
        config_descriptor, (module_descriptor,), annotations, media_type=MediaType.OCI_MANIFEST
    )
    return Image(manifest, {config_descriptor.digest: config, module_descriptor.digest: module})


def claims(manifest: Manifest) -> bool:
    """Whether a layer is ``application/wasm``."""
    return any(layer.media_type in _MODULE_TYPES for layer in manifest.layers)


def module_of(manifest: Manifest) -> Descriptor:
    """The module's blob."""
    return only_blob(manifest, _MODULE_TYPES)


def unpack(image: Image) -> Contents:
    """The module, and the runtime config when weft packed it."""
    module = module_of(image.manifest)
    data = check_module(image.blob(module), f"the module of image {image.digest}")
    written = image.manifest.annotations.get(WasmAnnotation.RUNTIME_CONFIG)
    where = f"annotation {WasmAnnotation.RUNTIME_CONFIG} of image {image.digest}"
    return Contents(NAME, data, RuntimeConfig.parse(written.encode(), where=where) if written else None)
