"""An image in memory as a place to copy from."""

from collections.abc import AsyncGenerator

from weft.errors import NotFound
from weft.image import Image
from weft.oci import Descriptor, Digest, Manifest

__all__ = ["PackedContents"]


class PackedContents:
    """One image. Its blobs were made here, so nothing is verified again."""

    def __init__(self, image: Image) -> None:
        self._image = image

    async def manifest(self, name: str | Digest) -> Manifest:
        """The image's own manifest; raises ``NotFound`` for any other."""
        if name != self._image.digest:
            raise NotFound(f"{name} is not image {self._image.digest}")
        return self._image.manifest

    async def open_blob(
        self,
        descriptor: Descriptor,
        *,
        verify: bool = True,  # noqa: ARG002 - always right
        start: int = 0,
    ) -> AsyncGenerator[bytes, None]:
        """All of a blob at once."""
        yield self._image.blob(descriptor)[start:]

    async def referrers(self, subject: Digest) -> list[Descriptor]:  # noqa: ARG002 - a source's contract
        """None."""
        return []
