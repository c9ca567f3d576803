"""A real Envoy with everything around it in our hands: its clients, its upstream and the servers it calls.

The rules: one filter at a time, exchanged without a restart; each exchange ends with the last filter's VM
gone, and its metrics with it. After each thing that happened ``settle`` waits until it has no more
consequences: one thread of Envoy does all work, so when it has answered some requests of ours and nothing
else was heard meanwhile, nothing else is under way.
"""

import asyncio
import hashlib
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from weft.base.files import atomic_write
from weft.base.tasks import beside
from weft.envoy import Launch, Levels, Program, Proxy
from weft.errors import WeftError
from weft.stage.documents import (
    FILTER,
    MARK,
    NETWORK,
    PLACES,
    bootstrap,
    clusters_document,
    kept_document,
    no_filter_document,
)
from weft.stage.ear import Ear
from weft.stage.http2 import Peer, Stream
from weft.stage.wire import Wire
from weft.symbols import Symbols
from weft.wasm import Kind, Module, read_module

__all__ = ["PATIENCE", "Lost", "Stage", "open_stage"]

_End = TypeVar("_End", bound=asyncio.Protocol)

# So many answers in a row with nothing else heard. An event has consequences in at most two rounds of
# Envoy's loop: a connection opens, then it is written to.
_QUIET = 4
# A Go module compiles for seconds on a busy machine; a filter that runs this long never ends.
PATIENCE = 30.0
"""Seconds."""
_LOOK_AGAIN = 0.002
_DISCOVERY = "extension_config_discovery."
_CLUSTERS = "cluster_manager.cds.version_text"
_ACTIVE = "wasm.envoy.wasm.runtime.v8.active"
_METRICS = "wasmcustom."
_MARKED = ((":method", "GET"), (":scheme", "http"), (":authority", "weft"), (":path", "/"))


class Lost(WeftError):
    """Envoy does not answer any more; this stage cannot go on."""


