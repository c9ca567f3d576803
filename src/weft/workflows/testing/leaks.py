"""Find out which scenario leaves something behind each time it is played.

All that fit together are played over and over in one VM, in rounds of which each is as long as all before it,
or longer: an allocator may take a page of 64 KiB at a time, or double what it has. What grows in round after
round, when the heap has found its size, leaks; halves of the scenarios are tried until one is left. Less
than some twenty bytes a time is not noticed. Go's garbage collector lets the heap grow for a while before it
begins to work, so that much is no leak.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from weft.errors import FilterRefused
from weft.scenario import Case
from weft.testhost import Code, Left, Plugin, soak
from weft.workflows.testing.findings import Finding, Kind

if TYPE_CHECKING:
    from weft.fuzzing import Fails

__all__ = ["Leak", "LeakSearch"]

_WARM_UP, _ROUND = 1000, 3000
_ROUNDS = (1, 2, 4)
"""How long they are."""
_MOST_GROUPS = 3
_LARGE = 30_000
_PAGE = 1 << 16
_MUCH = 1 << 26
"""A VM that has so much already gets fewer turns: at a gigabyte it ends."""
_GO_GARBAGE = 8 << 20
"""Bytes: it collects for the first time when the heap has 4 MiB."""
_COUNTED = {"contexts", "shared_data", "queued", "metrics"}
"""What has found its size at once."""
_TITLES = {
    "memory": "the filter's memory grows by about {} bytes each time",
    "contexts": "about {} contexts more are there each time",
    "shared_data": "about {} keys of shared data more are there each time",
    "queued": "about {} items more are in queues each time",
    "metrics": "about {} metrics more are defined each time",
    "failure": "the filter fails after at most {} times",
}


@dataclass(frozen=True, slots=True)
class Leak:
    """What leaks, and the scenario that shows it; ``None`` where only several of them do."""

    what: str
    amount: float
    """How much or how many, each time."""
    case: Case | None = None
    failure: str | None = None

    @property
    def finding(self) -> Finding:
        """The same for people."""
        title = _TITLES[self.what].format(_about(self.amount))
        detail = tuple((self.failure or "").splitlines())
        return Finding(Kind.LEAK, title, (Kind.LEAK, self.what), detail)


@dataclass(slots=True)
class _Soaked:
    """What was seen of one VM."""

    often: int
    """Turns of a round."""
    warm_up: int
    """Turns before the first."""
    garbage: int
    """Bytes that may come together before they are collected."""
    seen: list[Left] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)

    def rounds(self) -> Iterator[int]:
        """How often to play; it ends where nothing grows."""
        yield from self._round(self.warm_up)
        often = self.often if self.seen[0].memory < _MUCH else min(self.often, _ROUND // 10)
        for times in _ROUNDS:
            yield from self._round(times * often)
            if self.seen[-1] == self.seen[-2]:
                return
        while self._may_be_garbage():
            yield from self._round(often)

    def _may_be_garbage(self) -> bool:
        before, now = self.seen[-2].memory, self.seen[-1].memory
        return before < now < self.seen[0].memory + self.garbage

    def _round(self, turns: int) -> Iterator[int]:
        self.turns.append(turns)
        yield turns

    def leaks(self) -> list[Leak]:
        last = self.seen[-1]
        if last.failure is not None:
            large = last.memory >= _MUCH
            if large:
                return [Leak("memory", last.memory / sum(self.turns), failure=last.failure)]
            return [Leak("failure", sum(self.turns), failure=last.failure)]
        if len(self.seen) <= len(_ROUNDS):
            return []
        found = []
        for what in Left.__dataclass_fields__:
            values = [getattr(left, what) or 0 for left in self.seen]
            if all(before < after for before, after in pairwise(values)):
                found.append(Leak(what, (values[-1] - values[1]) / sum(self.turns[2:])))
        return found


@dataclass(frozen=True, slots=True)
class LeakSearch:
    """How to play."""

    code: Code
    defaults: Plugin
    others: Mapping[str, Code] = field(default_factory=dict)
    """The modules of neighbors, by the names that cases have for them."""
    allowed: float = 0
    """Bytes of memory each time that nobody minds."""
    check: Callable[[], None] = lambda: None
    """Asked again and again; it raises what ends all of it."""

    def search(self, cases: Iterable[Case]) -> list[Leak]:
        """What leaks in the largest groups of cases that fit together."""
        groups: defaultdict[bytes, list[Case]] = defaultdict(list)
        for case in cases:
            if case.steps and _size(case) < _LARGE:
                groups[msgspec.json.encode((case.plugin, case.setup))].append(case)
        found: dict[str, Leak] = {}
        for group in sorted(groups.values(), key=len, reverse=True)[:_MOST_GROUPS]:
            for leak in self.leaks(group):
                if leak.what not in found or found[leak.what].case is None:
                    found[leak.what] = self._narrowed(group, leak)
        return list(found.values())

    def leaks(self, cases: Sequence[Case], often: int = _ROUND, warm_up: int = _WARM_UP) -> list[Leak]:
        """What grows in each round of so many turns."""
        languages = dict(self.code.module.producers.get("language", ()))
        soaked = _Soaked(often, warm_up, _GO_GARBAGE if "Go" in languages else 0)
        try:
            for left in soak(cases, self.code, self.defaults, soaked.rounds(), self.others, self.check):
                soaked.seen.append(left)
        except FilterRefused:
            return []
        return [leak for leak in soaked.leaks() if leak.what != "memory" or leak.amount > self.allowed]

    def fails_like(self, leak: Leak) -> "Fails":
        """Finds the first case that leaks the same."""
        often, early = _ROUND, 1 + round(3 * _PAGE / leak.amount)
        if leak.case is not None and self._same([leak.case], leak, early):
            often = early  # its memory grows by a page at a time

        def fails(cases: Sequence[Case]) -> Case | None:
            return next((case for case in cases if self._same([case], leak, often)), None)

        return fails

    def _same(self, cases: Sequence[Case], leak: Leak, often: int = _ROUND) -> Leak | None:
        """The same leak of other cases."""
        warm_up = _WARM_UP
        if leak.what in _COUNTED:
            warm_up = often = max(len(cases), 1 + round(3 / leak.amount))
        found = self.leaks(cases, min(often, _ROUND), warm_up)
        return next((one for one in found if one.what == leak.what), None)

    def _narrowed(self, cases: Sequence[Case], leak: Leak) -> Leak:
        while len(cases) > 1:
            middle = len(cases) // 2
            for part in (cases[:middle], cases[middle:]):
                if (same := self._same(part, leak)) is not None:
                    cases, leak = part, same
                    break
            else:
                return leak
        return replace(leak, case=cases[0])


def _about(amount: float) -> str:
    """Two digits of it: more are not known."""
    return f"{float(f'{amount:.2g}'):g}"


def _size(case: Case) -> int:
    return len(msgspec.json.encode(case.steps))
