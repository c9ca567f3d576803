"""An image as a value: a manifest and the bytes it names; and what such an image holds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from weft.image.errors import ImageInvalid
from weft.image.runtime_config import RuntimeConfig
from weft.oci import Descriptor, Digest, Manifest

__all__ = ["Contents", "Image", "check_module", "only_blob"]

_MAGIC = b"\0asm"
_MODULE_VERSION = b"\1\0\0\0"
_COMPONENT_LAYER = b"\1\0"  # after the two bytes of a component's version


@dataclass(frozen=True, slots=True)
class Image:
    """A manifest with its blobs, all in memory: modules are small. Every blob was checked by its giver."""

    manifest: Manifest
    blobs: Mapping[Digest, bytes] = field(repr=False, hash=False)

    @property
    def digest(self) -> Digest:
        """What names this image for good."""
        return self.manifest.digest

    def blob(self, descriptor: Descriptor) -> bytes:
        """The bytes that ``descriptor`` names; raises ``ImageInvalid`` when the image came without them."""
        try:
            return self.blobs[descriptor.digest]
        except KeyError:
            raise ImageInvalid(f"image {self.digest} lacks blob {descriptor.digest}") from None


@dataclass(frozen=True, slots=True)
class Contents:
    """What was unpacked: the module, and what came with it."""

    flavor: str
    module: bytes = field(repr=False)
    runtime: RuntimeConfig | None
    """``None`` when the image carries none."""


def only_blob(manifest: Manifest, media_types: Collection[str]) -> Descriptor:
    """The one config or layer with one of ``media_types``; raises ``ImageInvalid`` for none or more."""
    blobs = [blob for blob in manifest.blobs if blob.media_type in media_types]
    if len(blobs) != 1:
        raise ImageInvalid(f"image {manifest.digest} has {len(blobs)} modules; which one is meant?")
    return blobs[0]


def check_module(module: bytes, where: str) -> bytes:
    """``module`` itself, when it starts as a core WebAssembly module does; else raises ``ImageInvalid``."""
    if not module.startswith(_MAGIC):
        raise ImageInvalid(f"{where} is not WebAssembly: it begins with {module[:4].hex(' ') or 'nothing'}")
    if module[6:8] == _COMPONENT_LAYER:
        raise ImageInvalid(
            f"{where} is a WebAssembly component; proxies run core modules only",
            hint="build it for wasm32-wasip1 or wasm32-unknown-unknown",
        )
    if module[4:8] != _MODULE_VERSION:
        raise ImageInvalid(f"{where} has WebAssembly version {module[4:8].hex(' ')}, not 01 00 00 00")
    return module