class Stage:
    """An Envoy that plays. ``open_stage`` is its life."""

    def __init__(self, folder: Path, patience: float) -> None:
        self.ear = Ear(self._tell)
        self.arrived: list[Stream] = []
        """Requests that reached the upstream."""
        self.called: list[tuple[str, Stream]] = []
        """Requests that reached another server: its name, and the request."""
        self.spent = False
        """Whether something was left on it that nobody can take away: then it plays no more."""
        self.gone = False
        """Whether Envoy ended by itself."""
        self.module = folder / "module.wasm"
        """The file that Envoy reads."""
        self.symbols: Symbols
        """Of the module."""
        self._folder = folder
        self._patience = patience
        self._event = asyncio.Event()
        self._heard = 0
        self._marks = 0
        self._servers: dict[str, asyncio.Server] = {}
        self._taken: set[str] = set()
        self._proxy: Proxy
        self._marker: Peer
        self.relayed: list[Wire] = []
        """Connections that reached the upstream of connections."""
        self._port = self._relay = self._idle = 0

    async def connect(self) -> Peer:
        """A client's connection."""
        return await self._dial(self._port, lambda: Peer(self._count))

    async def connect_wire(self) -> Wire:
        """A client's connection for bytes alone."""
        return await self._dial(self._relay, lambda: Wire(self._count))

    async def settle(self) -> None:
        """Wait until nothing is under way; raises ``Lost``."""
        quiet = 0
        while quiet < _QUIET:
            before = self._heard, self.ear.place
            await self._mark()
            quiet = quiet + 1 if before == (self._heard, self.ear.place) else 0

    async def until(self, holds: Callable[[], bool], *, at_most: float | None = None) -> bool:
        """Wait for something that is heard; gives whether it came in time."""
        try:
            async with asyncio.timeout(self._patience if at_most is None else at_most):
                while not holds():
                    self._event.clear()
                    await self._event.wait()
        except TimeoutError:
            return False
        return True

    def module_file(self, module: bytes) -> Path:
        """A file with another module, for Envoy to read."""
        path = self._folder / f"{hashlib.sha256(module).hexdigest()}.wasm"
        if not path.exists():
            atomic_write(path, module)
        return path

    async def put(self, document: dict[str, Any], place: str = FILTER) -> bool:
        """Play this filter; gives whether it started. The last one there must have been taken away."""
        kind = "network_filter" if place == NETWORK else "http_filter"
        version, about = str(document["version_info"]), f"{_DISCOVERY}{kind}.{place}."
        refused = _refusals(await self._stats(about), about)

        def decided(stats: Mapping[str, str]) -> bool:
            return _version(stats, about) == version or _refusals(stats, about) != refused

        self._write(f"{place}.json", document)
        stats = await self._stats_when(about, decided)
        await self.settle()
        self._taken.add(place)
        return _version(stats, about) == version

    async def take_away(self) -> None:
        """Play no filter: their VMs, their metrics and what came for them are gone afterwards."""
        await self.settle()
        for place in sorted(self._taken):
            await self.put(no_filter_document(place), place)
        self._taken.clear()
        await self._stats_when(_ACTIVE, lambda stats: _active(stats) <= self._idle)
        self.arrived.clear()
        self.called.clear()
        self.relayed.clear()

    async def allow(self, names: Iterable[str]) -> None:
        """Let filters call the servers of these names, and no others."""
        ports = {name: await self._server(name) for name in sorted(set(names))}
        document = clusters_document(ports)
        self._write("clusters.json", document)
        version = document["version_info"]
        await self._stats_when(_CLUSTERS, lambda stats: stats.get(_CLUSTERS) == version)

    async def metrics(self) -> dict[str, str]:
        """The filter's metrics; a histogram's value is not a number."""
        return {name.removeprefix(_METRICS): value for name, value in (await self._stats(_METRICS)).items()}

    # -- within

    async def _mark(self) -> None:
        self._marks += 1
        mark, stream = self._marks, self._marker.stream()
        stream.send_headers((*_MARKED, (MARK, str(mark))), end=True)
        if not await self.until(lambda: self.gone or (stream.ended and self.ear.mark == mark)):
            raise Lost(f"Envoy has not answered for {self._patience:g} s: does the filter run in a loop?")
        if self.gone:
            raise Lost("Envoy ended by itself")

    async def _stats_when(self, start: str, holds: Callable[[Mapping[str, str]], bool]) -> dict[str, str]:
        """Envoy's statistics, as soon as they are so; it tells nobody when they change."""
        deadline = _now() + self._patience
        while not holds(stats := await self._stats(start)):
            if _now() > deadline:
                raise Lost(f"Envoy has not done within {self._patience:g} s what it was told")
            await asyncio.sleep(_LOOK_AGAIN)
        return stats

    async def _stats(self, start: str) -> dict[str, str]:
        """Envoy's, whose names begin so; its admin does not answer while a large module is compiled."""
        deadline = _now() + self._patience
        while True:
            try:
                return await self._proxy.admin.stats(f"^{start.replace('.', '[.]')}")
            except WeftError as error:
                if self.gone or _now() > deadline:
                    raise Lost(f"Envoy is gone: {error}") from error
                await asyncio.sleep(_LOOK_AGAIN)

    async def _server(self, name: str) -> int:
        if name not in self._servers:
            self._servers[name] = await self._listen(lambda stream: self.called.append((name, stream)))
        return _port(self._servers[name])

    async def _listen(self, opened: Callable[[Stream], None]) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: Peer(self._count, opened), "127.0.0.1", 0)

    async def _listen_wire(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: Wire(self._count, self.relayed.append), "127.0.0.1", 0)

    async def _dial(self, port: int, end: Callable[[], _End]) -> _End:
        loop = asyncio.get_running_loop()
        try:
            _, made = await loop.create_connection(end, "127.0.0.1", port)
        except OSError as error:
            raise Lost(f"Envoy is gone: {error.strerror}") from error
        return made

    def _write(self, name: str, document: Mapping[str, Any]) -> None:
        atomic_write(self._folder / name, json.dumps(document, ensure_ascii=False).encode())

    async def _watch(self) -> None:
        await self._proxy.ended()
        self.gone = True
        self._tell()

    def _count(self) -> None:
        self._heard += 1
        self._tell()

    def _tell(self) -> None:
        self._event.set()

    @asynccontextmanager
    async def open(self, module: bytes, program: Program, env: Mapping[str, str]) -> AsyncIterator["Stage"]:
        """See ``open_stage``."""
        read = read_module(module)
        self.symbols = Symbols(module, read)
        atomic_write(self.module, module)
        upstream, relayed = await self._listen(self.arrived.append), await self._listen_wire()
        for place in (*PLACES, NETWORK):
            self._write(f"{place}.json", no_filter_document(place))
        self._write("clusters.json", clusters_document({}))
        self._write("kept.json", kept_document(str(self.module), _needed(read)))
        files = {name: str(self._folder / f"{name}.json") for name in (*PLACES, NETWORK, "kept", "clusters")}
        told = bootstrap(
            upstream=_port(upstream),
            tcp_upstream=_port(relayed),
            played=files,
            kept=files["kept"],
            clusters=files["clusters"],
        )
        launch = Launch(
            program=program,
            bootstrap=told,
            folder=self._folder,
            env=env,
            levels=Levels(envoy="warning", wasm="trace"),
            on_record=self.ear.hear,
        )
        try:
            async with Proxy(launch).serving() as self._proxy, beside(self._watch()):
                ports = [_port_of(found) for found in await self._proxy.admin.listeners()]
                self._port, marked, _, self._relay = ports
                self._marker = await self._dial(marked, lambda: Peer(self._tell))
                await self.settle()
                self._idle = _active(await self._stats(_ACTIVE))
                yield self
                self._marker.close()
        finally:
            for server in (upstream, relayed, *self._servers.values()):
                server.close()


@asynccontextmanager
async def open_stage(
    module: bytes, program: Program, env: Mapping[str, str], *, patience: float = PATIENCE
) -> AsyncIterator[Stage]:
    """An Envoy to play ``module`` on, gone when the block ends.

    One that does not answer for ``patience`` seconds is lost. Raises ``ModuleInvalid`` and what
    ``Proxy.serving`` raises.
    """
    with tempfile.TemporaryDirectory(prefix="weft-stage-") as name:
        async with Stage(Path(name), patience).open(module, program, env) as stage:
            yield stage


def _needed(module: Module) -> list[str]:
    """What a module calls that is not proxy-wasm: its language's runtime cannot do without."""
    return [one.name for one in module.imports if one.kind is Kind.FUNC and not one.name.startswith("proxy_")]


def _now() -> float:
    return asyncio.get_running_loop().time()


def _version(stats: Mapping[str, str], about: str) -> str:
    return stats.get(f"{about}version_text", "")


def _refusals(stats: Mapping[str, str], about: str) -> int:
    return sum(int(stats.get(about + name, "0")) for name in ("update_rejected", "update_failure"))


def _active(stats: Mapping[str, str]) -> int:
    return int(stats.get(_ACTIVE, "0"))


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def _port_of(address: str) -> int:
    return int(address.rpartition(":")[2])
