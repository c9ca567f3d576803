"""Play cases on the test host, on several processors when there are enough of them.

A case takes a millisecond or two, almost all of it in Python, so threads would wait for one another; another
process takes a third of a second to begin. So a process is started for each few hundred cases, and none for
fewer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from weft.base.interrupts import Interrupts
from weft.scenario import Case, Played
from weft.testhost import Code, Plugin, play
from weft.workflows.testing.lasting import with_lasting
from weft.workflows.testing.leaks import LeakSearch
from weft.workflows.testing.spreading import spread

__all__ = ["HostJob", "play_on_host"]

_WORTH_A_PROCESS = 300
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class HostJob:
    """What all cases have in common."""

    module: bytes
    cache: Path
    defaults: Plugin
    others: Mapping[str, bytes] = field(default_factory=dict)
    """The modules of neighbors, by the names that cases have for them."""
    allowed_leak: float = 0
    """Bytes that may be left behind each time."""

    def load(self, check: Callable[[], None]) -> LeakSearch:
        """What playing takes beside a case; from the cache where it was compiled before.

        ``check`` raises what ends the playing.
        """
        others = {name: Code.load(data, self.cache) for name, data in self.others.items()}
        code = Code.load(self.module, self.cache)
        return LeakSearch(code, self.defaults, others, self.allowed_leak, check)


def play_on_host(cases: Sequence[Case], job: HostJob, jobs: int) -> list[Played]:
    """How each case went, in order; ``jobs`` is how many processors may be used."""
    processes = min(jobs, len(cases) // _WORTH_A_PROCESS)
    interrupts = Interrupts()
    search = job.load(interrupts.check)  # also where others play: they find it compiled
    if processes > 1:
        parts = [cases[start : start + _AT_ONCE] for start in range(0, len(cases), _AT_ONCE)]
        return list(chain.from_iterable(spread(_Player(job), parts, processes)))
    with interrupts.deferred():
        results = _played(cases, search)
    interrupts.check()
    return results


class _Player:
    """Plays in another process, where nothing is loaded before cases come and nobody asks to end."""

    def __init__(self, job: HostJob) -> None:
        self._job = job
        self._search: LeakSearch | None = None

    def __call__(self, cases: Sequence[Case]) -> list[Played]:
        self._search = self._search or self._job.load(_go_on)
        return _played(cases, self._search)


def _go_on() -> None:
    """Where nobody asks to end."""


def _played(cases: Sequence[Case], search: LeakSearch) -> list[Played]:
    results = []
    for case in cases:
        search.check()
        results.append(with_lasting(play(case, search.code, search.defaults, search.others), search))
    return results
