"""What lies outside of a VM and is shared by all that is in one proxy: time, logs, metrics, data, calls.

Nothing here happens by itself: time stands still until somebody moves it, a call is answered when somebody
answers it, and everything that was done can be looked at.
"""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from weft.testhost.abi import LEVELS, MetricType, Pairs, Status

__all__ = ["Callout", "Clock", "LogLine", "Metrics", "SharedData", "SharedQueues", "World"]

_CAS_START = 1
_U64 = (1 << 64) - 1


@dataclass(slots=True)
class Clock:
    """Nanoseconds that pass only when somebody says so."""

    now: int = 1_767_225_600_000_000_000  # the first second of 2026
    started: int = 0

    def __post_init__(self) -> None:
        self.started = self.now

    @property
    def monotonic(self) -> int:
        """Since a second before the proxy started: Go's runtime refuses to start at zero."""
        return self.now - self.started + 1_000_000_000


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line the filter logged; ``prefix`` is what Envoy writes before it."""

    level: str
    message: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"wasm log{self.prefix}: {self.message}"


@dataclass(slots=True)
class Callout:
    """One HTTP or gRPC call a filter asked for."""

    number: int
    cluster: str
    headers: Pairs
    body: bytes
    trailers: Pairs
    timeout_ms: int
    context: int
    made_at: int
    kind: str = "http"
    """``http``, ``grpc`` or ``grpc-stream``."""
    service: str = ""
    """Of gRPC, as all that follows; the headers are the metadata it was given."""
    method: str = ""
    sent: list[bytes] = field(default_factory=list)
    """The messages."""
    ended_at: int | None = None
    """When the filter's side ended."""
    closed: bool = False
    """Whether the filter closed a stream; to send a last message is not to close it."""
    reset: bool = False
    """Whether it was broken off on the filter's side."""
    begun: bool = False
    """Whether the answer began."""
    answer: bytes | None = None
    """Its last message."""

    def end(self, now: int) -> None:
        """The filter has no more to say."""
        self.ended_at = now if self.ended_at is None else self.ended_at

    @property
    def due(self) -> int | None:
        """When it times out; never, where it has no timeout."""
        return self.made_at + self.timeout_ms * 1_000_000 if self.timeout_ms else None


class SharedData:
    """Values by key, each with a number that changes when it does."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, bytes], tuple[bytes, int]] = {}
        self._cas = _CAS_START

    def __len__(self) -> int:
        return len(self._values)

    def get(self, vm_id: str, key: bytes) -> tuple[bytes, int] | None:
        """The value and its number."""
        return self._values.get((vm_id, key))

    def set(self, vm_id: str, key: bytes, value: bytes, cas: int) -> Status:
        """Store, unless ``cas`` names another version than there is; 0 names any."""
        held = self._values.get((vm_id, key))
        if held is not None and cas and cas != held[1]:
            return Status.CAS_MISMATCH
        self._values[vm_id, key] = value, self._cas
        self._cas += 1
        return Status.OK

    def document(self) -> Mapping[str, bytes]:
        """Key → value, of all VMs."""
        return {key.decode("utf-8", "replace"): value for (_, key), (value, _) in self._values.items()}


@dataclass(slots=True)
class _Queue:
    owner: Callable[[int], None]
    items: deque[bytes] = field(default_factory=deque)


class SharedQueues:
    """Queues that any VM may fill and whose owner is told."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, bytes], int] = {}
        self._queues: dict[int, _Queue] = {}

    def register(self, vm_id: str, name: bytes, owner: Callable[[int], None]) -> int:
        """The queue's number; the last to register it owns it, what is in it stays."""
        number = self._numbers.setdefault((vm_id, name), len(self._numbers) + 1)
        if number in self._queues:
            self._queues[number].owner = owner
        else:
            self._queues[number] = _Queue(owner)
        return number

    def resolve(self, vm_id: str, name: bytes) -> int | None:
        """The number of a queue somebody registered."""
        return self._numbers.get((vm_id, name))

    def enqueue(self, number: int, data: bytes) -> Callable[[int], None] | None:
        """Add at the end; gives whom to tell, or ``None`` where there is no such queue."""
        queue = self._queues.get(number)
        if queue is None:
            return None
        queue.items.append(data)
        return queue.owner

    @property
    def waiting(self) -> int:
        """How many items nobody took yet."""
        return sum(len(queue.items) for queue in self._queues.values())

    def dequeue(self, number: int) -> bytes | Status:
        """Take the first, or say why not."""
        queue = self._queues.get(number)
        if queue is None:
            return Status.NOT_FOUND
        return queue.items.popleft() if queue.items else Status.EMPTY


