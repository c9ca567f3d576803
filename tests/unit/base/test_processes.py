"""A run of another program: its words, its end, and nothing of it left."""

import asyncio
import sys
from pathlib import Path

import pytest

from weft.base.processes import run
from weft.errors import PartMissing, WeftError

PYTHON = sys.executable


async def test_both_streams_come_in_the_order_written() -> None:
    lines: list[str] = []
    code = "import sys; print('a', flush=True); print('b', file=sys.stderr, flush=True); sys.exit(3)"
    finished = await run([PYTHON, "-c", code], env={}, timeout=30, on_line=lines.append)
    assert (finished.code, finished.output) == (3, "a\nb\n")
    assert lines == ["a", "b"]


async def test_a_line_of_any_length_is_taken() -> None:
    finished = await run([PYTHON, "-c", "print('x' * 9_000_000)"], env={}, timeout=30)
    assert finished.code == 0
    assert finished.output.endswith("xxx\n")


async def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(PartMissing) as caught:
        await run(["/nowhere/cc"], env={}, timeout=1)
    assert str(caught.value) == "cannot start /nowhere/cc: No such file or directory"


async def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    with pytest.raises(WeftError, match=r"did not finish within 1 s"):
        await run([PYTHON, "-c", code], env={}, timeout=1)
    pid = int((tmp_path / "pid").read_text())
    async with asyncio.timeout(10):
        while _alive(pid):  # noqa: ASYNC110 - another process ends without telling us
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13], ids="{} turns of the loop".format)
async def test_who_is_cancelled_while_a_program_starts_goes_and_takes_it_along(
    tmp_path: Path, steps: int
) -> None:
    script = f"echo $$ >{tmp_path}/pid; /bin/sleep 60; :"
    async with asyncio.timeout(20):
        running = asyncio.ensure_future(run(["/bin/sh", "-c", script], env={}, timeout=60))
        for _ in range(steps):
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert not (tmp_path / "pid").exists() or not _alive(int((tmp_path / "pid").read_text() or 0))


async def test_a_cancellation_that_waits_is_heard_where_a_program_would_start() -> None:
    async def busy() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()  # as Ctrl-C does while this task is running
        await run(["/bin/sh", "-c", "/bin/sleep 60; :"], env={}, timeout=60)

    async with asyncio.timeout(20):
        with pytest.raises(asyncio.CancelledError):
            await asyncio.ensure_future(busy())


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"
