"""Notice that files change.

A folder is watched with all that is in it, except what version control, package managers and editors put
there. A file is watched through its folder, because editors save by renaming a new file over the old one.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from weft.errors import WeftError

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

__all__ = ["Watch", "is_under"]

# One save is several events; this long without another and they are told as one.
_SETTLED_MS = 50
_SETTLED_AT_MOST_MS = 1000


class Watch:
    """Watches ``paths`` from the moment it is made: what changes before ``follow`` is told by ``follow``.

    Paths whose folder does not exist are left out. Raises ``WeftError`` when the system cannot watch.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        # Not awatch: it begins to watch some time after it is first awaited, and does not say when.
        from watchfiles import Change, DefaultFilter
        from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

        self._matters = partial(DefaultFilter(), Change.modified)
        real = {path.resolve() for path in paths}
        folders = {path for path in real if path.is_dir()}
        alone = {
            path for path in real - folders if not (is_under(path, folders) and self._matters(str(path)))
        }
        self._files = {path for path in alone if path.parent.is_dir()}
        parents = {path.parent for path in self._files}
        self._stop = threading.Event()
        try:
            self._deep = _notifier(RustNotify, folders, recursive=True)
            self._flat = _notifier(RustNotify, parents, recursive=False)
        except (OSError, WatchfilesRustInternalError) as error:
            raise WeftError(f"cannot watch for changes: {error}") from error

    async def follow(self, changed: Callable[[AbstractSet[Path]], Awaitable[None]]) -> None:
        """Await ``changed`` with the paths whenever some changed, one call at a time; never returns.

        What changes during a call is told by the next one.
        """
        queue: asyncio.Queue[set[Path]] = asyncio.Queue()

        def is_file(path: str) -> bool:
            return Path(path) in self._files

        async with asyncio.TaskGroup() as tasks:
            for notifier, wanted in ((self._deep, self._matters), (self._flat, is_file)):
                if notifier:
                    tasks.create_task(self._pass_on(notifier, wanted, queue))
            while True:
                batch = await queue.get()
                while not queue.empty():
                    batch |= queue.get_nowait()
                await changed(batch)

    async def _pass_on(
        self, notifier: "RustNotify", wanted: Callable[[str], bool], queue: asyncio.Queue[set[Path]]
    ) -> None:
        try:
            while True:
                found = await asyncio.to_thread(
                    notifier.watch, _SETTLED_AT_MOST_MS, _SETTLED_MS, 0, self._stop
                )
                if isinstance(found, set) and (paths := {Path(path) for _, path in found if wanted(path)}):
                    queue.put_nowait(paths)
        finally:
            self._stop.set()  # else the thread would outlive us


def _notifier(kind: "type[RustNotify]", paths: set[Path], *, recursive: bool) -> "RustNotify | None":
    return kind([str(path) for path in paths], False, False, 0, recursive, False) if paths else None


def is_under(path: Path, watched: Iterable[Path]) -> bool:
    """Whether a change of ``path`` is a change of one of ``watched``."""
    return any(path.is_relative_to(root.resolve()) for root in watched)
