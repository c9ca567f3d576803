"""Play cases on the test host, on several processors when there are enough of them.

A case takes a millisecond or two, almost all of it in Python, so threads would wait for one another; another
process takes a third of a second to begin. So a process is started for each few hundred cases, and none for
fewer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from weft.scenario import Case, Played
from weft.testhost import Code, Plugin, play
from weft.workflows.testing.lasting import with_lasting
from weft.workflows.testing.leaks import LeakSearch

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

    def load(self) -> LeakSearch:
        """What playing takes beside a case; from the cache where it was compiled before."""
        others = {name: Code.load(data, self.cache) for name, data in self.others.items()}
        return LeakSearch(Code.load(self.module, self.cache), self.defaults, others, self.allowed_leak)


def play_on_host(cases: Sequence[Case], job: HostJob, jobs: int) -> list[Played]:
    """How each case went, in order; ``jobs`` is how many processors may be used."""
    processes = min(jobs, len(cases) // _WORTH_A_PROCESS)
    loaded = job.load()  # also where others play: they find it compiled
    if processes <= 1:
        return [_played(case, loaded) for case in cases]
    return _spread(cases, job, processes)


def _spread(cases: Sequence[Case], job: HostJob, processes: int) -> list[Played]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Not forked: the engine has threads of its own.
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (job,)) as pool:
        return list(pool.map(_play, cases, chunksize=_AT_ONCE))


_loaded: LeakSearch


def _begin(job: HostJob) -> None:
    global _loaded  # noqa: PLW0603 - a process of a pool has no other place
    _loaded = job.load()


def _play(case: Case) -> Played:
    return _played(case, _loaded)


def _played(case: Case, search: LeakSearch) -> Played:
    return with_lasting(play(case, search.code, search.defaults, search.others), search)
