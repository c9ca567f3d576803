"""Fetch any artifact's files into a folder, as ``oras pull`` does."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from weft.base.locks import held
from weft.errors import NotFound, UsageError
from weft.oci import Annotation, Descriptor, Digest, Index, Manifest, Platform, Reference
from weft.registry import Registries
from weft.workflows.images.contents import Judge, Opener
from weft.workflows.images.folder import lay, move_into, unpack
from weft.workflows.images.graph import Graph, Node
from weft.workflows.images.pull import image_graph
from weft.workflows.images.transfer import Progress, Report, Transfer

__all__ = ["fetch_files"]

# ORAS says so of a folder that it packed as tar+gzip.
_UNPACK = "io.deis.oras.content.unpack"
_SCRATCH, _LOCK = ".weft-", ".lock"


async def fetch_files(
    registries: Registries,
    reference: Reference,
    folder: Path,
    *,
    platform: Platform | None = None,
    judge: Judge | None = None,
    progress: Progress | None = None,
) -> tuple[Report, list[Path]]:
    """Write every part of ``reference`` that has a file name into ``folder``; gives the names.

    All files or none. Raises ``NotFound`` when no part has a name, ``EscapeRefused`` for a bad one.
    """
    source = registries.repository(reference.registry, reference.repository)
    graph = await image_graph(source, reference, platform)
    if judge:
        await judge(source, reference, graph.root.digest)
    manifest = graph.nodes[0].manifest
    assert isinstance(manifest, Manifest)  # noqa: S101 - the first is the image
    named = [blob for blob in (manifest.config, *manifest.layers) if blob.annotations.get(Annotation.TITLE)]
    if not named:
        raise NotFound(
            f"no part of {reference} has a file name",
            hint="weft pull without --to keeps it as an image; weft inspect shows its parts",
        )
    try:
        with _scratch_in(folder) as scratch:
            sink = _Scratch(scratch / "blobs")
            only_named = Graph((Node(_narrowed(manifest, named)),))
            report = await Transfer(source, sink, progress=progress).run(only_named)
            report.root = graph.root
            return report, _lay_out(named, sink, scratch / "files", folder)
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror or error}") from error


@contextmanager
def _scratch_in(folder: Path) -> Iterator[Path]:
    """An empty folder in ``folder`` that goes away; those that killed processes left go first."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{_SCRATCH}*"):
        with suppress(OSError), held(left / _LOCK):
            shutil.rmtree(left)
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=_SCRATCH) as scratch,
        held(Path(scratch) / _LOCK, make=True),
    ):
        yield Path(scratch)


def _lay_out(named: list[Descriptor], blobs: "_Scratch", prepared: Path, folder: Path) -> list[Path]:
    laid: set[tuple[str, Digest]] = set()
    prepared.mkdir()
    for blob in named:
        title = blob.annotations[Annotation.TITLE]
        if (title, blob.digest) in laid:
            continue  # wasme lists its config twice
        laid.add((title, blob.digest))
        if blob.annotations.get(_UNPACK) == "true":
            unpack(blobs.path(blob.digest), prepared)
        else:
            lay(blobs.path(blob.digest), prepared, title)
    return move_into(prepared, folder)


def _narrowed(manifest: Manifest, named: list[Descriptor]) -> Manifest:
    """The same manifest as a view of its named parts."""
    return replace(manifest, config=named[0], layers=tuple(named))


class _Scratch:
    """Blobs as files of a folder that goes away."""

    verifies = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()

    def path(self, digest: Digest) -> Path:
        """Where a blob is."""
        return self._folder / digest.hex

    async def has_manifest(self, descriptor: Descriptor) -> bool:  # noqa: ARG002 - the protocol's
        """Manifests are not kept."""
        return False

    async def has_blob(self, descriptor: Descriptor) -> bool:  # noqa: ARG002 - the protocol's
        """It starts empty."""
        return False

    async def put_blob(self, descriptor: Descriptor, source: Opener) -> bool:
        """Write a blob."""
        with self.path(descriptor.digest).open("wb") as file:
            async with aclosing(source()) as chunks:
                async for chunk in chunks:
                    file.write(chunk)
        return True

    async def put_manifest(self, manifest: Manifest | Index, tag: str | None = None) -> None:
        """Nothing: only files are wanted."""
