"""The whole story in a minute: from an empty folder to a header through a real Envoy.

Everything here is what the commands do; only the telling is the demo's own.
"""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from weft.base.tasks import beside
from weft.envoy import Echo
from weft.errors import WeftError
from weft.wasm import describe, read_module
from weft.workflows.authoring.init import create_project
from weft.workflows.running.loading import Build, Loader
from weft.workflows.running.order import Host, Order, Running, Tell
from weft.workflows.running.run import serve

__all__ = ["demonstrate"]

_NAME = "hello"
_EXAMPLE = "add-header"
_HEADER = "hello"
_BEFORE, _AFTER = "world", "Envoy"

# A first answer waits for Envoy alone; a change waits for a rebuild on a busy machine.
_READY_SECONDS = 60.0
_CHANGE_SECONDS = 60.0
_ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    header: str | None


async def demonstrate(
    folder: Path, *, language: str, build: Build, host: Host, say: Callable[[str], None]
) -> None:
    """Play the story in ``folder``, which is empty; ``say`` gets it line by line.

    Raises ``WeftError`` when something does not happen that should.
    """
    started = time.monotonic()
    project = folder / _NAME
    say(f"1. A new project:  weft init {_NAME} --language {language}")
    created = create_project(project, language=language, example=_EXAMPLE)
    say(f"   {', '.join(str(path) for path in created.files)}")

    say(f"2. Build it:  weft build {_NAME}")
    begun = time.monotonic()
    first = await build(project)
    about = describe(read_module(first.module, what=_NAME))
    say(f"   {len(first.module):,} bytes of WebAssembly, proxy-wasm {about.abi}, {_since(begun)}")

    echo = Echo()
    try:
        async with echo.serving():
            await _run(project, echo, build, host, say)
    finally:
        echo.close()
    say(f"That took {_since(started)}. Make your own:  weft init my-filter")


async def _run(project: Path, echo: Echo, build: Build, host: Host, say: Callable[[str], None]) -> None:
    service = f"http://{echo.upstream.host}:{echo.upstream.port}/"
    say(f"3. Ask a service directly:  curl -i {service}")
    say(f"   {_shown(await _ask(service))}")

    say(f"4. Put the filter in front of it, in a real Envoy:  weft run {_NAME} --watch --upstream {service}")
    ready: asyncio.Future[Running] = asyncio.get_running_loop().create_future()

    loader = Loader(store=project, build=build)  # no store is asked: the source is a folder
    order = Order(sources=(str(project),), upstream=echo.upstream, port=0, watch=True)
    tell = Tell(ready=ready.set_result, say=_nothing, trouble=_raise)
    async with beside(serve(order, loader, host, tell)), asyncio.timeout(_READY_SECONDS + _CHANGE_SECONDS):
        running = await ready
        say(f"   curl -i {running.url}/")
        say(f"   {_shown(await _expect(running.url, _BEFORE))}")
        await _change(project, running, say)
    say("6. Stop")
    if _alive(running.pid):
        raise WeftError(f"Envoy (pid {running.pid}) is still there")
    say("   Envoy is gone, nothing is left running")


async def _change(project: Path, running: Running, say: Callable[[str], None]) -> None:
    """Edit the project's config and keep asking until the answer changes; no answer may be a failure."""
    say(f'5. Change its config while it runs:  value = "{_BEFORE}" becomes "{_AFTER}" in {_NAME}/weft.toml')
    file = project / "weft.toml"
    file.write_text(file.read_text().replace(f'value = "{_BEFORE}"', f'value = "{_AFTER}"'))
    begun, asked = time.monotonic(), 0
    answer = _Answer(0, None)
    while answer.header != _AFTER:
        if time.monotonic() > begun + _CHANGE_SECONDS:
            raise WeftError(f"the change did not reach Envoy within {_CHANGE_SECONDS:g} s")
        answer = await _ask(running.url)
        asked += 1
        if answer.status != 200:  # noqa: PLR2004 - HTTP's OK
            raise WeftError(f"request {asked} during the change was answered with {answer.status}")
    say(f"   {_shown(answer)}   ({_since(begun)} after the save; {asked} requests meanwhile, none failed)")


async def _expect(url: str, value: str) -> _Answer:
    answer = await _ask(url)
    if answer != replace(answer, status=200, header=value):
        raise WeftError(f"{url} answered {_shown(answer)} instead of {_HEADER}: {value}")
    return answer


async def _ask(url: str) -> _Answer:
    from weft.net import Http, HttpFailure, Network

    try:
        async with Http(Network(), idle=_ANSWER_SECONDS) as http, http.request("GET", url) as response:
            return _Answer(response.status, response.headers.get(_HEADER))
    except HttpFailure as error:
        raise WeftError(f"{url} did not answer: {error}") from error


def _shown(answer: _Answer) -> str:
    header = f"{_HEADER}: {answer.header}" if answer.header is not None else f"no header {_HEADER}"
    return f"{answer.status}, {header}"


def _since(begun: float) -> str:
    return f"{time.monotonic() - begun:.1f} s"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _nothing(_line: str) -> None:
    """What the filter logs is not part of the story."""


def _raise(error: WeftError) -> None:
    raise error