class Metrics:
    """Metrics by number: the lowest two bits say which type, as in Envoy."""

    def __init__(self) -> None:
        self._next = [int(kind) for kind in MetricType]
        self._names: dict[int, tuple[MetricType, str]] = {}
        self.values: dict[tuple[MetricType, str], int] = {}
        self.records: dict[str, list[int]] = {}
        """What each histogram was given."""

    def for_another_vm(self) -> "Metrics":
        """The same metrics under numbers of their own."""
        made = Metrics()
        made.values, made.records = self.values, self.records
        return made

    def define(self, kind: int, name: str) -> int | None:
        """A new number for a new or a known metric; ``None`` for a type that is none."""
        if kind > MetricType.HISTOGRAM:
            return None
        type_ = MetricType(kind)
        self._next[type_] += 4
        number = self._next[type_]
        self._names[number] = type_, name
        if type_ is MetricType.HISTOGRAM:
            self.records.setdefault(name, [])
        else:
            self.values.setdefault((type_, name), 0)
        return number

    @property
    def defined(self) -> int:
        """How many numbers were given."""
        return len(self._names)

    def increment(self, number: int, offset: int) -> Status:
        """Add to a counter, upwards only, or to a gauge."""
        if number & 3 not in {MetricType.COUNTER, MetricType.GAUGE}:
            return Status.BAD_ARGUMENT
        known = self._names.get(number)
        if known is None:
            return Status.NOT_FOUND
        if known[0] is MetricType.COUNTER and offset <= 0:
            return Status.BAD_ARGUMENT
        self.values[known] = (self.values[known] + offset) & _U64
        return Status.OK

    def record(self, number: int, value: int) -> Status:
        """Set a gauge, add to a counter, give a histogram one more value."""
        known = self._names.get(number)
        if known is None:
            return Status.NOT_FOUND
        kind, name = known
        if kind is MetricType.HISTOGRAM:
            self.records[name].append(value)
        elif kind is MetricType.GAUGE:
            self.values[known] = value
        else:
            self.values[known] = (self.values[known] + value) & _U64
        return Status.OK

    def get(self, number: int) -> int | Status:
        """The value of a counter or gauge."""
        if number & 3 not in {MetricType.COUNTER, MetricType.GAUGE}:
            return Status.BAD_ARGUMENT
        known = self._names.get(number)
        return Status.NOT_FOUND if known is None else self.values[known]

    def document(self) -> dict[str, int | list[int]]:
        """Name → value, or for a histogram all values."""
        single: dict[str, int | list[int]] = {name: value for (_, name), value in self.values.items()}
        return single | {name: list(values) for name, values in self.records.items()}


@dataclass(slots=True)
class World:
    """One proxy around its VMs."""

    clock: Clock = field(default_factory=Clock)
    clusters: frozenset[str] | None = None
    """Which clusters exist; all, where nobody said."""
    properties: Mapping[str, object] = field(default_factory=dict)
    """Dotted path → text, bytes, whole number, truth or mapping."""
    log_level: str = "info"
    """What the filter hears when it asks; all lines are kept."""
    tracing: bool = True
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - the same every run
    logs: list[LogLine] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)
    shared_data: SharedData = field(default_factory=SharedData)
    queues: SharedQueues = field(default_factory=SharedQueues)
    pending: dict[int, Callout] = field(default_factory=dict)
    """Calls nobody answered yet, by their number."""
    held: dict[int, Callout] = field(default_factory=dict)
    """gRPC calls and streams that a filter can name, by their number."""
    calls: list[Callout] = field(default_factory=list)
    """All calls ever made."""
    soon: deque[Callable[[], None]] = field(default_factory=deque)
    """What happens as soon as no guest is running."""

    def for_another_vm(self) -> "World":
        """The same proxy, for one more VM: numbers of calls and metrics are each VM's own."""
        return replace(self, pending={}, held={}, metrics=self.metrics.for_another_vm())

    def log(self, level: int, message: str, prefix: str) -> None:
        """Keep a line of a filter, and show it in the trace where Envoy would."""
        line = LogLine(LEVELS[level], message, prefix)
        self.logs.append(line)
        if self.tracing:
            self.trace.append(str(line))
