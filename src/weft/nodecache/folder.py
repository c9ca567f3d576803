"""The folder that proxies open modules from: ``<SHA-256 of the bytes>``, as wasme's cache names them.

A file appears whole, by a rename, and is never written to again: a proxy that has one open keeps it.
"""

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from weft.errors import WeftError
from weft.oci import Digest

__all__ = ["Folder"]

_NAME = re.compile(r"[0-9a-f]{64}")
# Of a file on its way; a process that was killed leaves one behind.
_UNFINISHED = ".unfinished-"
# Proxies run as other users.
_FILE_MODE, _FOLDER_MODE = 0o644, 0o755
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Seen:
    """By what a file is known not to have changed since its bytes were hashed."""

    size: int
    changed: int
    inode: int


class Folder:
    """One folder, written by one process."""

    def __init__(self, path: Path) -> None:
        """Make the folder, or take it up: clean what a killed process left, keep what is whole."""
        self.path = path
        self._seen: dict[str, _Seen] = {}
        path.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
        for leftover in path.glob(f"{_UNFINISHED}*"):
            leftover.unlink(missing_ok=True)

    def file(self, digest: Digest) -> Path:
        """Where the module is, or would be."""
        return self.path / digest.hex

    def holds(self, digest: Digest) -> bool:
        """Whether the module is here and whole; a damaged file is taken away."""
        path = self.file(digest)
        try:
            now = path.lstat()
        except FileNotFoundError:
            self._seen.pop(digest.hex, None)
            return False
        seen = _Seen(now.st_size, now.st_mtime_ns, now.st_ino)
        if stat.S_ISREG(now.st_mode) and self._seen.get(digest.hex) == seen:
            return True
        if stat.S_ISREG(now.st_mode) and _digest_of(path) == digest:
            self._seen[digest.hex] = seen
            return True
        self.remove(digest)
        return False

    @contextmanager
    def adding(self, digest: Digest) -> Iterator[IO[bytes]]:
        """Write the module with ``digest`` to the yielded file; when the block ends well, it is here.

        The bytes are verified by whoever writes them. Nothing is left when the block fails.
        """
        handle, name = tempfile.mkstemp(dir=self.path, prefix=_UNFINISHED)
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            path.chmod(_FILE_MODE)
            path.replace(self.file(digest))
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def remove(self, digest: Digest) -> None:
        """Take the module away; a proxy that has it open keeps it."""
        self._seen.pop(digest.hex, None)
        path = self.file(digest)
        if path.is_dir() and not path.is_symlink():
            raise WeftError(f"{path} is a folder where a module should be", hint="remove it")
        path.unlink(missing_ok=True)

    def modules(self) -> dict[Digest, int]:
        """What is here, and how many bytes each has."""
        with os.scandir(self.path) as entries:
            return {
                Digest("sha256", entry.name): entry.stat(follow_symlinks=False).st_size
                for entry in entries
                if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
            }


def _digest_of(path: Path) -> Digest:
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return Digest("sha256", hasher.hexdigest())
