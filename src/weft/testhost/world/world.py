"""One proxy around its VMs: all of this package, together."""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from weft.testhost.abi import LEVELS
from weft.testhost.world.callout import Callout
from weft.testhost.world.clock import Clock
from weft.testhost.world.metrics import Metrics
from weft.testhost.world.shared import SharedData, SharedQueues

__all__ = ["LogLine", "World"]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line the filter logged; ``prefix`` is what Envoy writes before it."""

    level: str
    message: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"wasm log{self.prefix}: {self.message}"


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
