"""``solo``: wasme's artifact, byte for byte (solo-io wasm image spec, "oci" variant).

The config blob is ``runtime-config.json``, and it is listed a second time as the first layer: wasme's
way of getting the file onto the puller's disk, and the reason why Istio, which wants exactly two layers,
accepts it. The module is the second layer, raw.

The relatives with only one layer are read as well: what ORAS and Alibaba's ASM push, and wasm-to-oci's
and krustlet's with types of their own.
"""

from weft.image.image import Contents, Image, check_module, only_blob
from weft.image.names import WasmFile, WasmType
from weft.image.runtime_config import RuntimeConfig
from weft.oci import Annotation, Descriptor, Manifest

__all__ = ["NAME", "claims", "manifest", "module_of", "pack", "unpack"]

NAME = "solo"

_MODULE_TYPES = (WasmType.SOLO_MODULE, WasmType.KRUSTLET_MODULE)
# What krustlet's config holds was never written down, so only these are believed to be runtime configs.
_CONFIG_TYPES = (WasmType.SOLO_CONFIG, WasmType.EARLY_SOLO_CONFIG)


def pack(module: bytes, runtime: RuntimeConfig) -> Image:
    """The image wasme would push."""
    config = runtime.to_bytes()
    config_descriptor = Descriptor.of(WasmType.SOLO_CONFIG, config)
    module_descriptor = Descriptor.of(WasmType.SOLO_MODULE, module)
    return Image(
        manifest(config_descriptor, module_descriptor, runtime),
        {config_descriptor.digest: config, module_descriptor.digest: module},
    )


def manifest(config: Descriptor, module: Descriptor, runtime: RuntimeConfig) -> Manifest:
    """Wasme's manifest for two blobs of which only digest and size matter."""
    titled = Descriptor(
        WasmType.SOLO_CONFIG, config.digest, config.size, {Annotation.TITLE: WasmFile.RUNTIME_CONFIG}
    )
    content = Descriptor(
        WasmType.SOLO_MODULE, module.digest, module.size, {Annotation.TITLE: WasmFile.SOLO_MODULE}
    )
    return Manifest.build(titled, (titled, content), runtime.annotations)


def claims(manifest: Manifest) -> bool:
    """Whether a layer (or, as wasme allows, the config) has one of the module types."""
    return any(blob.media_type in _MODULE_TYPES for blob in manifest.blobs)


def module_of(manifest: Manifest) -> Descriptor:
    """The module's blob."""
    return only_blob(manifest, _MODULE_TYPES)


def unpack(image: Image) -> Contents:
    """Module and runtime config of an image that ``claims`` accepted."""
    module = module_of(image.manifest)
    data = check_module(image.blob(module), f"the module of image {image.digest}")
    return Contents(NAME, data, _runtime(image))


def _runtime(image: Image) -> RuntimeConfig | None:
    for blob in image.manifest.blobs:
        if blob.media_type in _CONFIG_TYPES:
            where = f"runtime-config.json of image {image.digest}"
            return RuntimeConfig.parse(image.blob(blob), where=where)
    return None
