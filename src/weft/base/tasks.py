"""Work that goes on beside a block of code and ends with it, or until somebody says stop."""

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

__all__ = ["beside", "run_until_told", "together"]


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator["asyncio.Task[None]"]:
    """Run ``work`` while the block runs; it is cancelled at the end, and its failure ends the block.

    Whatever went wrong first is raised as it is, not in a group.
    """
    async with together(work) as (task,):
        yield task


@asynccontextmanager
async def together(*works: Coroutine[Any, Any, None]) -> AsyncIterator[tuple["asyncio.Task[None]", ...]]:
    """The same for several."""
    try:
        async with asyncio.TaskGroup() as tasks:
            started = tuple(tasks.create_task(work) for work in works)
            yield started
            for task in started:
                task.cancel()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


def run_until_told(work: Coroutine[Any, Any, None]) -> bool:
    """Run ``work`` in an event loop of its own; Ctrl-C, SIGTERM and a closing terminal cancel it.

    That is an ordinary end: gives whether it was told to stop. A second signal cuts its cleaning up short.
    """

    async def cancellable() -> bool:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - we are one
        told = False

        def stop() -> None:
            nonlocal told
            told = True
            task.cancel()

        hang_up = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)  # nohup
        for number in (signal.SIGINT, signal.SIGTERM, *hang_up):
            loop.add_signal_handler(number, stop)
        try:
            await work
        except asyncio.CancelledError:
            if not told:
                raise
        return told

    return asyncio.run(cancellable())
