"""Media types, annotations and file names that wasm images use, and whose they are."""

from typing import Final

__all__ = ["WasmAnnotation", "WasmFile", "WasmType"]


class WasmType:
    """Media types of wasm's own layers and configs."""

    SOLO_CONFIG: Final = "application/vnd.module.wasm.config.v1+json"
    SOLO_MODULE: Final = "application/vnd.module.wasm.content.layer.v1+wasm"
    EARLY_SOLO_CONFIG: Final = "application/vnd.io.wasm.module.config.v1+json"
    """What the specification said until September 2020."""

    KRUSTLET_CONFIG: Final = "application/vnd.wasm.config.v1+json"
    KRUSTLET_MODULE: Final = "application/vnd.wasm.content.layer.v1+wasm"
    """wasm-to-oci and krustlet."""

    CNCF_CONFIG: Final = "application/vnd.wasm.config.v0+json"
    CNCF_MODULE: Final = "application/wasm"
    """CNCF TAG Runtime, "Wasm OCI Artifact layout"."""


class WasmAnnotation:
    """Keys on manifests."""

    ABI_VERSION: Final = "module.wasm.runtime/abi_version"
    TYPE: Final = "module.wasm.runtime/type"
    VARIANT: Final = "module.wasm.image/variant"
    """``compat`` on images whose module is in a tar layer; Harbor looks for it."""
    FLAVOR: Final = "dev.weft.flavor"
    """Which flavor an image is that stands beside another one of the same module, its subject."""
    RUNTIME_CONFIG: Final = "dev.weft.runtime-config"
    """The whole runtime-config.json, where a flavor has no other place for it."""


class WasmFile:
    """File names, as consumers look for them."""

    SOLO_MODULE: Final = "filter.wasm"
    COMPAT_MODULE: Final = "plugin.wasm"
    RUNTIME_CONFIG: Final = "runtime-config.json"
