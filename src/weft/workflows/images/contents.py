"""What images are copied from and to: two small protocols that registries, the store and archives satisfy.

None of them knows the others, nor these protocols. Bytes are checked against their digest once on the way: by
the sink if it does so, else by the source.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Protocol

from weft.oci import Descriptor, Digest, Index, Manifest, Reference

__all__ = ["Judge", "Opener", "Sink", "Source"]


class Opener(Protocol):
    """Gives the bytes of a blob, as often as it is called."""

    def __call__(self, start: int = 0, /) -> AsyncGenerator[bytes, None]:
        """All but the first ``start``."""
        ...


class Source(Protocol):
    """Where content comes from."""

    async def manifest(self, name: str | Digest, /) -> Manifest | Index:
        """The manifest with a tag or digest; raises ``NotFound``."""
        ...

    def open_blob(
        self, descriptor: Descriptor, /, *, verify: bool = True, start: int = 0
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a blob; when ``verify`` is false the reader checks them, and may have some already."""
        ...

    async def referrers(self, subject: Digest, /) -> Sequence[Descriptor]:
        """What says that it belongs to a manifest."""
        ...


Judge = Callable[[Source, Reference, Digest], Awaitable[None]]
"""Lets the manifest with a digest pass as an image, or raises; the source has its signatures."""


class Sink(Protocol):
    """Where content goes."""

    verifies: bool
    """Whether it refuses a blob that is not what its digest says."""

    async def has_manifest(self, descriptor: Descriptor, /) -> bool:
        """Whether a manifest is there with everything it names."""
        ...

    async def has_blob(self, descriptor: Descriptor, /) -> bool:
        """Whether a blob is there."""
        ...

    async def put_blob(self, descriptor: Descriptor, source: Opener, /) -> bool:
        """Take a blob; ``False`` when its bytes need not have been read (mounted)."""
        ...

    async def put_manifest(self, manifest: Manifest | Index, tag: str | None = None, /) -> None:
        """Take a manifest whose parts are there, under a tag or its digest alone."""
        ...
