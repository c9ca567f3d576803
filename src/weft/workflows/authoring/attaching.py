"""Find out what should travel with an image, and attach it to the image in the store.

Three attachments: an SBOM, the provenance, and what the author wrote beside the source (README, licence,
schema, scenarios). The same source gives the same bytes; nothing of this machine's paths is in them.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from weft import __version__
from weft.attachments import (
    LOCK_FILES,
    PREDICATE_TYPE,
    AttachmentType,
    Origin,
    Part,
    Revision,
    get_ready,
    provenance,
    read_locked,
    sbom,
)
from weft.base.files import os_errors_as, read_limited
from weft.base.processes import run
from weft.errors import PartMissing, UsageError, WeftError
from weft.oci import Annotation, Descriptor, Digest, Manifest, MediaType, Reference
from weft.store import Store
from weft.toolchains import Toolbox
from weft.workflows.authoring.sources import PROJECT_FILE, Source, read_schema

__all__ = ["OriginFinder", "attach_to"]

_MAX_FILE_BYTES = 1024 * 1024
_MAX_LOCK_BYTES = 16 * 1024 * 1024
_GIT_SECONDS = 10.0
_EMPTY = b"{}"
_REMOTE_SCHEMES = frozenset({"http", "https", "ssh", "git"})


@dataclass(frozen=True, slots=True)
class _File:
    """A file to attach."""

    title: str
    media_type: str
    data: bytes


class OriginFinder:
    """Looks at a project while its compiler works: what needs no module."""

    def __init__(self, source: Source, toolbox: Toolbox, tools: tuple[str, ...]) -> None:
        self.source = source
        self._toolbox = toolbox
        self._tools = tools
        self.revision: Revision | None = None
        self.parts: tuple[Part, ...] = ()
        self.files: tuple[_File, ...] = ()

    async def look(self) -> None:
        """Fill in what can be found. Raises ``UsageError`` for a lock file that cannot be read."""
        folder = self.source.folder
        await asyncio.to_thread(get_ready)
        self.revision = await _revision(folder, self._toolbox)
        with os_errors_as("cannot read what belongs to the image", name_file=True):
            self.parts = tuple(sorted(set(_parts(folder))))
            self.files = tuple(_files(self.source))

    def origin(self, module: Digest, reference: Reference, image: Digest) -> Origin:
        """All of it, with the digests of what was built."""
        project = self.source.project
        found = (self._toolbox.find(name) for name in self._tools)
        return Origin(
            name=project.name,
            module_sha256=module.hex,
            image=str(reference),
            image_sha256=image.hex,
            language=project.language,
            weft=__version__,
            description=project.description,
            license=project.license,
            options=project.build,
            tools=tuple(Part("generic", tool.tool.name, tool.version) for tool in found if tool),
            parts=self.parts,
            revision=self.revision,
            seconds=self._seconds(),
        )

    def _seconds(self) -> int:
        told = self._toolbox.env.get("SOURCE_DATE_EPOCH", "")
        if not told:
            return self.revision.seconds if self.revision else 0
        if not told.isdecimal():
            raise UsageError(f"SOURCE_DATE_EPOCH is {told!r}, not seconds since 1970")
        return int(told)


def attach_to(store: Store, finder: OriginFinder, origin: Origin, image: Manifest) -> None:
    """Make the attachments of ``image``, which is in ``store``; earlier ones of the same types go."""
    statement = _File("provenance.json", AttachmentType.STATEMENT, provenance(origin))
    bill = _File("sbom.cdx.json", AttachmentType.SBOM, sbom(origin))
    predicate = {AttachmentType.PREDICATE: PREDICATE_TYPE}
    with store.adding():
        _attach(store, image, AttachmentType.SBOM, (bill,), {})
        _attach(store, image, AttachmentType.STATEMENT, (statement,), predicate)
        if finder.files:
            _attach(store, image, AttachmentType.PROJECT, finder.files, {})


def _attach(
    store: Store, image: Manifest, kind: str, files: tuple[_File, ...], annotations: dict[str, str]
) -> None:
    empty = Descriptor.of(MediaType.OCI_EMPTY, _EMPTY)
    layers = tuple(
        Descriptor(file.media_type, Digest.of(file.data), len(file.data), {Annotation.TITLE: file.title})
        for file in files
    )
    for blob, data in ((empty, _EMPTY), *zip(layers, (file.data for file in files), strict=True)):
        store.put_blob(blob.digest, [data], blob.size)
    subject = Descriptor(image.media_type, image.digest, len(image.raw))
    store.attach(
        Manifest.build(
            empty,
            layers,
            annotations,
            media_type=MediaType.OCI_MANIFEST,
            artifact_type=kind,
            subject=subject,
        ),
        instead=True,
    )


def _parts(folder: Path) -> Iterator[Part]:
    for name in LOCK_FILES:
        path = folder / name
        if not path.is_file():
            continue
        raw = read_limited(path, _MAX_LOCK_BYTES)
        if raw is None:
            raise UsageError(f"{path} is larger than {_MAX_LOCK_BYTES} bytes")
        yield from read_locked(name, raw.decode(errors="replace"))


def _files(source: Source) -> Iterator[_File]:
    folder, schema = source.folder, source.project.config.schema
    read_schema(folder, source.project)
    if schema and folder not in (folder / schema).resolve().parents:
        raise UsageError(
            f"{folder / schema} is outside of the project and cannot go with its image",
            hint=f"[config] schema in {PROJECT_FILE} names it",
        )
    named = [
        *((path, AttachmentType.README) for path in sorted(folder.glob("README*"))),
        *((path, AttachmentType.LICENSE) for path in sorted(folder.glob("LICEN[CS]E*"))),
        *(((folder / schema, AttachmentType.SCHEMA),) if schema else ()),
        *((path, AttachmentType.SCENARIO) for path in sorted(folder.glob("tests/*.yaml"))),
    ]
    for path, media_type in named:
        if not path.is_file() or folder not in path.resolve().parents:
            continue
        data = read_limited(path, _MAX_FILE_BYTES)
        if data is None:
            raise UsageError(f"{path} is larger than the {_MAX_FILE_BYTES} bytes that go with an image")
        yield _File(path.relative_to(folder).as_posix(), media_type, data)


async def _revision(folder: Path, toolbox: Toolbox) -> Revision | None:
    """What git says of the folder; ``None`` without git, or when no commit has the project."""

    async def git(*words: str) -> str:
        ended = await run(["git", "-C", folder, *words], env=toolbox.env, timeout=_GIT_SECONDS)
        return ended.output.strip() if ended.code == 0 else ""

    try:
        if not await git("ls-files", "--", PROJECT_FILE):
            return None
        commit, _, seconds = (await git("log", "-1", "--format=%H %ct")).partition(" ")
        if not seconds:
            return None
        changed = bool(await git("status", "--porcelain", "--", "."))
        url = _public(await git("remote", "get-url", "origin"))
        return Revision(commit, int(seconds), url, changed)
    except (PartMissing, WeftError):
        return None


def _public(url: str) -> str:
    """``url`` without user and password; nothing for a place that only this machine knows."""
    parts = urlsplit(url)
    if parts.scheme not in _REMOTE_SCHEMES or not parts.hostname:
        return ""
    host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    return parts._replace(netloc=host).geturl()
