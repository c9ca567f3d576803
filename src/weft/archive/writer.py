"""Write an archive: blobs one after the other as they arrive, the index at the end, the name in one step.

The same content in the same order gives the same bytes: no dates, no owners. What is being written is called
``.<name>.part`` beside its place; a run that was killed leaves it, and the next one writes over it.
"""

import asyncio
import fcntl
import os
import tarfile
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from weft.archive.errors import ArchiveInvalid
from weft.archive.layout import INDEX, MARKER, VERSION, blob_name
from weft.errors import UsageError, WeftError
from weft.oci import Annotation, Descriptor, Digest, Index, Manifest, MediaType, compact_json

__all__ = ["ArchiveWriter"]

_MODE = 0o644
_BLOCK = tarfile.BLOCKSIZE


class ArchiveWriter:
    """One new archive; it is at ``path`` when the ``with`` ends well, and nothing is when it does not."""

    verifies = False

    def __init__(self, path: Path, *, name: str = "") -> None:
        """``name`` is the repository that the tags belong to, for tools that want a full reference."""
        self.path = path
        self._name = name
        self._part = path.with_name(f".{path.name}.part")
        self._file: IO[bytes] | None = None
        self._written: set[Digest] = set()
        self._entries: list[Descriptor] = []
        self._writing = asyncio.Lock()

    def __enter__(self) -> Self:
        """Begin; raises ``UsageError`` when the file cannot be made, or another run is making it."""
        with self._explained():
            file = os.fdopen(os.open(self._part, os.O_RDWR | os.O_CREAT, _MODE), "wb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise UsageError(f"another weft is writing {self.path}") from error
        self._file = file
        with self._explained():
            file.truncate(0)
        self._add(MARKER, compact_json({"imageLayoutVersion": VERSION}))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        file = self._opened
        try:
            if error is None:
                self._finish(file)
        except BaseException:
            self._part.unlink(missing_ok=True)
            raise
        finally:
            if error is not None:
                self._part.unlink(missing_ok=True)
            with suppress(OSError):  # what was not written yet may not fit
                file.close()

    def __str__(self) -> str:
        return str(self.path)

    async def has_manifest(self, descriptor: Descriptor) -> bool:
        """Whether it was written already."""
        return descriptor.digest in self._written

    async def has_blob(self, descriptor: Descriptor) -> bool:
        """Whether it was written already."""
        return descriptor.digest in self._written

    async def put_blob(
        self, descriptor: Descriptor, source: Callable[[], AsyncGenerator[bytes, None]]
    ) -> bool:
        """Write a blob. The archive is lost when its source fails, or gives another number of bytes."""
        async with self._writing:
            with self._explained():
                self._opened.write(_header(blob_name(descriptor.digest), descriptor.size))
            count = 0
            async with aclosing(source()) as chunks:
                async for chunk in chunks:
                    with self._explained():
                        self._opened.write(chunk)
                    count += len(chunk)
            if count != descriptor.size:
                raise ArchiveInvalid(f"blob {descriptor.digest} has {count} bytes, not {descriptor.size}")
            self._pad(count)
            self._written.add(descriptor.digest)
        return True

    async def put_manifest(self, manifest: Manifest | Index, tag: str | None = None) -> None:
        """Write a manifest; it can be found by ``tag``, or as what it refers to."""
        if manifest.digest not in self._written:
            self._add(blob_name(manifest.digest), manifest.raw)
            self._written.add(manifest.digest)
        if tag or manifest.subject:
            self._entries.append(self._entry(manifest, tag))

    def name(self, manifest: Manifest | Index, reference: str) -> None:
        """Have a manifest that was written found by a full reference (a digest, not a tag)."""
        self._entries.append(_named(manifest, {Annotation.CONTAINERD_NAME: reference}))

    def _entry(self, manifest: Manifest | Index, tag: str | None) -> Descriptor:
        names = {Annotation.REF_NAME: tag} if tag else {}
        if tag and self._name:
            names[Annotation.CONTAINERD_NAME] = f"{self._name}:{tag}"
        return _named(manifest, names)

    def _finish(self, file: IO[bytes]) -> None:
        index = {
            "schemaVersion": 2,
            "mediaType": MediaType.OCI_INDEX,
            "manifests": [entry.to_json() for entry in self._entries],
        }
        self._add(INDEX, compact_json(index))
        with self._explained():
            file.write(bytes(2 * _BLOCK))
            file.flush()
            os.fsync(file.fileno())
            self._part.replace(self.path)

    def _add(self, name: str, data: bytes) -> None:
        with self._explained():
            self._opened.write(_header(name, len(data)))
            self._opened.write(data)
        self._pad(len(data))

    def _pad(self, size: int) -> None:
        with self._explained():
            self._opened.write(bytes(-size % _BLOCK))

    @property
    def _opened(self) -> IO[bytes]:
        assert self._file is not None  # noqa: S101 - used outside `with`
        return self._file

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise WeftError(f"cannot write {self.path}: {error.strerror or error}") from error


def _named(manifest: Manifest | Index, names: dict[str, str]) -> Descriptor:
    return Descriptor(
        manifest.media_type, manifest.digest, len(manifest.raw), names, artifact_type=manifest.artifact_type
    )


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, _MODE
    return info.tobuf(tarfile.USTAR_FORMAT if size < 8**11 else tarfile.GNU_FORMAT)
