"""What a repository in a registry holds, and taking it away."""

import asyncio
import re
from dataclasses import dataclass, replace
from typing import Any

from weft.errors import WeftError
from weft.image import flavor_of
from weft.oci import Annotation, Descriptor, Digest, Manifest, Reference
from weft.registry import Registries, Repository

__all__ = ["Published", "list_published", "remove_published"]

# The referrers tag (distribution-spec, "Referrers Tag Schema") and cosign's own, with a suffix.
_OF_ANOTHER = re.compile(r"sha256-[0-9a-f]{64}(\.[a-z]+)?")
# Each row costs a request; more at once only meets the registry's limits sooner.
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Published:
    """A tag and what it means."""

    reference: Reference
    digest: Digest | None
    flavor: str | None
    """``None`` for an index, and for what is no wasm image."""
    module: Descriptor | None
    """The layer that is the module, where the flavor keeps it as one."""
    size: int | None
    """Bytes of manifest, config and layers; ``None`` for an index."""
    created: str
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As ``weft list -o json`` shows an image of this machine, without what only a machine has."""
        module = self.module
        return {
            "reference": str(self.reference),
            "name": self.reference.name,
            "tag": self.reference.tag,
            "digest": str(self.digest) if self.digest else None,
            "flavor": self.flavor,
            "module": {"digest": str(module.digest), "size": module.size} if module else None,
            "size": self.size,
            "created": self.created or None,
            "problem": self.problem,
        }


async def list_published(registries: Registries, reference: Reference) -> list[Published]:
    """Every tag of the repository of ``reference``, in its order; raises ``NotFound`` without one.

    Tags that only lead from an image to what belongs to it are not for people.
    """
    repository = registries.repository(reference.registry, reference.repository)
    tags = [tag async for tag in repository.tags() if not _OF_ANOTHER.fullmatch(tag)]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def row(tag: str) -> Published:
        async with gate:
            return await _look(repository, replace(reference, tag=tag, digest=None))

    async with asyncio.TaskGroup() as group:
        rows = [group.create_task(row(tag)) for tag in tags]
    return [task.result() for task in rows]


async def remove_published(registries: Registries, reference: Reference) -> None:
    """Delete a tag, or with a digest the manifest and all its tags; raises ``NotFound``."""
    repository = registries.repository(reference.registry, reference.repository)
    name = reference.digest or reference.tag
    assert name is not None  # noqa: S101 - a reference has one of them
    await repository.delete_manifest(name)


async def _look(repository: Repository, reference: Reference) -> Published:
    try:
        manifest = await repository.manifest(reference.tag or "")
    except WeftError as error:  # one broken image hides no other
        return Published(reference, None, None, None, None, "", str(error))
    created = manifest.annotations.get(Annotation.CREATED, "")
    if not isinstance(manifest, Manifest):
        return Published(reference, manifest.digest, None, None, None, created)
    size = len(manifest.raw) + sum(blob.size for blob in manifest.blobs)
    flavor, module = _wasm(manifest)
    return Published(reference, manifest.digest, flavor, module, size, created)


def _wasm(manifest: Manifest) -> tuple[str | None, Descriptor | None]:
    try:
        flavor = flavor_of(manifest)
    except WeftError:
        return None, None
    return flavor.NAME, flavor.module_of(manifest)
