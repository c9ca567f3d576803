"""The same work on many things, in processes of this machine that do not outlive who wants it done.

Not the library's pools: when Ctrl-C comes, or one of their processes is killed, they may wait for ever
(Python 3.11), or show the tracebacks of all. Here Ctrl-C is heard by this process alone, which kills the
others; and when this one is killed, they end.
"""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.resource_tracker import ensure_running
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from weft.base.interrupts import Interrupts, blocked
from weft.errors import WeftError

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

__all__ = ["spread"]

_Thing = TypeVar("_Thing")
_Made = TypeVar("_Made")


def spread(work: Callable[[_Thing], _Made], things: Sequence[_Thing], processes: int) -> list[_Made]:
    """``work`` done on each of ``things`` by so many processes, in their order.

    Everything must be fit for pickling. Raises what ``work`` raises, and ``WeftError`` when a process dies.
    """
    made: dict[int, _Made] = {}
    busy: dict[Connection, int] = {}
    try:
        with _started(work, processes) as idle:
            for number, thing in enumerate(things):
                place = idle.pop() if idle else _gathered(busy, made)
                place.send(thing)
                busy[place] = number
            while busy:
                _gathered(busy, made)
    except (EOFError, ConnectionError) as error:
        raise WeftError("a process of this run was killed", hint="-j 1 does all in one process") from error
    return [made[number] for number in range(len(things))]


def _gathered(busy: dict[Connection, int], made: dict[int, _Made]) -> Connection:
    """Wait for a thing that is done, and give the place that did it."""
    place = next(one for one in wait(list(busy)) if isinstance(one, Connection))
    failure, made[busy.pop(place)] = place.recv()
    if failure is not None:
        raise failure
    return place


@contextmanager
def _started(work: Callable[[Any], Any], processes: int) -> Iterator[list[Connection]]:
    """Processes that wait for things; killed at the end."""
    context = get_context("spawn")  # not forked: the engine has threads of its own
    places: list[Connection] = []
    running: list[SpawnProcess] = []
    interrupts = Interrupts()
    ensure_running()  # the first start would begin it, and unblock at its end what is blocked here
    try:
        for _ in range(processes):
            ours, theirs = context.Pipe()
            places.append(ours)
            process = context.Process(target=_serve, args=(theirs, work), daemon=True)
            # Half a start would leave a process that complains. What this thread does not hear, others do.
            with interrupts.deferred(), blocked(signal.SIGINT, signal.SIGTERM):
                process.start()
                running.append(process)
            theirs.close()
            interrupts.check()
        yield places[:]
    finally:
        for process in running:
            process.kill()
            process.join()
        for place in places:
            place.close()


def _serve(place: Connection, work: Callable[[Any], Any]) -> None:
    Thread(target=_end_with_our_parent, daemon=True).start()
    with suppress(EOFError, ConnectionError):  # nobody wants more
        while True:
            thing = place.recv()
            try:
                place.send((None, work(thing)))
            except Exception as error:  # noqa: BLE001 - raised again by who gave the work
                place.send((error, None))


def _end_with_our_parent() -> None:
    parent = parent_process()
    assert parent is not None  # noqa: S101 - it started us
    parent.join()
    os._exit(1)
