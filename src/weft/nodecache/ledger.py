"""What a node cache remembers over a restart: which module an image had, since when one is unwanted."""

import time
from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from weft.base.files import atomic_write, read_limited
from weft.oci import Digest, Reference

__all__ = ["Ledger"]

_FILE = ".node-cache.json"
_MAX_BYTES = 16 * 1024 * 1024


class _Known(msgspec.Struct, frozen=True):
    """An image, by the digest of its manifest, and the SHA-256 of its module."""

    image: str
    module: str


class _Document(msgspec.Struct):
    references: dict[str, list[_Known]] = {}
    """By reference; the newest first."""
    unwanted: dict[str, float] = {}
    """Module → when it was first seen that nobody wants it, in seconds of the wall clock."""


class Ledger:
    """The file beside the modules. One that cannot be read is begun anew: the modules still tell all."""

    def __init__(self, folder: Path, *, now: Callable[[], float] = time.time) -> None:
        self._path = folder / _FILE
        self._now = now
        self._document = self._read()
        self._changed = False

    def _read(self) -> _Document:
        try:
            raw = read_limited(self._path, _MAX_BYTES)
            return msgspec.json.decode(raw or b"", type=_Document)
        except (FileNotFoundError, msgspec.DecodeError):
            return _Document()

    def module_of(self, reference: Reference, image: Digest) -> Digest | None:
        """The module that ``image`` was found to have."""
        for known in self._document.references.get(str(reference), ()):
            if known.image == str(image):
                return Digest("sha256", known.module)
        return None

    def newest(self, reference: Reference) -> tuple[Digest, Digest] | None:
        """The image that ``reference`` was last seen to mean, and its module."""
        for known in self._document.references.get(str(reference), ()):
            return Digest.parse(known.image), Digest("sha256", known.module)
        return None

    def note(self, reference: Reference, image: Digest, module: Digest, *, keep: int) -> None:
        """``reference`` now means ``image``; what it meant before is kept in mind ``keep`` times."""
        known = _Known(str(image), module.hex)
        before = self._document.references.get(str(reference), [])
        after = [known, *(one for one in before if one != known)][: keep + 1]
        if after != before:
            self._document.references[str(reference)] = after
            self._changed = True

    def judge(self, references: Collection[Reference], held: Collection[Digest]) -> dict[Digest, float]:
        """For each held module that none of ``references`` means or meant: how long, in seconds.

        What is told of other references is forgotten.
        """
        kept = {str(reference) for reference in references}
        for gone in self._document.references.keys() - kept:
            del self._document.references[gone]
            self._changed = True
        wanted = {known.module for all_ in self._document.references.values() for known in all_}
        now = self._now()
        before = self._document.unwanted
        after = {one.hex: min(before.get(one.hex, now), now) for one in held if one.hex not in wanted}
        if after != before:
            self._document.unwanted = after
            self._changed = True
        return {Digest("sha256", module): now - since for module, since in after.items()}

    def save(self) -> None:
        """Write it down, if anything changed."""
        if self._changed:
            atomic_write(self._path, msgspec.json.encode(self._document))
            self._changed = False
