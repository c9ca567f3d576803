"""Configs tried on filters in a process of their own, which ends when there was nothing to try for a while.

To compile a filter can take a hundred megabytes, which a process does not give back; and what a filter does
to the process it runs in shall not be done to a service.
"""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from weft.errors import FilterRefused, PartMissing, UsageError, WeftError
from weft.workflows.deploying.trying import Trial
from weft.workflows.serving import trial_process

__all__ = ["Trials"]

_KINDS = {kind.__name__: kind for kind in (FilterRefused, PartMissing, UsageError)}
# A large filter is compiled within seconds, on a node that has time for it.
_SECONDS = 120.0
_IDLE_SECONDS = 10.0
_MAX_ANSWER = 16 * 1024 * 1024


class Trials:
    """``async with Trials(cache, env) as trials: …``; ``cache`` is where compiled modules are kept."""

    def __init__(
        self, cache: Path, env: Mapping[str, str], *, idle: float = _IDLE_SECONDS, seconds: float = _SECONDS
    ) -> None:
        """``idle`` is how long the process stays, ``seconds`` how long one trial may take."""
        self._cache = cache
        self._env = env
        self._idle = idle
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._folder: TemporaryDirectory[str] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._end: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        """Start nothing yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        async with self._lock:
            await self._stop()

    @property
    def running(self) -> int | None:
        """The process' id, while there is one."""
        return None if self._process is None else self._process.pid

    async def run(self, module: bytes, sha256: str, trial: Trial) -> None:
        """As ``try_out``; ``sha256`` names the module. One at a time.

        Raises ``WeftError`` too when it takes too long, or ends the process.
        """
        async with self._lock:
            if self._end is not None:
                self._end.cancel()
            whole = False
            try:
                async with asyncio.timeout(self._seconds):
                    answer = await self._ask(module, sha256, trial)
                whole = True
            except TimeoutError as error:
                where = trial.configs[0][0]
                raise WeftError(f"{where}: not tried within {self._seconds:g} s on the filter") from error
            finally:
                if whole:
                    self._end = asyncio.get_running_loop().call_later(self._idle, self._let_go)
                else:  # what it says next would be the answer to this
                    await self._stop()
        if answer:
            kind = _KINDS.get(answer["kind"], WeftError)
            raise kind(answer["message"], hint=answer["hint"], detail=answer["detail"])

    async def _ask(self, module: bytes, sha256: str, trial: Trial) -> dict[str, str]:
        if self._process is not None:
            with suppress(OSError, ValueError):  # it had ended already, perhaps
                return await self._exchange(self._process, module, sha256, trial)
        process = await self._start()
        try:
            return await self._exchange(process, module, sha256, trial)
        except (OSError, ValueError) as error:
            code = await process.wait()
            where = trial.configs[0][0]
            raise WeftError(f"{where}: the process that tried it ended with code {code}") from error

    async def _exchange(
        self, process: asyncio.subprocess.Process, module: bytes, sha256: str, trial: Trial
    ) -> dict[str, str]:
        """Raises ``OSError`` or ``ValueError`` when it ends before it has answered."""
        assert self._folder is not None  # noqa: S101 - made with the process
        assert process.stdin is not None  # noqa: S101 - asked for with PIPE
        assert process.stdout is not None  # noqa: S101 - asked for with PIPE
        path = Path(self._folder.name) / sha256
        if not path.exists():
            await asyncio.to_thread(path.write_bytes, module)
        process.stdin.write(trial_process.question(path, trial))
        await process.stdin.drain()
        return trial_process.answer_of(await process.stdout.readline())

    async def _start(self) -> asyncio.subprocess.Process:
        await self._stop()
        self._folder = TemporaryDirectory(prefix="weft-trials-")
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", trial_process.__name__, self._cache),
            env=dict(self._env),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=_MAX_ANSWER,
        )
        return self._process

    def _let_go(self) -> None:
        """Nothing to try: it ends by itself when it can hear no more."""
        if self._process is not None and self._process.stdin is not None and not self._lock.locked():
            self._process.stdin.close()
            self._forget()

    async def _stop(self) -> None:
        process = self._process
        self._forget()
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _forget(self) -> None:
        if self._end is not None:
            self._end.cancel()
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = self._process = self._end = None
