"""Attach files to a published image, and discover what is attached to one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weft.errors import WeftError
from weft.oci import DEFAULT_TAG, Descriptor, Digest, Reference
from weft.registry import Registries, Repository
from weft.workflows.images.artifact import Artifact, TypedFile
from weft.workflows.images.graph import Graph, Node
from weft.workflows.images.transfer import Progress, Report, Transfer

__all__ = ["Attached", "attach", "discover", "push_artifact"]

_MAX_LEVELS = 8


@dataclass(frozen=True, slots=True)
class Attached:
    """A manifest that refers to another, and what refers to it in turn."""

    descriptor: Descriptor
    attached: tuple["Attached", ...]

    def to_json(self) -> dict[str, Any]:
        """Digest, type, size, annotations, and the same of what is attached to it."""
        return {
            "digest": str(self.descriptor.digest),
            "artifactType": self.descriptor.artifact_type,
            "mediaType": self.descriptor.media_type,
            "size": self.descriptor.size,
            "annotations": dict(self.descriptor.annotations),
            "referrers": [each.to_json() for each in self.attached],
        }


async def push_artifact(
    registries: Registries, target: Reference, artifact: Artifact, *, progress: Progress | None = None
) -> Report:
    """Publish files as ``target``."""
    repository = registries.repository(target.registry, target.repository)
    transfer = Transfer(artifact, repository, progress=progress)
    return await transfer.run(Graph((Node(artifact.root),)), target.tag)


async def attach(
    registries: Registries,
    subject: Reference,
    files: Sequence[TypedFile],
    *,
    artifact_type: str,
    annotations: Mapping[str, str],
    progress: Progress | None = None,
) -> Report:
    """Publish files that belong to ``subject``, found through its digest; raises ``NotFound`` without it."""
    repository = registries.repository(subject.registry, subject.repository)
    found = await repository.resolve(_name(subject))
    plain = Descriptor(found.media_type, found.digest, found.size)
    artifact = Artifact.of(files, artifact_type=artifact_type, annotations=annotations, subject=plain)
    return await Transfer(artifact, repository, progress=progress).run(Graph((Node(artifact.root),)))


async def discover(
    registries: Registries, subject: Reference, artifact_type: str = ""
) -> tuple[Descriptor, tuple[Attached, ...]]:
    """What ``subject`` is, and the tree of what refers to it; ``artifact_type`` is for the first level."""
    repository = registries.repository(subject.registry, subject.repository)
    found = await repository.resolve(_name(subject))
    return found, await _attached(repository, found.digest, artifact_type, 0)


async def _attached(
    repository: Repository, subject: Digest, artifact_type: str, level: int
) -> tuple[Attached, ...]:
    if level > _MAX_LEVELS:
        raise WeftError(f"what refers to {subject} is nested deeper than {_MAX_LEVELS} levels")
    found = await repository.referrers(subject, artifact_type)
    return tuple([Attached(each, await _attached(repository, each.digest, "", level + 1)) for each in found])


def _name(reference: Reference) -> str | Digest:
    return reference.digest or reference.tag or DEFAULT_TAG
