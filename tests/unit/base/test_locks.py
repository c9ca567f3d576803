"""One at a time, across processes, and free again however the holder ended."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from weft.base.locks import exclusive, held

HOLDS = """
import fcntl, sys
with open(sys.argv[1], 'w') as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print('held', flush=True)
    input()
"""


async def test_the_second_waits_for_the_first_and_says_so_once(tmp_path: Path) -> None:
    events: list[str] = []
    held = asyncio.Event()

    async def first() -> None:
        async with exclusive(tmp_path / "lock"):
            held.set()
            await waits.wait()
            events.append("first ends")

    def on_wait() -> None:
        events.append("second waits")
        waits.set()

    waits = asyncio.Event()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(first())
        await held.wait()
        async with exclusive(tmp_path / "lock", on_wait=on_wait):
            events.append("second begins")
    assert events == ["second waits", "first ends", "second begins"]


async def test_a_lock_outlives_no_process(tmp_path: Path) -> None:
    holder = subprocess.Popen(  # noqa: ASYNC220 - starting it takes no time
        [sys.executable, "-c", HOLDS, tmp_path / "lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        async with asyncio.timeout(10), exclusive(tmp_path / "lock", on_wait=holder.kill):
            assert holder.wait() == -9
    finally:
        holder.kill()
        holder.communicate()


async def test_who_stops_waiting_leaves_the_lock_alone(tmp_path: Path) -> None:
    waiting = asyncio.Event()

    async def wait() -> None:
        async with exclusive(tmp_path / "lock", on_wait=waiting.set):
            raise AssertionError

    async with asyncio.timeout(10), exclusive(tmp_path / "lock"), asyncio.TaskGroup() as group:
        waiter = group.create_task(wait())
        await waiting.wait()
        waiter.cancel()
    assert waiter.cancelled()
    async with asyncio.timeout(1), exclusive(tmp_path / "lock"):
        assert (tmp_path / "lock").exists()


def test_a_lock_that_is_held_is_refused_at_once_and_free_afterwards(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with held(lock, make=True), pytest.raises(BlockingIOError), held(lock):
        pass
    with held(lock):
        pass


def test_a_lock_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), held(tmp_path / "lock"):
        pass
    assert list(tmp_path.iterdir()) == []
