"""Run scenarios again whenever a file of the project changed."""

import asyncio
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path

from weft.workflows.running.follow import Watch

__all__ = ["run_again"]


async def run_again(watched: Iterable[Path], run: Callable[[], None]) -> None:
    """``run`` now and after each change of the files and folders ``watched``; never returns.

    What changes while it runs is a reason to run once more.
    """
    watch = Watch(watched)  # before the first run, to miss nothing

    async def changed(_: AbstractSet[Path]) -> None:
        await asyncio.to_thread(run)

    await asyncio.to_thread(run)
    await watch.follow(changed)
