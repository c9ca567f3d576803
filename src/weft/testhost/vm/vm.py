"""One VM: a running module, its contexts, and the border between the two sides.

Everything Envoy does around a call is done here: which context is current, what may be called while the
module starts or allocates, the lines of the trace, what is put off until the guest has returned, and that a
VM that failed once is never entered again.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from weft.errors import FilterRefused
from weft.symbols import Symbols, frame_lines
from weft.testhost.abi import Status, found_in
from weft.testhost.engine import Import, Limits, Machine, Program, Site, Trapped, compile_module
from weft.testhost.vm.contexts import Context
from weft.testhost.vm.hostcall import Hostcall
from weft.testhost.vm.plugin import Plugin
from weft.testhost.world import World
from weft.wasm import (
    ALLOCATORS,
    CALLBACKS,
    ENTRY_POINTS,
    Callback,
    Kind,
    Module,
    describe,
    loadability,
    read_module,
)

__all__ = ["NS_PER_MS", "Code", "Timer", "Vm"]

NS_PER_MS = 1_000_000

_Kind = TypeVar("_Kind", bound=Context)

Offered = Callable[[str], Mapping[tuple[str, str], Hostcall]]
"""ABI version → (module, name) → what a module may import."""

_MAY_ALLOCATE = frozenset(
    {"emscripten_notify_memory_growth", "proxy_log", "fd_write", "clock_time_get", "poll_oneoff"}
)
_NOT_AT_START = frozenset(
    {"fd_read", "fd_seek", "fd_close", "path_open", "proc_exit", "sched_yield", "pthread_equal"}
)


@dataclass(frozen=True, slots=True)
class Code:
    """A module that Envoy would load, compiled. Any number of VMs can run it."""

    program: Program
    module: Module
    abi: str
    symbols: Symbols

    @classmethod
    def load(cls, data: bytes, cache: Path | None = None) -> "Code":
        """Read, check and compile, or take what an earlier run compiled from ``cache``.

        Raises ``ModuleInvalid``, and ``FilterRefused`` with the first reason why Envoy would not load it.
        """
        module = read_module(data, what="the module")
        for problem in loadability(module):
            if problem.effect != "warning":
                raise FilterRefused(problem.message, hint=problem.hint, detail=problem.envoy)
        abi = describe(module).abi_version or ""
        return cls(compile_module(data, cache), module, abi, Symbols(data, module))


@dataclass(slots=True)
class Timer:
    """When a root context is next told that time passed."""

    root: Context
    period_ms: int
    due: int


class Vm:
    """A module at work. Not for several threads."""

    def __init__(self, code: Code, plugin: Plugin, world: World, limits: Limits, offered: Offered) -> None:
        """Link what is ``offered`` for the module's ABI, instantiate, start.

        Raises ``FilterRefused`` when the module cannot be started.
        """
        self.plugin = plugin
        self.world = world
        self.module = code.module
        self.abi = code.abi
        self._symbols = code.symbols
        self.failure: str | None = None
        """What Envoy logs when the guest failed; then nothing calls it any more."""
        self.stop_iteration = False
        self.contexts: dict[int, Context] = {}
        self.timers: dict[int, Timer] = {}
        self.waiting: set[int] = set()
        """Root contexts that asked for time before they go."""
        self.vm_context = Context(0)
        self.context = self.vm_context
        """What host functions act on: the context that was called, or the one the guest chose."""
        self._called = self.vm_context
        self._next_id = 1
        self._next_call = {"http": 0, "grpc": 1, "grpc-stream": 2}
        self._afterwards: deque[Callable[[], None]] = deque()
        self._exports: dict[str, Callable[..., int]] = {}
        self.has: Callable[[str], bool] = self._exports.__contains__
        """Whether the module has a callback of that name."""
        self._machine = Machine(code.program, limits, world.trace if world.tracing else None)
        self.refuel = self._machine.refuel
        """Grant the guest another share of instructions; for everything that comes from outside."""
        self._budget = limits.host
        self.memory = self._machine.memory
        self.read, self.text = self.memory.read, self.memory.text
        self._enter(offered(self.abi))

    # -- the border, from outside in

    def call(
        self, context: Context, name: str, a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0
    ) -> int:
        """Call an export, then do what the guest put off; 0 where there is none, or where the guest failed.

        It takes as many numbers as it has parameters. Afterwards ``stop_iteration`` is what it asked for.
        """
        function = self._exports.get(name)
        if function is None or self.failure is not None:
            return 0
        self._called = self.context = context
        self.stop_iteration = False
        self.memory.budget = self._budget
        try:
            result = function(a, b, c, d, e)
        except Trapped as trap:
            self._fail(name, trap)
            result = 0
        if self._afterwards:
            self._settle()
        return result

    def _settle(self) -> None:
        stop = self.stop_iteration
        while self._afterwards:
            self._afterwards.popleft()()
        self.stop_iteration = stop

    def around_exports(self, wrap: Callable[[str, Callable[..., int]], Callable[..., int]]) -> None:
        """Put something around every call of an export from now on, such as a clock."""
        self._exports.update({name: wrap(name, function) for name, function in self._exports.items()})

    def fuel_used(self) -> int:
        """Instructions since the last refuel."""
        return self._machine.fuel_used()

    def new_context(self, kind: type[_Kind], parent: Context | None = None, prefix: str = "") -> _Kind:
        """A context with the next free number; the guest is not told yet."""
        number = self._next_id
        self._next_id = number + 1
        context = self.contexts[number] = kind(number, parent, prefix)
        return context

    # -- the border, from inside out

    def choose_context(self, number: int) -> Status:
        """Act on another context until the guest returns."""
        chosen = self.contexts.get(number) if number else self._called
        if chosen is None:
            return Status.BAD_ARGUMENT
        self.context = chosen
        return Status.OK

    def afterwards(self, action: Callable[[], None]) -> None:
        """Do something when the guest has returned."""
        self._afterwards.append(action)

    def next_call_number(self, kind: str) -> int:
        """The lowest two bits of a call's number say what it is, as in Envoy."""
        self._next_call[kind] += 4
        return self._next_call[kind]

    def hand_over(self, data: bytes, return_data: int, return_size: int) -> Status:
        """Let the guest allocate, fill it, and write where and how much; nothing is allocated for nothing."""
        address = 0
        if data:
            address = self.allocate(len(data))
            if not address:
                self.memory.budget -= len(data)  # it was made in vain
                return Status.INVALID_MEMORY_ACCESS
            self.memory.write(address, data)
        self.memory.write_u32(return_data, address)
        self.memory.write_u32(return_size, len(data))
        return Status.OK

    def allocate(self, size: int) -> int:
        """Memory of the guest; 0 when it gives none, fails over it, or has failed before."""
        if self.failure is not None:
            return 0
        machine = self._machine
        before = self._called, self.context, machine.closed
        self._called = self.context = self.vm_context
        machine.closed = self._closed_to_allocators
        try:
            return self._exports[self._allocator](size)
        except Trapped as trap:
            self._fail(self._allocator, trap)
            return 0
        finally:
            self._called, self.context, machine.closed = before

    # -- what a host function needs beyond its context

    def property(self, path: tuple[str, ...]) -> object:
        """What the proxy knows under a path; what the filter itself set goes last, as in Envoy."""
        context = self.context
        own = {"plugin_name": self.plugin.name, "plugin_root_id": self.plugin.root_id}
        own["plugin_vm_id"] = self.plugin.vm_id
        if len(path) == 1 and path[0] in own:
            return own[path[0]]
        told = found_in(self.world.properties, path)
        if told is None and context.peer is not None:
            told = context.peer.property(path)
        return context.state.get(path[0]) if told is None else told

    def set_timer(self, root: Context, period_ms: int) -> None:
        """Tick a root context from now on; 0 stops it."""
        if period_ms:
            self.timers[root.id] = Timer(root, period_ms, self.world.clock.now + period_ms * NS_PER_MS)
        else:
            self.timers.pop(root.id, None)

    def queue_ready(self, root: Context, queue: int) -> None:
        """Tell a root context that something was put into its queue.

        It shares the budget of the callback before: otherwise two could feed each other for ever.
        """
        whole, self._budget = self._budget, max(self.memory.budget, 0)
        self.call(root, "proxy_on_queue_ready", root.id, queue)
        self._budget = whole

    def done(self, context: Context) -> Status:
        """A root that was not done when asked is done now, and goes when the guest has returned."""
        root = context.root
        if root.id not in self.waiting:
            return Status.NOT_FOUND
        self.waiting.discard(root.id)
        self.afterwards(lambda: self.delete(root))
        return Status.OK

    def delete(self, context: Context) -> None:
        """Tell the guest to forget a context, and forget it."""
        number = context.id
        if context.created:
            self.call(context, "proxy_on_delete", number)
        self.contexts.pop(number, None)
        if self.timers:
            self.timers.pop(number, None)

    # -- starting

    def _enter(self, table: Mapping[tuple[str, str], Hostcall]) -> None:
        wanted = {(item.module, item.name) for item in self.module.imports if item.kind is Kind.FUNC}
        imports = [self._import(call) for key, call in table.items() if key in wanted]
        names = frozenset(item.name for item in imports)
        self._closed_to_allocators = names - _MAY_ALLOCATE
        self._machine.closed = {name for name in names if _closed_at_start(name)}
        try:
            self._machine.instantiate(imports)
        except Trapped as trap:
            raise FilterRefused("Failed to create new Wasm instance", detail=trap.words) from trap
        self._find_exports()
        if self._entry:
            for row in ENTRY_POINTS[self._entry]:
                self.call(self.vm_context, row.name)
                if row.name == "main" and self.has("main"):
                    break
        self._machine.closed = frozenset()

    def _find_exports(self) -> None:
        described = describe(self.module)
        self._entry = described.entry_point
        self._allocator = described.allocators[0]
        rows: list[Callback] = [row for row in CALLBACKS if self.abi in row.abis]
        rows += ALLOCATORS
        rows += ENTRY_POINTS.get(self._entry or "", ())
        exported = self.module.exported(Kind.FUNC)
        for row in rows:
            if row.name in exported:
                self._exports[row.name] = self._machine.function(row.name, row.signature)

    def _import(self, call: Hostcall) -> Import:
        row = call.row
        return Import(row.module, row.name, row.signature, partial(call.body, self), call.bad_address)

    def _frame(self, depth: int, site: Site) -> list[str]:
        """A call as Envoy shows it; for one that found no more stack V8 names the start of its function."""
        offset = self._symbols.offset_of(site.function) if site.offset is None else site.offset
        known = self._symbols.at(offset) or [f"unknown(function index:{site.function})"]
        return frame_lines(f"{depth:3}:  {offset:#x} ", known)

    def _fail(self, name: str, trap: Trapped) -> None:
        lines = [f"Function: {name} failed: {trap.words}"]
        if self._symbols.exist:
            lines.append("Proxy-Wasm plugin in-VM backtrace:")
            for depth, site in enumerate(trap.sites):
                lines += self._frame(depth, site)
        self.failure = self.failure or "\n".join(lines)
        if self.world.tracing:
            self.world.trace.extend(lines)


def _closed_at_start(name: str) -> bool:
    return name in _NOT_AT_START or (name.startswith("proxy_") and name != "proxy_log")
