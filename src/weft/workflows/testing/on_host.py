"""Play cases on the test host, on several processors when there are enough of them.

A case takes a millisecond or two, almost all of it in Python, so threads would wait for one another; another
process takes a third of a second to begin. So a process is started for each few hundred cases, and none for
fewer.
"""

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from weft.base.interrupts import Interrupts
from weft.scenario import Case, Played
from weft.testhost import Code, Plugin, play
from weft.workflows.testing.lasting import with_lasting
from weft.workflows.testing.leaks import LeakSearch

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

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
        return _spread(cases, job, processes, interrupts)
    with interrupts.deferred():
        results = _played(cases, search)
    interrupts.check()
    return results


def _spread(cases: Sequence[Case], job: HostJob, processes: int, interrupts: Interrupts) -> list[Played]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    context = get_context("spawn")  # not forked: the engine has threads of its own
    stop = context.Event()
    parts = [cases[start : start + _AT_ONCE] for start in range(0, len(cases), _AT_ONCE)]
    with ProcessPoolExecutor(processes, context, _begin, (job, stop)) as pool:
        try:
            # Half a start would leave a child that complains. What this thread does not hear, others do.
            with interrupts.deferred(), _deaf_children():
                futures = [pool.submit(_play, part) for part in parts]
            interrupts.check()
            return [played for future in futures for played in future.result()]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes that are started here hear no Ctrl-C: a terminal tells all of them, and one is to answer."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_search: LeakSearch


def _begin(job: HostJob, stop: "Event") -> None:
    global _search  # noqa: PLW0603 - a process of a pool has no other place

    def check() -> None:
        if stop.is_set():
            raise KeyboardInterrupt

    _search = job.load(check)


def _play(cases: Sequence[Case]) -> list[Played]:
    return _played(cases, _search)


def _played(cases: Sequence[Case], search: LeakSearch) -> list[Played]:
    results = []
    for case in cases:
        search.check()
        results.append(with_lasting(play(case, search.code, search.defaults, search.others), search))
    return results
