"""Play cases over and over in one VM, and look at what is left each time."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from types import MappingProxyType

from weft.scenario import Case
from weft.testhost.playing.player import chain_of, world_of
from weft.testhost.playing.probing import Prober
from weft.testhost.proxy import Chain
from weft.testhost.vm import Code, Plugin

__all__ = ["Left", "soak"]


@dataclass(frozen=True, slots=True)
class Left:
    """What is there when all streams are over."""

    memory: int
    """Bytes of the VMs."""
    contexts: int
    shared_data: int
    """Keys."""
    queued: int
    """Items in queues."""
    metrics: int
    """Numbers that were given to metrics."""
    failure: str | None = None
    """How the filter failed after some time."""


def soak(
    cases: Sequence[Case],
    code: Code,
    defaults: Plugin,
    rounds: Iterable[int],
    others: Mapping[str, Code] = MappingProxyType({}),
    before_each: Callable[[], None] = lambda: None,
) -> Iterator[Left]:
    """Play the cases in turn, so many of them each round; what is left after each round.

    All have the plugin and the setup of the first. It ends when a filter fails; raises ``FilterRefused``
    when one does not start, and what ``before_each`` raises.
    """
    world = world_of(cases[0])
    world.tracing = False
    chain = chain_of(cases[0], world, code, defaults, others)
    prober, turns = Prober(chain), cycle(cases)
    for count in rounds:
        for case in islice(turns, count):
            before_each()
            prober.repeat(case)
            world.logs.clear()
            for records in world.metrics.records.values():
                records.clear()
        yield _left(chain)
        if chain.failure is not None:
            return


def _left(chain: Chain) -> Left:
    vms, worlds = [host.vm for host in chain.hosts], [host.world for host in chain.hosts]
    return Left(
        memory=sum(vm.memory.size for vm in vms),
        contexts=sum(len(vm.contexts) for vm in vms),
        shared_data=len(chain.world.shared_data),
        queued=chain.world.queues.waiting,
        metrics=sum(world.metrics.defined for world in worlds),
        failure=chain.failure,
    )
