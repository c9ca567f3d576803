"""Run another program and know how it ended.

Only whole runs are here: start, feed, collect, bounded in time, killed with its children when the
caller is cancelled. Servers that live on (Envoy) are ``weft.envoy``'s business.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from weft.errors import PartMissing, WeftError

__all__ = ["Finished", "kill_group", "run", "started"]

# A compiler that says more than this is not read by anyone; the end of it is kept.
_MAX_OUTPUT_BYTES = 4 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended: its exit code and all it said, both streams in the order written."""

    code: int
    output: str


async def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str],
    timeout: float,  # noqa: ASYNC109 - a bound that no caller may forget
    on_line: Callable[[str], None] | None = None,
    errors_too: bool = True,
) -> Finished:
    """Run ``command`` to its end with no standard input; ``env`` is the child's whole environment.

    ``on_line`` is told each line of output as it appears. Without ``errors_too`` what it writes to its
    standard error is no output: people see it on ours. Raises ``PartMissing`` when the program
    cannot be started and ``WeftError`` when it runs longer than ``timeout`` seconds.
    """
    words = [str(word) for word in command]
    try:
        process = await started(
            words,
            cwd=cwd,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.STDOUT if errors_too else None,
        )
    except OSError as error:
        raise PartMissing(f"cannot start {words[0]}: {error.strerror}") from error
    try:
        async with asyncio.timeout(timeout):
            output = await _collect(process, on_line)
            code = await process.wait()
    except TimeoutError as error:
        raise WeftError(f"{words[0]} did not finish within {timeout:g} s") from error
    finally:
        if process.returncode is None:
            kill_group(process.pid)
            await process.wait()
    return Finished(code, output)


async def started(
    words: Sequence[str],
    *,
    env: Mapping[str, str],
    stdin: int,
    stderr: int | None,
    cwd: Path | None = None,
) -> asyncio.subprocess.Process:
    """A program that runs, in a process group of its own, its output in a pipe. Raises ``OSError``.

    Who is cancelled while it starts waits until it did, and ends its whole group: asyncio would end it
    alone and wait for what it started, and so a Ctrl-C would do nothing for as long as that runs.
    """
    starting = asyncio.ensure_future(  # noqa: TID251 - it is awaited, whatever happens
        asyncio.create_subprocess_exec(
            *words,
            cwd=cwd,
            env=dict(env),
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        process = await starting
        kill_group(process.pid)
        await process.wait()
        raise


def kill_group(pid: int) -> None:
    """Kill the process group that ``pid`` leads, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


async def _collect(process: asyncio.subprocess.Process, on_line: Callable[[str], None] | None) -> str:
    """All output, its end kept; lines of any length, so not ``readline``, which gives up on long ones."""
    assert process.stdout is not None  # noqa: S101 - asked for with PIPE
    kept, line = bytearray(), bytearray()
    while chunk := await process.stdout.read(_CHUNK_BYTES):
        kept += chunk
        del kept[:-_MAX_OUTPUT_BYTES]
        if on_line:
            *whole, rest = (line + chunk).split(b"\n")
            for one in whole:
                on_line(one.decode(errors="replace"))
            line = rest[-_MAX_OUTPUT_BYTES:]
    if on_line and line:
        on_line(line.decode(errors="replace"))
    return kept.decode(errors="replace")
