"""What can go wrong with the store, each with what to do.

::

    WeftError
    └── StoreError         the folder cannot be used, or not now
        └── BlobDamaged    content is missing or is not what its digest says
    NotFound               no such image (``weft.errors``)
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from weft.errors import WeftError

__all__ = ["BlobDamaged", "StoreError", "explained"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StoreError(WeftError):
    """The store's folder is not what it should be, not writable, full or busy."""


class BlobDamaged(StoreError):
    """A blob is not there, or its bytes are not those its digest names."""


@contextmanager
def explained(root: Path, doing: str) -> Iterator[None]:
    """Turn what the system says about the files of the store into ``StoreError``."""
    try:
        yield
    except OSError as error:
        hint = (
            "free some space; `weft prune` deletes content that no image uses"
            if error.errno in _FULL
            else "WEFT_STORE names another folder for images"
        )
        raise StoreError(f"cannot {doing} the store {root}: {error.strerror or error}", hint=hint) from error
