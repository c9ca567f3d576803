"""Which flavor an image is, and the way in and out of each."""

from types import MappingProxyType
from typing import Protocol

from weft.errors import UsageError
from weft.image.archive import MAX_MODULE_BYTES
from weft.image.errors import ImageInvalid
from weft.image.flavors import cncf, compat, solo
from weft.image.image import Contents, Image, check_module
from weft.image.names import WasmAnnotation
from weft.image.runtime_config import RuntimeConfig
from weft.oci import Descriptor, Index, Manifest, Platform

__all__ = ["FLAVORS", "Flavor", "choose_manifest", "flavor_of", "pack", "pack_beside", "unpack"]


class Flavor(Protocol):
    """What each module of ``weft.image.flavors`` offers."""

    NAME: str

    def pack(self, module: bytes, runtime: RuntimeConfig) -> Image:
        """An image of this flavor; the same input gives the same bytes."""
        ...

    def claims(self, manifest: Manifest) -> bool:
        """Whether the manifest alone says that ``unpack`` is worth trying."""
        ...

    def module_of(self, manifest: Manifest) -> Descriptor | None:
        """The blob that is the raw module, if there is one; raises ``ImageInvalid`` when there are more."""
        ...

    def unpack(self, image: Image) -> Contents:
        """What the image holds; raises ``ImageInvalid`` or ``DocumentInvalid``."""
        ...


# In the order of asking: the types of the first two are wasm's own, compat's are everybody's.
_ALL: tuple[Flavor, ...] = (solo, cncf, compat)
FLAVORS = MappingProxyType({flavor.NAME: flavor for flavor in _ALL})


def pack(module: bytes, runtime: RuntimeConfig, *, flavor: str = solo.NAME) -> Image:
    """An image of ``module``. Raises ``UsageError`` for a flavor that does not exist."""
    if flavor not in FLAVORS:
        raise UsageError(f"there is no flavor {flavor!r}", hint=f"one of {', '.join(sorted(FLAVORS))}")
    if len(module) > MAX_MODULE_BYTES:
        raise ImageInvalid(f"the module has {len(module)} bytes; Istio takes {MAX_MODULE_BYTES} at most")
    return FLAVORS[flavor].pack(check_module(module, "what should be packed"), runtime)


def pack_beside(main: Image, flavor: str) -> Image:
    """The module of ``main`` once more, in another flavor, as an image whose subject is ``main``."""
    contents = unpack(main)
    image = pack(contents.module, contents.runtime or RuntimeConfig(), flavor=flavor)
    manifest = Manifest.build(
        image.manifest.config,
        image.manifest.layers,
        {**image.manifest.annotations, WasmAnnotation.FLAVOR: flavor},
        media_type=image.manifest.media_type,
        subject=Descriptor(main.manifest.media_type, main.digest, len(main.manifest.raw)),
    )
    return Image(manifest, image.blobs)


def flavor_of(manifest: Manifest) -> Flavor:
    """Which flavor a manifest is of; raises ``ImageInvalid`` when it is no wasm image at all."""
    for flavor in _ALL:
        if flavor.claims(manifest):
            return flavor
    types = sorted({layer.media_type for layer in manifest.layers})
    raise ImageInvalid(
        f"image {manifest.digest} is not a wasm image: "
        + (f"its layers are {', '.join(map(repr, types))[:300]}" if types else "it has no layers")
    )


def unpack(image: Image) -> Contents:
    """Module and runtime config of an image of any flavor, ours or others'."""
    return flavor_of(image.manifest).unpack(image)


def choose_manifest(index: Index, platform: Platform | None = None) -> Descriptor:
    """The image for ``platform``; without one what a wasm consumer wants: made for wasm, else linux/amd64.

    Where nothing is asked for, the only image will do, too. Attestations that ``docker buildx`` puts beside
    images (platform ``unknown/unknown``) do not count. Raises ``ImageInvalid`` when nothing fits.
    """
    images = [entry for entry in index.manifests if str(entry.platform) != "unknown/unknown"]
    if platform:
        for entry in images:
            if entry.platform == platform:
                return entry
        raise _no_image(index, images, str(platform))
    for wanted in (("wasm",), ("amd64", "linux")):
        for entry in images:
            platform = entry.platform
            if platform and (platform.architecture, platform.os)[: len(wanted)] == wanted:
                return entry
    if len(images) == 1:
        return images[0]
    raise _no_image(index, images, "wasm or linux/amd64")


def _no_image(index: Index, images: list[Descriptor], wanted: str) -> ImageInvalid:
    shown = ", ".join(str(entry.platform or "none") for entry in images[:10])
    return ImageInvalid(
        f"index {index.digest} has no image for {wanted}"
        + (f"; its platforms: {shown}" if shown else "; it is empty")
    )
