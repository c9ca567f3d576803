"""Run scenarios again whenever a file of the project changed."""

import asyncio
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path

from weft.workflows.running.follow import Watch

__all__ = ["run_again"]


async def run_again(watched: Iterable[Path], run: Callable[[], None], *, written: Path | None = None) -> None:
    """``run`` now and after each change of the files and folders ``watched``; never returns.

    What changes while it runs is a reason to run once more, but not the file ``written``, resolved, that it
    writes itself.
    """
    watch = Watch(watched)  # before the first run, to miss nothing

    async def changed(paths: AbstractSet[Path]) -> None:
        if not all(_becomes(path, written) for path in paths):
            await asyncio.to_thread(run)

    await asyncio.to_thread(run)
    await watch.follow(changed)


def _becomes(path: Path, target: Path | None) -> bool:
    """Whether ``path`` is ``target``, or what ``atomic_write`` makes of it first."""
    if target is None or path.parent != target.parent:
        return False
    return path.name == target.name or path.name.startswith(f".{target.name}.")
