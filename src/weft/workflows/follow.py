"""Notice that files change.

A folder is followed with all that is in it, except what version control, package managers and editors put
there. A file is followed through its folder, because editors save by renaming a new file over the old one.
"""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchfiles.main import FileChange

__all__ = ["follow", "is_under"]

# One save is several events; this long without another and they are told as one.
_SETTLED_MS = 50


async def follow(paths: Iterable[Path], changed: Callable[[AbstractSet[Path]], Awaitable[None]]) -> None:
    """Await ``changed`` with the paths whenever some of ``paths`` changed, one call at a time; never returns.

    What changes during a call is told by the next one.
    """
    from watchfiles import Change, DefaultFilter, awatch

    real = {path.resolve() for path in paths}
    folders = {path for path in real if path.is_dir()}
    files = real - folders
    queue: asyncio.Queue[set[Path]] = asyncio.Queue()

    def among_files(_: Change, path: str) -> bool:
        return Path(path) in files

    async with asyncio.TaskGroup() as tasks:
        if folders:
            found = awatch(*folders, step=_SETTLED_MS, watch_filter=DefaultFilter())
            tasks.create_task(_pass_on(found, queue))
        if files:
            parents = {path.parent for path in files}
            found = awatch(*parents, step=_SETTLED_MS, watch_filter=among_files, recursive=False)
            tasks.create_task(_pass_on(found, queue))
        while True:
            batch = await queue.get()
            while not queue.empty():
                batch |= queue.get_nowait()
            await changed(batch)


def is_under(path: Path, watched: Iterable[Path]) -> bool:
    """Whether a change of ``path`` is a change of one of ``watched``."""
    return any(path.is_relative_to(root.resolve()) for root in watched)


async def _pass_on(changes: "AsyncIterable[set[FileChange]]", queue: asyncio.Queue[set[Path]]) -> None:
    async for batch in changes:
        queue.put_nowait({Path(path) for _, path in batch})
