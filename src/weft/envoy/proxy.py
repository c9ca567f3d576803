"""An Envoy that runs: started under a guardian, read, asked, drained and stopped.

The rules: ``serving`` gives the ``Proxy`` only when it answers requests, and when its block ends, however it
ends, the process is gone. The folder it works in belongs to the caller. What Envoy says goes through one pipe
(``--log-path`` is buffered for seconds) into the ``Journal``.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weft.base.tasks import beside
from weft.envoy.admin import Admin
from weft.envoy.arguments import ADDRESS_FILE, DEFAULT_LEVELS, Levels, envoy_arguments
from weft.envoy.guardian import Guarded, guarded
from weft.envoy.journal import Journal
from weft.envoy.logs import Record
from weft.envoy.program import Program
from weft.envoy.refusal import Symbolize, explain_end
from weft.errors import WeftError
from weft.mesh import Plugin, http_listeners

__all__ = ["Launch", "Proxy"]

# A Go module takes a second to compile, several of them on a busy machine a while.
_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 5.0
# Requests in flight get this long to end before Envoy is asked to.
_DRAIN_TIMEOUT = 2.0
_LOOK_AGAIN = 0.005
_ACTIVE = r"^http\..*\.downstream_rq_active$"


def _unheard(_: Record) -> None:
    """Nobody listens to the log."""


async def _do_nothing() -> None:
    """Nothing is to be done while Envoy starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """All that a start needs."""

    program: Program
    bootstrap: Mapping[str, Any]
    folder: Path
    """Ours and private; Envoy reads and writes here."""
    env: Mapping[str, str]
    plugins: Sequence[Plugin] = ()
    """The filters in the bootstrap, to recognise what they say."""
    arguments: Sequence[str] = ()
    """Words of the user's for Envoy's command line; they win over ours."""
    levels: Levels = DEFAULT_LEVELS
    on_record: Callable[[Record], None] = _unheard
    symbolize: Symbolize | None = None


class Proxy:
    """An Envoy. ``serving`` is its life; everything else works in between."""

    def __init__(self, launch: Launch) -> None:
        self.journal = Journal(launch.on_record)
        self.url = ""
        """Of its first HTTP listener, as seen from this machine."""
        self.admin: Admin
        self._launch = launch
        self._process: Guarded
        self._reading: asyncio.Task[None]

    @property
    def pid(self) -> int:
        """Of Envoy itself; of the container's client where it runs in one."""
        return self._process.pid

    @asynccontextmanager
    async def serving(self, meanwhile: Callable[[], Awaitable[None]] = _do_nothing) -> AsyncIterator["Proxy"]:
        """Start, wait until requests are answered, and stop when the block ends.

        ``meanwhile`` is awaited while Envoy starts: a place for slow imports. Raises ``FilterRefused`` with
        the filter's own words, ``UsageError`` for the bootstrap or the arguments, ``PartMissing`` when it
        cannot be started, ``WeftError`` for the rest.
        """
        launch = self._launch
        file = launch.folder / "bootstrap.json"
        file.write_text(json.dumps(launch.bootstrap))
        (launch.folder / ADDRESS_FILE).unlink(missing_ok=True)  # of the Envoy before this one
        arguments = envoy_arguments(file, launch.folder, launch.levels, launch.arguments)
        command = launch.program.command(arguments, launch.folder)
        async with (
            guarded(command, env=launch.env, last=launch.program.last) as self._process,
            beside(self.journal.read(self._process.output)) as self._reading,
        ):
            await meanwhile()
            async with Admin(await self._in_time(self._address())) as self.admin:
                self.url = await self._in_time(self._answers())
                try:
                    yield self
                finally:
                    await self._stop()

    async def ended(self) -> WeftError | None:
        """Wait until Envoy ends by itself; say why, or ``None`` when somebody asked it to."""
        code = await self._process.wait()
        return await self._reason(code) if code else None

    async def _reason(self, code: int) -> WeftError:
        await asyncio.wait([self._reading], timeout=_STOP_TIMEOUT)  # to its last word
        launch = self._launch
        return explain_end(self.journal.since(0), code, launch.plugins, launch.symbolize)

    async def _in_time(self, step: Coroutine[Any, Any, str]) -> str:
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                return await step
        except TimeoutError as error:
            said = "\n".join(record.message for record in self.journal.since(0))
            raise WeftError(
                f"Envoy did not answer within {_START_TIMEOUT:g} s",
                detail=said or None,
                hint="does a filter never return from its start or configure? --trace shows its last call",
            ) from error

    async def _address(self) -> str:
        file = self._launch.folder / ADDRESS_FILE
        while not (file.exists() and file.stat().st_size):
            await self._still_there()
        return file.read_text()

    async def _answers(self) -> str:
        """Wait until it answers; gives the URL where."""
        ready = False
        while not ready:
            await self._still_there()
            with contextlib.suppress(WeftError):  # it may be ending; _still_there says why
                ready = await self.admin.ready()
        return _url(self._launch.bootstrap, await self.admin.listeners())

    async def _still_there(self) -> None:
        if self._process.code is not None:
            raise await self._reason(self._process.code)
        await asyncio.sleep(_LOOK_AGAIN)

    async def _stop(self) -> None:
        """Let requests in flight end, then ask Envoy to."""
        if self._process.code is not None:
            return
        with contextlib.suppress(WeftError, TimeoutError):
            async with asyncio.timeout(_DRAIN_TIMEOUT):
                await self._drain()
        with contextlib.suppress(ProcessLookupError, TimeoutError):
            os.kill(self.pid, signal.SIGTERM)
            async with asyncio.timeout(_STOP_TIMEOUT):
                await self._process.wait()

    async def _drain(self) -> None:
        await self.admin.post("/drain_listeners")
        while True:
            counts = await self.admin.stats(_ACTIVE)
            if not any(int(count) for name, count in counts.items() if not name.startswith("http.admin.")):
                return
            await asyncio.sleep(_LOOK_AGAIN)


def _url(bootstrap: Mapping[str, Any], addresses: Sequence[str]) -> str:
    """Where the first HTTP listener can be reached from this machine."""
    for listener in http_listeners(bootstrap):
        if listener.index < len(addresses):
            host, _, port = addresses[listener.index].rpartition(":")
            near = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - not bound here
            return f"{'https' if listener.tls else 'http'}://{near}:{port}"
    return ""
