"""Manifests and indexes: parsed views over bytes that are never written anew.

A digest names bytes, so the bytes are what is kept, stored and sent; the parsed fields are only for
looking. Unknown members need no place of their own: they are in the bytes.

OCI image manifests and indexes (image-spec 1.1) and docker's schema 2 manifests and lists are read.
Docker's schema 1 and OCI's withdrawn artifact manifest are refused by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from weft.oci.descriptor import Descriptor
from weft.oci.digest import Digest
from weft.oci.errors import DocumentInvalid
from weft.oci.json_view import JsonView, compact_json
from weft.oci.names import MediaType

__all__ = ["MAX_ENTRIES", "MAX_LAYERS", "MAX_MANIFEST_BYTES", "Index", "Manifest", "parse_manifest"]

# The distribution spec asks registries to take manifests of at least 4 MiB. One is held in memory to
# hash it, so anything larger is a mistake or an attack.
MAX_MANIFEST_BYTES = 4 * 1024 * 1024
# Docker stops at 127 layers.
MAX_LAYERS = 512
# A referrers list or a local store is an index too; each entry is about 300 bytes of those 4 MiB.
MAX_ENTRIES = 10_000

_SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image: a config and layers, in order."""

    raw: bytes = field(repr=False)
    digest: Digest
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(hash=False)
    artifact_type: str = ""
    subject: Descriptor | None = None

    @classmethod
    def build(
        cls,
        config: Descriptor,
        layers: tuple[Descriptor, ...],
        annotations: Mapping[str, str],
        *,
        media_type: str = "",
        artifact_type: str = "",
        subject: Descriptor | None = None,
    ) -> "Manifest":
        """Write an OCI manifest as Go programs do: compact, annotations sorted, empty members left out."""
        document: dict[str, Any] = {
            "schemaVersion": _SCHEMA_VERSION,
            "mediaType": media_type,
            "artifactType": artifact_type,
            "config": config.to_json(),
            "layers": [layer.to_json() for layer in layers],
            "subject": subject.to_json() if subject else None,
            "annotations": dict(sorted(annotations.items())),
        }
        raw = compact_json({key: value for key, value in document.items() if value or key == "layers"})
        return cls.parse(raw)

    @classmethod
    def parse(cls, raw: bytes, media_type: str = "") -> "Manifest":
        """Read ``raw``; ``media_type`` is what came with it (Content-Type, descriptor), if anything.

        Raises ``DocumentInvalid`` naming the member that is wrong, also for an index.
        """
        document = parse_manifest(raw, media_type)
        if not isinstance(document, cls):
            raise DocumentInvalid(f"manifest {document.digest} is an index of several images, not an image")
        return document

    @property
    def descriptor(self) -> Descriptor:
        """What points at this manifest."""
        return Descriptor(self.media_type, self.digest, len(self.raw), artifact_type=self.artifact_type)

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Config and layers, each blob once, in order."""
        unique = {descriptor.digest: descriptor for descriptor in (self.config, *self.layers)}
        return tuple(unique.values())


@dataclass(frozen=True, slots=True)
class Index:
    """Several manifests under one name: platforms, referrers, or a whole image layout."""

    raw: bytes = field(repr=False)
    digest: Digest
    media_type: str
    manifests: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(hash=False)
    artifact_type: str = ""
    subject: Descriptor | None = None

    @property
    def descriptor(self) -> Descriptor:
        """What points at this index."""
        return Descriptor(self.media_type, self.digest, len(self.raw), artifact_type=self.artifact_type)


def parse_manifest(raw: bytes, media_type: str = "") -> Manifest | Index:
    """Read a manifest or an index, whichever ``raw`` is; raises ``DocumentInvalid``.

    The media type that came along must be the one inside, and a document that could be taken for both
    kinds is refused (CVE-2021-41190).
    """
    digest = Digest.of(raw)
    view = JsonView.parse(raw, document=f"manifest {digest}", limit=MAX_MANIFEST_BYTES)
    kind = _kind(view, media_type)
    annotations = view.get("annotations").texts()
    artifact_type = view.get("artifactType").text("")
    subject = Descriptor.read(view.get("subject")) if view.get("subject") else None
    if kind in MediaType.INDEXES:
        entries = view.get("manifests").items(limit=MAX_ENTRIES)
        manifests = tuple(Descriptor.read(entry) for entry in entries)
        return Index(raw, digest, kind, manifests, annotations, artifact_type, subject)
    config = Descriptor.read(view.get("config"))
    layers = tuple(Descriptor.read(layer) for layer in view.get("layers").items(limit=MAX_LAYERS))
    return Manifest(raw, digest, kind, config, layers, annotations, artifact_type, subject)


def _kind(view: JsonView, given: str) -> str:
    """The media type of the document, checked against its shape."""
    inside = view.get("mediaType").text("")
    given = given.partition(";")[0].strip().lower()
    if given and inside and given != inside:
        view.wrong(f"came as {given} but says it is {inside}")
    is_index = bool(view.get("manifests"))
    if is_index and (view.get("layers") or view.get("config")):
        view.wrong("has both manifests and layers; nobody can say what it is")
    kind = inside or given or (MediaType.OCI_INDEX if is_index else MediaType.OCI_MANIFEST)
    if kind not in MediaType.MANIFESTS | MediaType.INDEXES:
        _refuse(view, kind)
    version = view.get("schemaVersion")
    if version.integer() != _SCHEMA_VERSION:
        version.wrong(f"must be {_SCHEMA_VERSION}, got {version.integer()}")
    if kind in MediaType.MANIFESTS and is_index:
        view.wrong(f"says it is {kind} but has manifests")
    if kind in MediaType.INDEXES and (view.get("layers") or view.get("config")):
        view.wrong(f"says it is {kind} but has layers")
    return kind


def _refuse(view: JsonView, kind: str) -> NoReturn:
    if kind in {MediaType.DOCKER_SCHEMA1, MediaType.DOCKER_SCHEMA1_SIGNED}:
        view.wrong("is docker's old schema 1, which cannot be verified; push the image again")
    view.wrong(f"has a media type that is no image: {kind[:100]!r}")
