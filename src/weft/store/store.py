"""Images by name: put, get, list, tag, remove; and their blobs, for those who stream.

The order that makes a crash harmless: blobs first, the name last. A name in the index always leads to
content that was whole when it was named.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from weft.errors import NotFound, UsageError, WeftError
from weft.image import Image
from weft.oci import Descriptor, Digest, Index, JsonView, Manifest, Reference
from weft.store.blobs import Blobs, BlobWriter
from weft.store.entries import MAX_BLOB_BYTES, Entry, describe, image_of, module_in, read_manifest
from weft.store.errors import BlobDamaged, StoreError
from weft.store.layout import Layout
from weft.store.names import LocalAnnotation, Name, add, attach, names_in, remove, without
from weft.store.pruning import Freed, prune

__all__ = ["Store"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """The images in one folder, which is made when something is put there. Safe across processes."""

    def __init__(self, root: Path, *, now: Callable[[], datetime] = _utc_now) -> None:
        """``now`` dates the names that are given."""
        self.root = root
        self._layout = Layout(root)
        self._blobs = Blobs(self._layout)
        self._now = now

    # Reading: no locks, also where nothing may be written.

    def entries(self) -> list[Entry]:
        """Every image with what is known of it, broken ones too, in the order they were named."""
        names = names_in(self._layout.read_index())
        entries = (describe(name, self._blobs, self.root) for name in names if not name.subject)
        return [entry for entry in entries if entry is not None]

    def find(self, reference: Reference) -> Descriptor:
        """The manifest (or index) that ``reference`` names; raises ``NotFound`` with the nearest name."""
        names = names_in(self._layout.read_index())
        for name in names:
            if name.answers(reference) and name.descriptor:
                return name.descriptor
            if name.problem and name.reference == reference:
                raise StoreError(f"image {reference} is broken: {name.problem}")
        raise _not_found(reference, names)

    def manifest(self, descriptor: Descriptor) -> Manifest | Index:
        """The document behind ``find``, its bytes checked."""
        return read_manifest(descriptor, self._blobs)

    def get(self, reference: Reference) -> Image:
        """The whole image, every byte checked; of an index the image that suits wasm.

        Raises ``NotFound``; ``BlobDamaged`` naming the blob; ``DocumentInvalid``.
        """
        manifest = image_of(self.find(reference), self._blobs)
        blobs = {blob.digest: self._blobs.read(blob.digest, limit=MAX_BLOB_BYTES) for blob in manifest.blobs}
        return Image(manifest, blobs)

    def has_blob(self, digest: Digest) -> bool:
        """Whether the blob is here and right; it is read to know."""
        return self._blobs.has(digest)

    def open_blob(self, digest: Digest) -> Iterator[bytes]:
        """The blob in pieces. After the last, ``BlobDamaged`` is raised when they were not the right ones."""
        return self._blobs.chunks(digest)

    # Writing.

    def adding(self) -> AbstractContextManager[None]:
        """Keep blobs that are put in this block from being pruned before ``keep`` names them. May nest."""
        return self._layout.adding()

    @contextmanager
    def new_blob(
        self, digest: Digest, size: int | None = None, *, resume: bool = False
    ) -> Iterator[BlobWriter]:
        """Receive a blob piece by piece; it is here when the block ends well, and nothing is left if not.

        With ``resume`` the block begins with ``writer.take_up()``: an earlier one may have been interrupted,
        and this one may be, too. What is left then waits for the next, or for ``prune``.
        """
        with self.adding(), self._blobs.new(digest, size, resume=resume) as writer:
            yield writer

    def put_blob(self, digest: Digest, chunks: Iterable[bytes], size: int | None = None) -> None:
        """Receive a whole blob; raises ``BlobDamaged`` when it is not what ``digest`` says."""
        with self.adding():
            self._blobs.put(digest, chunks, size)

    def keep(self, reference: Reference, manifest: Manifest | Index) -> Digest:
        """Name a manifest whose blobs are here already; a digest in ``reference`` must be its own.

        Of an index only the image that suits wasm must be here. Raises ``BlobDamaged`` for what is not.
        """
        if reference.digest not in {None, manifest.digest}:
            raise UsageError(f"{reference} cannot name a manifest with digest {manifest.digest}")
        name = replace(reference, digest=None) if reference.tag else reference
        with self.adding():
            self._put_bytes(manifest.digest, manifest.raw)
            image = image_of(manifest.descriptor, self._blobs)
            for blob in image.blobs:
                if fault := self._blobs.fault(blob):
                    raise BlobDamaged(f"image {manifest.digest} cannot be kept: {fault}")
            self._blobs.sync()
            notes = self._notes(image)
            with self._layout.naming():
                self._name(name, manifest.descriptor, notes)
        return manifest.digest

    def put(self, reference: Reference, image: Image) -> Digest:
        """Keep ``image`` under ``reference``, which stops meaning anything else. Gives its digest."""
        with self.adding():
            for blob in image.manifest.blobs:
                self._put_bytes(blob.digest, image.blob(blob))
            return self.keep(reference, image.manifest)

    def attach(self, manifest: Manifest, *, instead: bool = False) -> None:
        """Keep a manifest whose blobs are here already as one that belongs to its subject, without a name.

        With ``instead`` it takes the place of those of its type. It is pruned with its subject. Raises
        ``BlobDamaged`` for a blob that is not here.
        """
        assert manifest.subject is not None  # noqa: S101 - that makes it an attachment
        with self.adding():
            self._put_bytes(manifest.digest, manifest.raw)
            for blob in manifest.blobs:
                if fault := self._blobs.fault(blob):
                    raise BlobDamaged(f"attachment {manifest.digest} cannot be kept: {fault}")
            self._blobs.sync()
            descriptor = replace(manifest.descriptor, annotations=manifest.annotations)
            with self._layout.naming():
                self._layout.write_index(
                    attach(self._index(), descriptor, manifest.subject.digest, instead=instead)
                )

    def referrers(self, subject: Digest) -> list[Descriptor]:
        """The attachments of ``subject``, as a registry lists them."""
        return [
            replace(
                name.descriptor,
                annotations={
                    key: value
                    for key, value in name.descriptor.annotations.items()
                    if key != LocalAnnotation.SUBJECT
                },
            )
            for name in names_in(self._layout.read_index())
            if name.descriptor and name.subject == str(subject)
        ]

    def tag(self, source: Reference, target: Reference) -> Digest:
        """Give the image ``source`` another name too."""
        if target.digest is not None:
            raise UsageError(f"{target} names content; nothing else can", hint=f"write {target.name}:TAG")
        with self._layout.naming():
            descriptor = self.find(source)
            self._name(target, descriptor, dict(descriptor.annotations))
        return descriptor.digest

    def remove(self, *wanted: Reference | str) -> list[str]:
        """Forget names, all of ``wanted`` or none, and give those that went.

        A reference with a digest means every name of that content in its repository; a text is the literal
        name of an entry, as ``entries`` gives it, be it a reference or not. The content stays until
        ``prune``. Raises ``NotFound``.
        """
        with self._layout.naming():
            index = self._index()
            gone: list[str] = []
            for one in dict.fromkeys(wanted):
                document, removed = remove(index, one)
                if not removed:
                    raise _not_found(one, names_in(index))
                index = JsonView(document, index.document)
                gone += [name.shown for name in removed]
            self._layout.write_index(index.members())
        return gone

    def prune(self, *, dry_run: bool = False) -> Freed:
        """Delete content that no name leads to, and what killed processes left behind.

        Nothing that is being added is touched: raises ``StoreError`` when somebody does so for longer.
        Also raises it when a broken image hides what it needs.
        """
        with self._layout.pruning():
            index = self._index()
            freed = prune(self._layout, self._blobs, names_in(index), dry_run=dry_run)
            if freed.attachments and not dry_run:
                self._layout.write_index(without(index, freed.attachments))
            return freed

    def _index(self) -> JsonView:
        index = self._layout.read_index()
        return index or JsonView({}, str(self._layout.index))

    def _put_bytes(self, digest: Digest, data: bytes) -> None:
        if not self._blobs.has(digest):
            self._blobs.put(digest, [data], len(data))

    def _name(self, name: Reference, descriptor: Descriptor, notes: dict[str, str]) -> None:
        notes = notes | {LocalAnnotation.UPDATED: self._now().isoformat(timespec="milliseconds")}
        self._layout.write_index(add(self._index(), name, descriptor, notes))

    def _notes(self, image: Manifest) -> dict[str, str]:
        """What is found out once, by unpacking if need be, so that listing need not."""
        try:
            module = module_in(image, self._blobs)
        except WeftError:  # no wasm image: kept all the same, and listed as such
            return {}
        return {
            LocalAnnotation.MODULE_DIGEST: str(module.digest),
            LocalAnnotation.MODULE_SIZE: str(module.size),
        }


def _not_found(wanted: Reference | str, names: list[Name]) -> NotFound:
    """In wasme's words, with the name that was probably meant: same last part, or few letters apart."""
    import difflib

    text = wanted if isinstance(wanted, str) else str(replace(wanted, digest=None))
    known = [name.text for name in names if name.text]
    same = [name for name in known if _last_part(name) == _last_part(text)]
    shown = {_as_typed(name): name for name in same or known}
    near = difflib.get_close_matches(_as_typed(text), shown, n=1, cutoff=0.0 if same else 0.7)
    meant = f"did you mean {shown[near[0]]}? " if near else ""
    return NotFound(
        f"image {wanted} not found", hint=f"{meant}run `weft list` to see the images of this machine"
    )


def _as_typed(text: str) -> str:
    """Without what is filled in: names that share nothing else are not near."""
    return text.removeprefix("docker.io/library/").removeprefix("docker.io/").removesuffix(":latest")


def _last_part(text: str) -> str:
    return text.partition("@")[0].rpartition("/")[2].partition(":")[0]
