"""Find out what a filter makes of steps that nobody watched: which can be done, and how they end.

The rules: a step that cannot happen is passed over, so any steps make a case that can be played again. After
the last one everything the filter waits for comes about: its calls time out, its timer ticks. What it still
holds then it holds for good, unless a timer goes on. At last the clients go away.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from types import MappingProxyType

import msgspec

from weft.errors import FilterRefused
from weft.scenario import Case, Data, Impossible, Mismatch, Played, Reply, Step, StepResult
from weft.testhost.engine import Limits
from weft.testhost.playing.player import Player, chain_of, not_started, world_of
from weft.testhost.proxy import Chain
from weft.testhost.vm import Code, Plugin

__all__ = ["Probed", "Prober", "probe"]

_MOST_CALLS = 20
_TICKS = 3


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of a case."""

    case: Case
    """The steps that could be done, up to a failure; with what came about later where that made it fail."""
    played: Played
    held: tuple[str, ...] = ()
    """What came whole and will never go on: ``request of main``."""


def probe(
    case: Case,
    code: Code,
    defaults: Plugin,
    others: Mapping[str, Code] = MappingProxyType({}),
    limits: Limits | None = None,
) -> Probed:
    """Play a case whatever happens; what it expects is not judged. See ``play``."""
    world = world_of(case)
    try:
        chain = chain_of(case, world, code, defaults, others, limits)
    except FilterRefused as refused:
        bare = replace(case, steps=(), expect=None)
        return Probed(bare, Played(bare, (not_started(bare, world, refused),)))
    return Prober(chain).probe(case)


class Prober:
    """Started filters that anything can be tried on."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._player = Player(chain)
        self._done: list[Step] = []
        self._results: list[StepResult] = []

    def probe(self, case: Case) -> Probed:
        """See ``probe``."""
        self._results.append(self._player.begin())
        self._take(case.steps)
        done, held = len(self._done), tuple[str, ...]()
        if not self._over:
            self._take(self.consequences())
            held = tuple(self._held())
            self._take(self.partings())
        if not self._over:
            self._done, self._results = self._done[:done], self._results[: done + 1]
        made = replace(case, steps=tuple(self._done), expect=None)
        return Probed(made, Played(made, tuple(self._results)), () if self._over else held)

    def repeat(self, case: Case) -> None:
        """Do the steps of a case and all that follows, and forget them."""
        for step in chain(case.steps, self.consequences()):
            if self._chain.failure is None:
                with suppress(Impossible):
                    self._player.act(step)
        self._player.hang_up()

    def consequences(self) -> Iterator[Step]:
        """What the filter waits for, each as it is when it is its turn."""
        for _ in range(_MOST_CALLS):
            call = self._player.callouts.awaited
            if call is None:
                break
            timed = call.due is not None
            yield Step(reply=Reply(timeout=timed, failed=not timed))
        for _ in range(_TICKS):
            if self._chain.next_tick() is not None:
                yield Step(tick=1)

    def partings(self) -> Iterator[Step]:
        """The clients that are still there go away."""
        for name, stream in list(self._player.streams.items()):
            if not stream.finished:
                yield Step(stream=name, disconnect=True)
        for name, connection in list(self._player.connections.items()):
            if not connection.closed:
                yield Step(stream=name, disconnect=True)
            if not connection.closed:
                yield Step(stream=name, upstream_data=Data(reset=True))

    @property
    def _over(self) -> bool:
        return bool(self._results[-1].mismatches)

    def _take(self, steps: Iterable[Step]) -> None:
        """Do them until the filter fails."""
        for step in steps:
            number, bare = len(self._done) + 1, msgspec.structs.replace(step, expect=None)
            try:
                result = self._player.take(number, bare)
            except Impossible:
                continue
            except FilterRefused as endless:
                found = Mismatch("crash", "the filter lives", str(endless))
                result = StepResult(number, (found,), ())
            self._done.append(bare)
            self._results.append(result)
            if result.mismatches:
                return

    def _held(self) -> Iterator[str]:
        if self._chain.next_tick() is not None or self._player.callouts.awaited is not None:
            return
        for name, stream in self._player.streams.items():
            if not stream.finished:
                yield from (f"{side} of {name}" for side in stream.held)
