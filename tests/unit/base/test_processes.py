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


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"
