"""A program that cannot outlive us, even when we are killed with SIGKILL.

Nothing in this process can act after SIGKILL, so somebody else has to: a small shell stands between us and
the program, holding the reading end of a pipe whose writing end only we hold. When we go, however we go, the
system closes that end; the shell sees the end of file and kills its whole process group, the program
included.

Other ways, and why not: ``PR_SET_PDEATHSIG`` exists on Linux only and follows the thread, not the process;
``kqueue``'s NOTE_EXIT exists on macOS only; a control group needs root. The pipe is POSIX, the shell is on
every machine, and it costs about a millisecond.

What the shell does: the program's process id is its first line of output, everything after is the program's
own; its exit code is the program's. It is started in a session of its own, so a Ctrl-C at the terminal
reaches us alone and we decide what stops when.
"""

import asyncio
import shlex
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from weft.base.processes import kill_group, started
from weft.errors import PartMissing

__all__ = ["Guarded", "guarded"]

# File descriptor 3 is our pipe: a job in the background would lose standard input. The program must not
# inherit it, and says its process id itself before it becomes the program, so that nothing comes before.
# {last} runs first: a container outlives the client that started it.
_SHELL = "/bin/sh"
_SCRIPT = """\
exec 3<&0 </dev/null
/bin/sh -c 'echo "$$"; exec "$@"' weft-guardian "$@" 3<&- &
program=$!
{{ read -r _ <&3; {last} kill -s KILL 0; }} >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$program"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
"""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A program that runs, and what it says."""

    pid: int
    output: asyncio.StreamReader
    """Both of its streams, in the order written."""
    _shell: asyncio.subprocess.Process

    @property
    def code(self) -> int | None:
        """How it ended, or ``None`` while it runs."""
        return self._shell.returncode

    async def wait(self) -> int:
        """Wait until it ends; 128 and more are signals."""
        return await self._shell.wait()


@asynccontextmanager
async def guarded(
    command: Sequence[str], *, env: Mapping[str, str], last: Sequence[str] | None = None
) -> AsyncIterator[Guarded]:
    """Run ``command`` until it ends, the block ends or we die.

    ``last`` is run when we have died, before everything is killed. Raises ``PartMissing``.
    """
    farewell = f"{shlex.join(last)};" if last else ""
    try:
        shell = await started(
            (_SHELL, "-c", _SCRIPT.format(last=farewell), "weft-guardian", *command),
            env=env,
            stdin=asyncio.subprocess.PIPE,  # held until our end: this is what the guardian watches
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        raise PartMissing(f"cannot start {command[0]}: {error.strerror}") from error
    try:
        assert shell.stdout is not None  # noqa: S101 - asked for with PIPE
        yield Guarded(int(await shell.stdout.readline()), shell.stdout, shell)
    finally:
        kill_group(shell.pid)
        await shell.wait()
