"""One process at a time: a lock file that the system frees when its holder dies.

``flock`` itself, as in ``weft.store``: the library filelock takes 30 to 100 ms to import, for which every
build would wait, and shares a lock only through SQLite.
"""

import asyncio
import errno
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

__all__ = ["exclusive", "held"]

_POLL_SECONDS = 0.05


@asynccontextmanager
async def exclusive(path: Path, *, on_wait: Callable[[], None] = lambda: None) -> AsyncIterator[None]:
    """Hold the lock file ``path``, whose folder exists; ``on_wait`` is called once if another holds it.

    Waits as long as it takes, so holders bound their work. The file stays: removing it would let two in.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _try(handle):
            on_wait()
            while not _try(handle):  # noqa: ASYNC110 - another process frees it without telling us
                await asyncio.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(handle)  # frees the lock


@contextmanager
def held(path: Path, *, make: bool = False) -> Iterator[None]:
    """Hold the lock file ``path`` at once, or not at all: raises ``BlockingIOError`` while another does.

    Raises ``FileNotFoundError`` when there is none and it is not to be made.
    """
    handle = os.open(path, os.O_RDWR | (os.O_CREAT if make else 0), 0o644)
    try:
        if not _try(handle):
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK), str(path))
        yield
    finally:
        os.close(handle)


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
