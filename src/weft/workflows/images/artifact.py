"""Any files as an artifact, as ORAS makes them: one layer per file, its name as a title.

``runtime-config.json:application/vnd.module.wasm.config.v1+json`` is a file and its media type.
"""

import hashlib
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path, PurePosixPath

from weft.errors import UsageError
from weft.oci import Annotation, Descriptor, Digest, Index, Manifest, MediaType

__all__ = ["Artifact", "TypedFile", "read_typed_file"]

# What ORAS gives a file of which nothing is said.
_DEFAULT_TYPE = MediaType.OCI_LAYER
_UNKNOWN_ARTIFACT = "application/vnd.unknown.artifact.v1"
_EMPTY = b"{}"
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class TypedFile:
    """A file and the media type it is to have."""

    path: Path
    media_type: str

    @property
    def title(self) -> str:
        """The name it gets for others: as it was typed when that stays below here, else the last part."""
        path = PurePosixPath(self.path.as_posix())
        return path.name if path.is_absolute() or ".." in path.parts else str(path)


def read_typed_file(text: str, default: str = _DEFAULT_TYPE) -> TypedFile:
    """Read ``FILE[:TYPE]``; raises ``UsageError`` when there is no such file."""
    path, colon, media_type = text.rpartition(":")
    if not colon or "/" not in media_type:
        path, media_type = text, default
    if not Path(path).is_file():
        raise UsageError(f"there is no file {path}", hint="FILE:TYPE, as in filter.wasm:application/wasm")
    return TypedFile(Path(path), media_type)


@dataclass(slots=True)
class Artifact:
    """A manifest, and where the blobs it names are on this machine; a ``Source``."""

    root: Manifest
    files: dict[Digest, Path] = field(default_factory=dict)
    small: dict[Digest, bytes] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        layers: Sequence[TypedFile],
        *,
        config: TypedFile | None = None,
        artifact_type: str = "",
        annotations: Mapping[str, str] | None = None,
        subject: Descriptor | None = None,
    ) -> "Artifact":
        """Read the files once for their digests; raises ``UsageError`` for two of one name."""
        titles = [layer.title for layer in layers]
        if twice := {title for title in titles if titles.count(title) > 1}:
            raise UsageError(f"two files would be called {min(twice)}")
        files: dict[Digest, Path] = {}
        described = [_describe(layer, files, {Annotation.TITLE: layer.title}) for layer in layers]
        empty = Descriptor.of(MediaType.OCI_EMPTY, _EMPTY)
        if config is None and not artifact_type:
            artifact_type = _UNKNOWN_ARTIFACT
        root = Manifest.build(
            _describe(config, files, {}) if config else empty,
            tuple(described) or (empty,),
            annotations or {},
            media_type=MediaType.OCI_MANIFEST,
            artifact_type=artifact_type,
            subject=subject,
        )
        return cls(root, files, {empty.digest: _EMPTY})

    async def manifest(self, name: str | Digest) -> Manifest | Index:
        """There is only one."""
        assert name == self.root.digest  # noqa: S101 - nothing is below it
        return self.root

    async def open_blob(
        self,
        descriptor: Descriptor,
        *,
        verify: bool = True,  # noqa: ARG002 - registries do
        start: int = 0,
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a file as it is now; a registry refuses what changed meanwhile."""
        if descriptor.digest not in self.files:
            yield self.small[descriptor.digest][start:]
            return
        with _explained_open(self.files[descriptor.digest]) as file:
            file.seek(start)
            while chunk := file.read(_CHUNK):
                yield chunk

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:  # noqa: ARG002 - the protocol's
        """Nothing refers to what is new."""
        return ()


def _describe(file: TypedFile, files: dict[Digest, Path], annotations: dict[str, str]) -> Descriptor:
    with _explained_open(file.path) as opened:
        hexdigest = hashlib.file_digest(opened, "sha256").hexdigest()
        size = opened.tell()
    digest = Digest("sha256", hexdigest)
    files[digest] = file.path
    return Descriptor(file.media_type, digest, size, annotations)


@contextmanager
def _explained_open(path: Path) -> Iterator[BufferedReader]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
