"""One process at a time: a lock file that the system frees when its holder dies.

``flock`` itself, as in ``weft.store``: it costs nothing to import where every build waits for imports.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

__all__ = ["exclusive"]

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


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
