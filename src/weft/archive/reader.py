"""Read an archive: find out once where its files are, then give any of them.

Nothing is unpacked. Only plain files with the names of an image layout are looked at; links, devices and
other paths mean nothing here. A blob is read from its place in the archive and checked against its digest.
"""

import re
import tarfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from weft.archive.errors import ArchiveInvalid
from weft.archive.layout import INDEX, MARKER, VERSION, digest_of
from weft.errors import NotFound, UsageError
from weft.oci import (
    MAX_MANIFEST_BYTES,
    Annotation,
    Descriptor,
    Digest,
    Index,
    JsonView,
    Manifest,
    parse_manifest,
)

__all__ = ["ArchiveReader"]

# Far more than an image with all its signatures has, and bounded work for a hostile one.
_MAX_FILES = 20_000
_MAX_NAMES = 10_000
_MAX_LISTED = 10
_CHUNK = 256 * 1024
# cosign's first layout (and the referrers tag schema): the name says which image it belongs to.
_ATTACHED = re.compile(r"(?:^|:)sha256-[0-9a-f]{64}(?:\.[a-z]+)?$")
_PACKED = {b"\x1f\x8b": "gunzip", b"\x28\xb5": "unzstd", b"BZ": "bunzip2"}


class ArchiveReader:
    """The images of one archive. ``with ArchiveReader(path) as archive: …``."""

    def __init__(self, path: Path) -> None:
        """Nothing is read before the ``with``."""
        self.path = path
        self._file: IO[bytes] | None = None
        self._places: dict[str | Digest, tuple[int, int]] = {}
        self._names: list[Descriptor] = []

    def __enter__(self) -> Self:
        """Raise ``NotFound`` or ``ArchiveInvalid`` unless the file is an image layout."""
        try:
            self._file = self.path.open("rb")
        except FileNotFoundError as error:
            raise NotFound(f"there is no file {self.path}") from error
        except OSError as error:
            raise UsageError(f"cannot read {self.path}: {error.strerror}") from error
        try:
            self._survey()
            self._read_names()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def __str__(self) -> str:
        return str(self.path)

    def find(self, *names: str) -> Descriptor:
        """The only image there is, or of several the first that has one of ``names`` (reference, tag).

        Raises ``NotFound``, naming what is there.
        """
        known = [entry for entry in self._names if _is_image(entry)] or self._names
        if len(known) == 1:
            return known[0]
        for name in names:
            for entry in known:
                if name in _names_of(entry):
                    return entry
        listed = sorted(max(_names_of(entry), key=len, default=str(entry.digest)) for entry in known)
        raise NotFound(
            f"{self.path} holds {len(known)} images, and none is called {' or '.join(names) or 'so'}",
            hint=f"it has {', '.join(listed[:_MAX_LISTED])}" if listed else None,
        )

    async def manifest(self, name: str | Digest) -> Manifest | Index:
        """The manifest with a tag or digest, checked; raises ``NotFound``, ``ArchiveInvalid``."""
        digest = self._tagged(name) if isinstance(name, str) else name
        if digest not in self._places:
            raise NotFound(f"{self.path} holds no manifest {name}")
        raw = self._read(digest, MAX_MANIFEST_BYTES)
        if Digest.of(raw, digest.algorithm) != digest:
            raise ArchiveInvalid(f"{self.path}: manifest {digest} is damaged")
        return parse_manifest(raw)

    async def open_blob(
        self, descriptor: Descriptor, *, verify: bool = True, start: int = 0
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a blob; raises ``ArchiveInvalid`` before the last of them when they are not right.

        Without ``verify`` only their number is known to be right, and the first ``start`` are left out.
        """
        digest = descriptor.digest
        offset, size = self._places.get(digest, (0, -1))
        if size != descriptor.size:
            there = f"has {size} bytes instead of {descriptor.size}" if size >= 0 else "is missing"
            raise ArchiveInvalid(f"{self.path}: blob {digest} {there}")
        hasher, held = digest.hasher(), b""
        for chunk in self._chunks(offset + start, size - start):
            if verify:
                hasher.update(chunk)
            if held:
                yield held
            held = chunk
        if verify and not digest.matches(hasher):
            raise ArchiveInvalid(f"{self.path}: blob {digest} is damaged")
        if held:
            yield held

    async def referrers(self, subject: Digest) -> list[Descriptor]:
        """The entries of the index whose manifests say that they belong to ``subject``."""
        found = []
        for entry in self._names:
            if entry.digest in self._places:
                manifest = await self.manifest(entry.digest)
                if manifest.subject and manifest.subject.digest == subject:
                    found.append(entry)
        return found

    def _survey(self) -> None:
        """Note the place of every file that may matter."""
        assert self._file is not None  # noqa: S101 - opened by __enter__
        if command := _PACKED.get(self._file.read(2)):
            raise ArchiveInvalid(f"{self.path} is compressed", hint=f"{command} {self.path}")
        self._file.seek(0)
        with self._explained(), tarfile.open(fileobj=self._file, mode="r:") as tar:
            for count, member in enumerate(tar):
                if count >= _MAX_FILES:
                    raise ArchiveInvalid(f"{self.path} has more than {_MAX_FILES} files")
                name = member.name.removeprefix("./")
                if member.isreg() and not member.issparse():
                    self._places.setdefault(digest_of(name) or name, (member.offset_data, member.size))

    def _read_names(self) -> None:
        if MARKER not in self._places or INDEX not in self._places:
            raise ArchiveInvalid(
                f"{self.path} is no OCI image layout: it has no {MARKER} and {INDEX}",
                hint="`docker save` writes one since version 25; `weft copy REF FILE.tar` always does",
            )
        marker = self._document(MARKER)
        version = marker.get("imageLayoutVersion")
        if version.text() != VERSION:
            version.wrong(f"must be {VERSION}, got {version.text()}")
        entries = self._document(INDEX).get("manifests").items(limit=_MAX_NAMES)
        self._names = [Descriptor.read(entry) for entry in entries]

    def _tagged(self, tag: str) -> Digest | None:
        return next((entry.digest for entry in self._names if tag in _names_of(entry)), None)

    def _document(self, name: str) -> JsonView:
        raw = self._read(name, MAX_MANIFEST_BYTES)
        return JsonView.parse(raw, document=f"{self.path}: {name}", limit=MAX_MANIFEST_BYTES)

    def _read(self, key: str | Digest, limit: int) -> bytes:
        offset, size = self._places[key]
        if size > limit:
            raise ArchiveInvalid(f"{self.path}: {key} is larger than {limit} bytes")
        return b"".join(self._chunks(offset, size))

    def _chunks(self, offset: int, size: int) -> Iterator[bytes]:
        """``size`` bytes from ``offset``; several readers may take turns."""
        assert self._file is not None  # noqa: S101 - used outside `with`
        end = offset + size
        while offset < end:
            with self._explained():
                self._file.seek(offset)
                chunk = self._file.read(min(_CHUNK, end - offset))
            if not chunk:
                raise ArchiveInvalid(f"{self.path} ends in the middle of a file")
            offset += len(chunk)
            yield chunk

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            raise ArchiveInvalid(f"{self.path} cannot be read as a tar archive: {error}") from error


def _is_image(entry: Descriptor) -> bool:
    """Whether an entry is there for itself: it has a name, and not one that says whose attachment it is."""
    names = _names_of(entry)
    return bool(names) and not any(_ATTACHED.search(name) for name in names)


def _names_of(entry: Descriptor) -> set[str]:
    """All that an entry of the index can be called: its tag, its full reference."""
    keys = (Annotation.REF_NAME, Annotation.CONTAINERD_NAME)
    return {entry.annotations[key] for key in keys if entry.annotations.get(key)}
