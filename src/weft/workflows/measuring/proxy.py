"""What a filter costs on the real Envoy: one with it and one without, side by side.

Both have one worker, answer every request themselves, and take turns under the same load, so the machine's
moods hit them alike. CPU is the scheduler's own count of all threads of the process; the median of the rounds
is told, of the ratios of each round too. Memory is what the process has for itself alone.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from weft.envoy import Launch, Levels, Program, Proxy
from weft.errors import FilterRefused, UsageError
from weft.mesh import Plugin, default_bootstrap, static_filter
from weft.workflows.measuring.budgets import CPU_RATIO
from weft.workflows.measuring.load import Loaded, load

__all__ = ["Comparison", "ProxyFigures", "Rounds", "compare"]

_PAGE = 1024


@dataclass(frozen=True, slots=True)
class ProxyFigures:
    """One Envoy, the middle of all rounds; ``*_us`` in microseconds."""

    cpu_us: tuple[float, ...]
    """A request, round by round."""
    rate: float
    p50_us: float
    p99_us: float
    memory_slope: float
    """Bytes a request, from the first round to the last."""
    good: float
    """Which part of the answers was below 400."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Envoy without the filter and with it."""

    bare: ProxyFigures
    filtered: ProxyFigures

    @property
    def ratio(self) -> float:
        """CPU with the filter against CPU without it."""
        return median(a / b for a, b in zip(self.filtered.cpu_us, self.bare.cpu_us, strict=True))

    @property
    def added_us(self) -> float:
        """CPU that the filter adds to a request."""
        return median(a - b for a, b in zip(self.filtered.cpu_us, self.bare.cpu_us, strict=True))

    @property
    def figures(self) -> dict[str, float]:
        """By the names of budgets."""
        return {"cpu_per_request": self.added_us, CPU_RATIO: self.ratio}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """How long to measure, and what to ask for."""

    count: int = 5
    seconds: float = 1.0
    path: str = "/"


@dataclass(slots=True)
class _Measured:
    proxy: Proxy
    loads: list[Loaded] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)

    async def round(self, rounds: Rounds, *, seconds: float) -> None:
        before = _cpu(self.proxy.pid)
        where = urlsplit(self.proxy.url)
        assert where.hostname  # noqa: S101 - it is an address
        assert where.port  # noqa: S101
        done = await asyncio.to_thread(load, where.hostname, where.port, seconds=seconds, path=rounds.path)
        self.loads.append(done)
        self.cpu.append((_cpu(self.proxy.pid) - before) / done.requests / 1000)
        self.memory.append(_memory(self.proxy.pid))

    def figures(self) -> ProxyFigures:
        loads = self.loads[1:]
        requests = sum(done.requests for done in loads)
        return ProxyFigures(
            cpu_us=tuple(self.cpu[1:]),
            rate=median(done.requests / done.seconds for done in loads),
            p50_us=median(done.percentile(50) for done in loads),
            p99_us=median(done.percentile(99) for done in loads),
            memory_slope=(self.memory[-1] - self.memory[0]) / requests,
            good=sum(done.good for done in loads) / requests,
        )


async def compare(program: Program, plugin: Plugin, rounds: Rounds, *, env: Mapping[str, str]) -> Comparison:
    """Measure; the first round warms up and does not count.

    Raises ``UsageError`` where processes cannot be measured, ``FilterRefused`` when the filter does not start
    or fails, and what ``Proxy.serving`` and ``load`` raise.
    """
    _check_platform()
    async with AsyncExitStack() as stack:
        measured = [
            _Measured(await stack.enter_async_context(_proxy(stack, program, plugins, env).serving()))
            for plugins in ((), (plugin,))
        ]
        for turn in range(rounds.count + 1):
            for one in measured:
                await one.round(rounds, seconds=rounds.seconds)
            if turn == 0:
                _check(measured[1])
        _check(measured[1])
    return Comparison(*(one.figures() for one in measured))


def _proxy(
    stack: AsyncExitStack, program: Program, plugins: tuple[Plugin, ...], env: Mapping[str, str]
) -> Proxy:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="weft-bench-"))).resolve()
    entries = [static_filter(plugin) for plugin in plugins]
    bootstrap = default_bootstrap(entries, port=0)
    levels = Levels(envoy="error", wasm="error")
    return Proxy(
        Launch(program=program, bootstrap=bootstrap, folder=folder, env=env, plugins=plugins, levels=levels)
    )


def _check_platform() -> None:
    if not Path("/proc/self/schedstat").exists():
        raise UsageError("only Linux says what CPU time Envoy takes", hint="--no-envoy leaves Envoy out")


def _check(measured: _Measured) -> None:
    said = [record.message for record in measured.proxy.journal.since(0) if " failed: " in record.message]
    if said:
        raise FilterRefused("the filter failed while it was measured", detail=said[0])


def _cpu(pid: int) -> int:
    """Nanoseconds that all threads of a process have had."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def _memory(pid: int) -> int:
    """Bytes that a process shares with nobody and no file."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * _PAGE for line in lines if line.startswith("RssAnon:"))
