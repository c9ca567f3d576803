"""An image as others see it in a registry: perhaps behind an index, with no more bytes than they look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from weft.oci import Descriptor, Digest, Index, Manifest, MediaType

__all__ = ["Published", "blobs_to_judge", "linux_amd64"]

_TARS = frozenset({MediaType.DOCKER_LAYER_GZIP, MediaType.OCI_LAYER_GZIP})


@dataclass(frozen=True, slots=True)
class Published:
    """``manifest`` is what those get who run on linux/amd64; ``None`` when an index has nothing for them.

    ``blobs`` holds at least what ``blobs_to_judge`` names.
    """

    name: str
    manifest: Manifest | None
    blobs: Mapping[Digest, bytes] = field(default_factory=dict, repr=False)
    index: Index | None = None


def blobs_to_judge(manifest: Manifest) -> tuple[Descriptor, ...]:
    """What must be read: the last layer, when it is an archive that a module may be in."""
    last = manifest.layers[-1:]
    return tuple(layer for layer in last if layer.media_type in _TARS)


def linux_amd64(index: Index) -> Descriptor | None:
    """The entry that go-containerregistry takes: an entry without a platform counts as linux/amd64."""
    for entry in index.manifests:
        platform = entry.platform
        if platform is None or (platform.os, platform.architecture) == ("linux", "amd64"):
            return entry
    return None
