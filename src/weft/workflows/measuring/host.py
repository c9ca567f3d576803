"""What a filter costs on the test host.

The same requests for every filter: some headers, a body of a kilobyte each way; calls of the filter are
answered with 200. Instructions (fuel) and memory are the same in every run. Times are of this machine and
include the host's side of each call, which Python does: they compare callbacks of a filter, not filters with
native code. Memory comes in pages of 64 KiB, so bytes a stream are these, spread over many streams.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from weft.errors import FilterRefused
from weft.testhost import Code, GrpcReply, Host, HttpStream, Plugin, World

__all__ = ["STREAMS", "CallbackCost", "HostFigures", "Memory", "measure_callbacks", "measure_memory"]

STREAMS = 4000
_NS_PER_STREAM = 1_000_000
_BODY = b"x" * 1024
_REQUEST = (
    (":method", "POST"),
    (":scheme", "http"),
    (":authority", "example.com"),
    (":path", "/bench?of=weft"),
    ("user-agent", "weft"),
    ("accept", "*/*"),
    ("content-type", "text/plain"),
    ("content-length", str(len(_BODY))),
    ("x-request-id", "8a1f4b1e-54a9-4d1f-9a0c-6c2f0c0a5b11"),
    ("cookie", "session=0123456789abcdef"),
)
_RESPONSE = (
    (":status", "200"),
    ("server", "envoy"),
    ("content-type", "text/plain"),
    ("content-length", str(len(_BODY))),
)
_OK = ((":status", "200"),)


@dataclass(frozen=True, slots=True)
class CallbackCost:
    """One callback: how often a request calls it, and what one call takes in the middle."""

    name: str
    calls: float
    microseconds: float
    fuel: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of a VM's memory."""

    per_vm: int
    per_stream: float
    leak_slope: float


@dataclass(frozen=True, slots=True)
class HostFigures:
    """All of it."""

    module_size: int
    memory: Memory
    callbacks: tuple[CallbackCost, ...] = ()

    @property
    def fuel(self) -> float:
        """Instructions a request."""
        return sum(one.calls * one.fuel for one in self.callbacks)

    @property
    def figures(self) -> dict[str, float]:
        """By the names of budgets."""
        return {
            "module_size": self.module_size,
            "memory_per_vm": self.memory.per_vm,
            "memory_per_stream": self.memory.per_stream,
            "leak_slope": self.memory.leak_slope,
        }


def measure_memory(code: Code, plugin: Plugin, *, streams: int = STREAMS) -> Memory:
    """A VM's memory: configured, for each open request, and what stays of each that is over.

    Raises ``FilterRefused`` when the filter does not start or fails.
    """
    host = _started(code, plugin)
    memory = host.vm.memory
    per_vm = memory.size
    for _ in range(streams // 4):  # heaps grow to the size they need
        _whole(host)
    before = memory.size
    for _ in range(streams):
        _whole(host)
    leaked = memory.size - before
    before = memory.size
    still_open = [_request(host) for _ in range(streams // 4)]
    opened = memory.size - before
    for stream in still_open:
        stream.abandon()
    _check(host)
    return Memory(per_vm, opened / len(still_open), leaked / streams)


def measure_callbacks(code: Code, plugin: Plugin, *, streams: int = STREAMS) -> tuple[CallbackCost, ...]:
    """What each callback takes; raises ``FilterRefused`` when the filter does not start or fails."""
    host = _started(code, plugin)
    for _ in range(streams // 40):
        _whole(host)
    meter = _Meter(host)
    for _ in range(streams):
        _whole(host)
    _check(host)
    return meter.costs(streams)


class _Meter:
    """Looks at the clock and at the fuel around every call from outside."""

    def __init__(self, host: Host) -> None:
        self._vm = host.vm
        self._inside = False
        self._spent: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        host.vm.around_exports(self._metered)

    def _metered(self, name: str, function: Callable[..., int]) -> Callable[..., int]:
        spent, fuel_used, clock = self._spent[name], self._vm.fuel_used, time.perf_counter_ns

        def run(*arguments: int) -> int:
            if self._inside:  # the host asks for memory: that belongs to the callback
                return function(*arguments)
            self._inside = True
            fuel, started = fuel_used(), clock()
            try:
                return function(*arguments)
            finally:
                spent.append((clock() - started, fuel_used() - fuel))
                self._inside = False

        return run

    def costs(self, streams: int) -> tuple[CallbackCost, ...]:
        return tuple(
            CallbackCost(
                name,
                len(spent) / streams,
                median(nanoseconds for nanoseconds, _ in spent) / 1000,
                median(fuel for _, fuel in spent),
            )
            for name, spent in self._spent.items()
            if spent
        )


def _started(code: Code, plugin: Plugin) -> Host:
    return Host.start(code, plugin, world=World(tracing=False))


def _check(host: Host) -> None:
    if host.vm.failure is not None:
        raise FilterRefused("the filter failed while it was measured", detail=host.vm.failure)


def _request(host: Host) -> HttpStream:
    stream = host.stream()
    stream.request_headers(_REQUEST, end=False)
    if not stream.finished:
        stream.request_body(_BODY, end=True)
    host.settle()
    return stream


def _whole(host: Host) -> None:
    """A request and its response; what the world keeps of it to look at is dropped."""
    stream = _request(host)
    world = host.world
    for call in list(world.pending.values()):
        if call.kind == "http":
            host.reply(call, _OK, b"{}")
        else:
            host.grpc_answer(call, GrpcReply())
    if stream.upstream.ended and not stream.finished:
        stream.response_headers(_RESPONSE, end=False)
    if stream.upstream.ended and not stream.finished:
        stream.response_body(_BODY, end=True)
    host.settle()
    stream.abandon()
    host.advance(_NS_PER_STREAM)
    world.logs.clear()
    world.calls.clear()
    for records in world.metrics.records.values():
        records.clear()
    if host.vm.failure is not None:
        _check(host)
