"""All that belongs to an image: the manifests under it, and what refers to them."""

from collections.abc import Iterator
from dataclasses import dataclass

from weft.errors import NotFound, WeftError
from weft.oci import Descriptor, Digest, Index, Manifest
from weft.workflows.images.contents import Source

__all__ = ["Graph", "Node", "read_graph", "without_tags"]

# A signature on an attestation of an image in an index: nobody needs more.
_MAX_LEVELS = 8
_MAX_MANIFESTS = 1000
# Where cosign kept things before registries had referrers.
_COSIGN_SUFFIXES = (".sig", ".att", ".sbom")


@dataclass(frozen=True, slots=True)
class Node:
    """A manifest, and the tag that others find it by, if it needs one."""

    manifest: Manifest | Index
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """Manifests, children before parents, the root last."""

    nodes: tuple[Node, ...]

    @property
    def root(self) -> Manifest | Index:
        """The manifest that was asked for."""
        return self.nodes[-1].manifest

    @property
    def blobs(self) -> dict[Digest, Descriptor]:
        """Every blob once."""
        return {blob.digest: blob for node in self.nodes for blob in _blobs(node.manifest)}


def without_tags(graph: Graph) -> Graph:
    """The same without what only a tag leads to, for a place that has no tags; the root stays."""
    return Graph(tuple(node for node in graph.nodes if node.tag is None))


async def read_graph(source: Source, root: Manifest | Index, *, attachments: bool = False) -> Graph:
    """Read all manifests under ``root``, and with ``attachments`` all that refers to any of them.

    An attachment comes after its subject, and before the root all the same: what is found by the root's tag
    is signed already. Raises ``WeftError`` for a graph without reasonable bounds.
    """
    found: dict[Digest, Node] = {}

    async def visit(node: Node, level: int) -> None:
        manifest = node.manifest
        if level > _MAX_LEVELS or len(found) >= _MAX_MANIFESTS:
            raise WeftError(
                f"{root.digest} has too much below it: more than {_MAX_LEVELS} levels "
                f"or {_MAX_MANIFESTS} manifests"
            )
        for child in manifest.manifests if isinstance(manifest, Index) else ():
            if child.digest not in found:
                await visit(Node(await source.manifest(child.digest)), level + 1)
        found[manifest.digest] = node
        if attachments:
            for attached in await _attached(source, manifest):
                if attached.manifest.digest not in found:
                    await visit(attached, level + 1)

    await visit(Node(root), 0)
    last = found.pop(root.digest)
    return Graph((*found.values(), last))


async def _attached(source: Source, subject: Manifest | Index) -> list[Node]:
    nodes = [Node(await source.manifest(each.digest)) for each in await source.referrers(subject.digest)]
    for tag in _cosign_tags(subject.digest):
        try:
            nodes.append(Node(await source.manifest(tag), tag))
        except NotFound:
            continue
    return nodes


def _cosign_tags(subject: Digest) -> Iterator[str]:
    return (f"{subject.algorithm}-{subject.hex}{suffix}" for suffix in _COSIGN_SUFFIXES)


def _blobs(manifest: Manifest | Index) -> tuple[Descriptor, ...]:
    return manifest.blobs if isinstance(manifest, Manifest) else ()
