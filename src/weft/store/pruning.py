"""Which content nothing leads to any more, and its end.

The caller is alone in the store: nobody adds content or names meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from weft.errors import WeftError
from weft.oci import Descriptor, Digest, Index, MediaType
from weft.store.blobs import Blobs
from weft.store.entries import read_manifest
from weft.store.errors import StoreError, explained
from weft.store.layout import Layout
from weft.store.names import Name

__all__ = ["Freed", "prune"]

# An index of images of indexes: deeper is no one's layout.
_MAX_LEVELS = 4
_DOCUMENTS = MediaType.MANIFESTS | MediaType.INDEXES | {""}


@dataclass(frozen=True, slots=True)
class Freed:
    """What was deleted, or would have been."""

    blobs: tuple[Digest, ...]
    leftovers: int
    """Files that killed processes had not finished."""
    size: int
    """Bytes of both."""
    attachments: tuple[Digest, ...] = ()
    """Those whose subject went, too; their entries are the caller's business."""


def prune(layout: Layout, blobs: Blobs, names: list[Name], *, dry_run: bool) -> Freed:
    """Delete what no entry of ``names`` needs. Raises ``StoreError`` when one does not say what it needs."""
    needed = set[Digest]()
    for name in names:
        if not name.subject:
            needed.update(_needs_of(name, blobs, layout))
    orphans = _follow(needed, [name for name in names if name.subject], blobs, layout)
    with explained(layout.root, "delete from"):
        garbage = sorted((digest, size) for digest, size in blobs.all() if digest not in needed)
        leftovers = [(path, path.stat().st_size) for path in layout.leftovers()]
        if not dry_run:
            for digest, _ in garbage:
                blobs.delete(digest)
            for path, _ in leftovers:
                path.unlink()
    freed = sum(size for _, size in garbage) + sum(size for _, size in leftovers)
    return Freed(tuple(digest for digest, _ in garbage), len(leftovers), freed, orphans)


def _follow(needed: set[Digest], attached: list[Name], blobs: Blobs, layout: Layout) -> tuple[Digest, ...]:
    """Add what attachments of the needed need, and theirs in turn; gives those that belong to nothing."""
    while belonging := [name for name in attached if name.subject in map(str, needed)]:
        attached = [name for name in attached if name not in belonging]
        for name in belonging:
            needed.update(_needs_of(name, blobs, layout))
    return tuple(name.descriptor.digest for name in attached if name.descriptor)


def _needs_of(name: Name, blobs: Blobs, layout: Layout) -> set[Digest]:
    try:
        if name.descriptor is None:
            raise StoreError(name.problem or "")
        return set(_reach(name.descriptor, blobs, _MAX_LEVELS))
    except WeftError as error:
        raise StoreError(
            f"cannot tell what {name.text or 'an image without a name'} needs: {error}",
            hint=f"`weft rm {name.text}` first" if name.text else f"take its entry out of {layout.index}",
        ) from error


def _reach(descriptor: Descriptor, blobs: Blobs, levels: int) -> Iterator[Digest]:
    """All that ``descriptor`` leads to; of an index only those images that are here."""
    yield descriptor.digest
    if descriptor.media_type not in _DOCUMENTS or not levels:
        return  # a layout's index may name any blob
    document = read_manifest(descriptor, blobs)
    if isinstance(document, Index):
        for child in document.manifests:
            if blobs.size(child.digest) is not None:
                yield from _reach(child, blobs, levels - 1)
    else:
        yield from (blob.digest for blob in document.blobs)
