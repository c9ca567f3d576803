"""The folder: an OCI image layout (image-spec, image-layout.md), and who may write it when.

::

    oci-layout                  says that it is one
    index.json                  the names; replaced whole
    blobs/<algorithm>/<hex>     content; written once, then only deleted
    .weft/                      ours, ignored by other tools: two locks, and blobs that are still arriving

Two locks, always taken in this order, freed by the system when their process dies:

* ``writers``: shared by everybody who adds content, exclusive for prune. So prune never meets a blob
  whose name is still to come;
* ``index``: exclusive, for one change of ``index.json``: of two builds that finish together, each would write
  the list that it had read.

Readers take none: what they read is replaced in one step. The locks are ``flock`` itself, as in
``weft.base.locks``, and one of them is shared.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from weft.base.files import atomic_write, read_limited
from weft.oci import DocumentInvalid, JsonView, compact_json
from weft.store.errors import StoreError, explained
from weft.store.names import MAX_NAMES

__all__ = ["Layout", "sync_folder"]

_VERSION = "1.0.0"
_MARKER = "oci-layout"
_INDEX = "index.json"
_OURS = ".weft"
_BLOBS = "blobs"
# What may lie in a folder that weft died in before it had made a layout of it.
_UNFINISHED = (_OURS, _BLOBS, f".{_INDEX}.", f".{_MARKER}.")

_MAX_MARKER_BYTES = 64 * 1024
# Ten thousand names with our annotations are about 6 MB.
_MAX_INDEX_BYTES = 64 * 1024 * 1024

_ELSEWHERE = "WEFT_STORE names another folder for images"

# Changing the index takes milliseconds; somebody who holds it longer hangs.
_INDEX_SECONDS = 30.0
# A pull may hold its share for minutes; prune does not wait for that.
_PRUNE_SECONDS = 5.0
_POLL_SECONDS = 0.02


class Layout:
    """Paths, marker and locks of one store folder, which need not exist yet."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = root / _BLOBS
        self.index = root / _INDEX
        self.arriving = root / _OURS / "arriving"

    def check(self) -> None:
        """Raise ``StoreError`` when the folder is a layout of a version that is not known."""
        with explained(self.root, "read"):
            try:
                raw = read_limited(self.root / _MARKER, _MAX_MARKER_BYTES)
            except FileNotFoundError:
                return
        try:
            view = JsonView.parse(raw or b"", document=str(self.root / _MARKER), limit=_MAX_MARKER_BYTES)
            version = view.get("imageLayoutVersion").text()
        except DocumentInvalid as error:
            raise StoreError(str(error), hint=_ELSEWHERE) from error
        if version != _VERSION:
            raise StoreError(
                f"the store {self.root} has image layout version {version!r}; weft knows {_VERSION}",
                hint=_ELSEWHERE,
            )

    def read_index(self) -> JsonView | None:
        """``index.json``, or ``None`` when there is none yet; raises ``StoreError``."""
        self.check()
        with explained(self.root, "read"):
            try:
                raw = read_limited(self.index, _MAX_INDEX_BYTES)
            except FileNotFoundError:
                return None
        if raw is None:
            raise StoreError(f"{self.index} is larger than {_MAX_INDEX_BYTES} bytes")
        try:
            view = JsonView.parse(raw, document=str(self.index), limit=_MAX_INDEX_BYTES)
            next(view.get("manifests").items(limit=MAX_NAMES), None)  # complains when it is no array
        except DocumentInvalid as error:
            hint = "move the file away: the names are lost then, the content in blobs/ is not"
            raise StoreError(str(error), hint=hint) from error
        return view

    def write_index(self, document: dict[str, object]) -> None:
        """Replace ``index.json``; the caller holds its lock."""
        with explained(self.root, "write to"):
            atomic_write(self.index, compact_json(document))
            sync_folder(self.root)

    @contextmanager
    def adding(self) -> Iterator[None]:
        """Hold a share of the right to add content: no prune meanwhile. May be nested."""
        self._make()
        with self._locked("writers", fcntl.LOCK_SH, _INDEX_SECONDS, "another weft is pruning it"):
            yield

    @contextmanager
    def pruning(self) -> Iterator[None]:
        """Be the only one: nobody adds content or names."""
        self._make()
        busy = "another weft is adding images to it"
        with self._locked("writers", fcntl.LOCK_EX, _PRUNE_SECONDS, busy), self.naming():
            yield

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Be the only one to change the index."""
        self._make()
        with self._locked("index", fcntl.LOCK_EX, _INDEX_SECONDS, "another weft holds its index"):
            yield

    def leftovers(self) -> list[Path]:
        """Files that killed processes left half-written; only the pruner may believe this."""
        patterns = (f".{_INDEX}.*", f".{_MARKER}.*")
        return [*self.arriving.glob("*"), *(path for each in patterns for path in self.root.glob(each))]

    def _make(self) -> None:
        """Make the folder an image layout if it is not one yet."""
        self.check()
        marker = self.root / _MARKER
        if marker.exists() and self.arriving.is_dir():
            return
        with explained(self.root, "write to"):
            if not marker.exists() and not self.index.exists():
                self._refuse_strange_folder()
            self.arriving.mkdir(parents=True, exist_ok=True)
            self.blobs.mkdir(exist_ok=True)
            with self._locked("index", fcntl.LOCK_EX, _INDEX_SECONDS, "another weft holds its index"):
                if not self.index.exists():
                    atomic_write(self.index, compact_json({"schemaVersion": 2, "manifests": []}))
                if not marker.exists():
                    atomic_write(marker, compact_json({"imageLayoutVersion": _VERSION}))

    def _refuse_strange_folder(self) -> None:
        with suppress(FileNotFoundError):
            for path in self.root.iterdir():
                if not path.name.startswith(_UNFINISHED):
                    raise StoreError(
                        f"{self.root} holds other files ({path.name}) and is no image layout",
                        hint="WEFT_STORE names the folder for images; give it one of its own",
                    )

    @contextmanager
    def _locked(self, name: str, kind: int, seconds: float, busy: str) -> Iterator[None]:
        with explained(self.root, "write to"):
            handle = os.open(self.root / _OURS / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            deadline = time.monotonic() + seconds
            while not _try_lock(handle, kind):
                if time.monotonic() > deadline:
                    raise StoreError(f"the store {self.root} is busy: {busy}", hint="try again soon")
                time.sleep(_POLL_SECONDS)
            yield
        finally:
            os.close(handle)  # frees the lock


def _try_lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sync_folder(path: Path) -> None:
    """Have the names in a folder on disk, as their content is."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
