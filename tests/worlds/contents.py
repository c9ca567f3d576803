"""A place for images in a dict, that records in which order things came: for the copy engine alone."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from weft.errors import NotFound
from weft.oci import Descriptor, Digest, Index, Manifest
from weft.workflows.images.contents import Opener
from worlds.content import giving


@dataclass
class Contents:
    """Source and sink at once. ``trouble`` may fail or wait before a blob is taken."""

    verifies: bool = True
    mounts: bool = False
    blobs: dict[Digest, bytes] = field(default_factory=dict)
    manifests: dict[Digest, Manifest | Index] = field(default_factory=dict)
    tags: dict[str, Digest] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    verified: list[bool] = field(default_factory=list)
    trouble: Callable[[Descriptor], None] = lambda _: None

    def add(self, manifest: Manifest | Index, *blobs: bytes, tag: str = "") -> Manifest | Index:
        """Put something there without a word in the log."""
        self.manifests[manifest.digest] = manifest
        self.blobs |= {Digest.of(data): data for data in blobs}
        if tag:
            self.tags[tag] = manifest.digest
        return manifest

    async def manifest(self, name: str | Digest) -> Manifest | Index:
        digest = self.tags.get(name) if isinstance(name, str) else name
        if digest not in self.manifests:
            raise NotFound(f"no {name}")
        return self.manifests[digest]

    def open_blob(
        self, descriptor: Descriptor, *, verify: bool = True, start: int = 0
    ) -> AsyncGenerator[bytes, None]:
        self.verified.append(verify)
        return giving(self.blobs[descriptor.digest][start:], piece=1000)()

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        found = (each for each in self.manifests.values() if each.subject)
        return [each.descriptor for each in found if each.subject and each.subject.digest == subject]

    async def has_manifest(self, descriptor: Descriptor) -> bool:
        return descriptor.digest in self.manifests

    async def has_blob(self, descriptor: Descriptor) -> bool:
        return descriptor.digest in self.blobs

    async def put_blob(self, descriptor: Descriptor, source: Opener) -> bool:
        if self.mounts:
            self.log.append(f"mount {descriptor.digest.short}")
            return False
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self.trouble(descriptor)
            self.blobs[descriptor.digest] = b"".join([chunk async for chunk in source()])
            await asyncio.sleep(0)
        finally:
            self.at_once -= 1
        self.log.append(f"blob {descriptor.digest.short}")
        return True

    async def put_manifest(self, manifest: Manifest | Index, tag: str | None = None) -> None:
        self.manifests[manifest.digest] = manifest
        if tag:
            self.tags[tag] = manifest.digest
        self.log.append(f"manifest {manifest.digest.short}{f' as {tag}' if tag else ''}")
