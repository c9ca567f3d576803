"""A folder whose modules are in other folders too, because proxies mount those.

The folder itself is the one that counts; the others hold whole copies of what it has, brought without a
network, and whatever is damaged there comes back from it.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from weft.nodecache.folder import Folder
from weft.oci import Digest

__all__ = ["Mirrored"]


class Mirrored(Folder):
    """One folder with ``copies``."""

    def __init__(self, path: Path, copies: Iterable[Path]) -> None:
        """Make the folders, or take them up."""
        super().__init__(path)
        self._copies = tuple(map(Folder, copies))

    def holds(self, digest: Digest) -> bool:
        """Whether the module is whole everywhere; where a copy is missing it is made."""
        if not super().holds(digest):
            return False
        try:
            self._copy(digest)
        except OSError:  # adding it will say why
            return False
        return True

    @contextmanager
    def adding(self, digest: Digest) -> Iterator[IO[bytes]]:
        """As ``Folder.adding``, everywhere."""
        with super().adding(digest) as file:
            yield file
        self._copy(digest)

    def remove(self, digest: Digest) -> None:
        """Take the module away everywhere."""
        for copy in self._copies:
            copy.remove(digest)
        super().remove(digest)

    def _copy(self, digest: Digest) -> None:
        for copy in self._copies:
            if not copy.holds(digest):
                with self.file(digest).open("rb") as source, copy.adding(digest) as file:
                    shutil.copyfileobj(source, file)
