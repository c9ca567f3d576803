"""Wasm images in three flavors: pack a module, unpack what others packed. Pure.

``pack`` gives the same bytes for the same input; ``solo`` gives wasme's. ``unpack`` reads every layout
that Istio, wasme, ORAS, wkg and wasm-to-oci write, within limits, and raises ``ImageInvalid`` or
``DocumentInvalid`` with the place for anything else. Nothing from an image becomes a path.

May import: ``weft.oci``, ``weft.wasm``, ``weft.base``, ``weft.errors``.
"""

from weft.image.abi import abi_names, check_platform
from weft.image.archive import MAX_MODULE_BYTES
from weft.image.consumers import CONSUMERS, Answer, Published, ask_consumers, blobs_to_judge, linux_amd64
from weft.image.errors import ImageInvalid
from weft.image.image import Contents, Image
from weft.image.names import WasmAnnotation, WasmFile, WasmType
from weft.image.packing import FLAVORS, Flavor, choose_manifest, flavor_of, pack, pack_beside, unpack
from weft.image.runtime_config import RuntimeConfig

__all__ = [
    "CONSUMERS",
    "FLAVORS",
    "MAX_MODULE_BYTES",
    "Answer",
    "Contents",
    "Flavor",
    "Image",
    "ImageInvalid",
    "Published",
    "RuntimeConfig",
    "WasmAnnotation",
    "WasmFile",
    "WasmType",
    "abi_names",
    "ask_consumers",
    "blobs_to_judge",
    "check_platform",
    "choose_manifest",
    "flavor_of",
    "linux_amd64",
    "pack",
    "pack_beside",
    "unpack",
]
