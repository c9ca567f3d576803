"""A work queue: each key once, one worker at a time, and those that failed later and later."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from weft.base.retry import Patience
from weft.kube import WorkQueue
from worlds.clock import until


class Loop(asyncio.SelectorEventLoop):
    """A loop whose time passes when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def turn(self) -> None:
        """Do what can be done now."""
        for _ in range(3):
            self.call_soon(self.stop)
            self.run_forever()

    def passes(self, seconds: float) -> None:
        """Time goes on, by the moments at which something is due."""
        end = self.now + seconds
        while due := [timer.when() for timer in self._scheduled if not timer.cancelled()]:  # type: ignore[attr-defined]
            if min(due) > end:
                break
            self.now = max(self.now, min(due))
            self.turn()
        self.now = end
        self.turn()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def queue_in(loop: Loop) -> WorkQueue[str]:
    async def make() -> WorkQueue[str]:
        return WorkQueue(chance=lambda: 1.0)

    return loop.run_until_complete(make())


class Worker:
    """Takes everything there is, one at a time, and keeps it."""

    def __init__(self, loop: Loop, queue: WorkQueue[str]) -> None:
        self.loop, self.queue = loop, queue

    def takes(self) -> list[str]:
        """What can be had now."""
        got = []
        while len(self.queue):
            got.append(self.loop.run_until_complete(self.queue.take()))
        return got

    def call(self, name: str, *args: Any) -> Any:
        async def call() -> Any:
            return getattr(self.queue, name)(*args)

        return self.loop.run_until_complete(call())


@pytest.fixture
def worker(loop: Loop) -> Worker:
    return Worker(loop, queue_in(loop))


def test_a_key_added_twice_is_one_and_order_is_kept(worker: Worker) -> None:
    for key in "abacb":
        worker.call("add", key)
    assert worker.takes() == ["a", "b", "c"]


def test_a_key_added_while_it_is_worked_on_comes_once_more_afterwards(worker: Worker) -> None:
    worker.call("add", "a")
    assert worker.takes() == ["a"]
    worker.call("add", "a")
    worker.call("add", "a")
    assert worker.takes() == []
    worker.call("done", "a")
    assert worker.takes() == ["a"]
    worker.call("done", "a")
    assert worker.takes() == []
    assert worker.queue.idle


def test_failures_come_back_later_and_later_until_one_is_done(worker: Worker, loop: Loop) -> None:
    waits = []
    worker.call("add", "a")
    for _ in range(11):
        assert worker.takes() == ["a"]
        waits.append(worker.call("failed", "a"))
        loop.passes(waits[-1] - 0.01)
        assert worker.takes() == []
        loop.passes(0.02)
    assert waits == [0.5, 1, 2, 4, 8, 16, 32, 64, 120, 120, 120]
    assert worker.takes() == ["a"]
    worker.call("done", "a")
    worker.call("add", "a")
    assert worker.takes() == ["a"]
    assert worker.call("failed", "a") == 0.5


def test_a_failure_waits_at_least_as_long_as_it_was_asked_to(worker: Worker) -> None:
    worker.call("add", "a")
    worker.takes()
    assert worker.call("failed", "a", 30.0) == 30.0


def test_chance_spreads_failures(loop: Loop) -> None:
    async def waits() -> list[float]:
        chances = iter((0.0, 0.5, 1.0))
        queue: WorkQueue[str] = WorkQueue(Patience(first=1.0, tries=9), chance=lambda: next(chances))
        return [queue.failed(key) for key in "abc"]

    assert loop.run_until_complete(waits()) == [0.5, 0.75, 1.0]


def test_a_failed_key_that_was_added_meanwhile_comes_at_once(worker: Worker) -> None:
    worker.call("add", "a")
    worker.takes()
    worker.call("add", "a")
    worker.call("failed", "a")
    assert worker.takes() == ["a"]
    worker.call("done", "a")
    assert worker.queue.idle


def test_of_two_times_the_sooner_counts(worker: Worker, loop: Loop) -> None:
    for seconds in (10.0, 5.0, 20.0):
        worker.call("add_later", "a", seconds)
    assert not worker.queue.idle
    loop.passes(4.9)
    assert worker.takes() == []
    loop.passes(0.2)
    assert worker.takes() == ["a"]
    worker.call("done", "a")
    loop.passes(100)
    assert worker.queue.idle


def test_a_key_that_is_added_now_does_not_come_later_too(worker: Worker, loop: Loop) -> None:
    worker.call("add_later", "a", 5.0)
    worker.call("add", "a")
    worker.call("add_later", "a", 1.0)
    assert worker.takes() == ["a"]
    worker.call("done", "a")
    loop.passes(100)
    assert worker.queue.idle


async def test_each_of_many_workers_gets_another_key() -> None:
    queue: WorkQueue[int] = WorkQueue()
    taken: list[int] = []

    async def work() -> None:
        while True:
            key = await queue.take()
            taken.append(key)
            await asyncio.sleep(0)
            queue.done(key)

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        workers = [tasks.create_task(work()) for _ in range(16)]
        await asyncio.sleep(0)
        for key in range(100):
            queue.add(key)
        await until(lambda: queue.idle)
        for one in workers:
            one.cancel()
    assert sorted(taken) == list(range(100))


async def test_a_worker_that_is_cancelled_while_it_waits_takes_nothing_along() -> None:
    queue: WorkQueue[str] = WorkQueue()
    waiting = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    queue.add("a")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await asyncio.wait_for(queue.take(), 5) == "a"


class Machine(RuleBasedStateMachine):
    """Whatever happens: no key is worked on twice at once, and none is forgotten."""

    keys = st.sampled_from("abc")

    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop()
        self.worker = Worker(self.loop, queue_in(self.loop))
        self.working: list[str] = []
        self.owed: set[str] = set()
        """Added, and not taken since."""
        self.later: set[str] = set()

    def teardown(self) -> None:
        self.drain()
        self.loop.close()

    @rule(key=keys)
    def add(self, key: str) -> None:
        self.worker.call("add", key)
        self.owed.add(key)

    @rule(key=keys, seconds=st.sampled_from([0.1, 1.0, 300.0]))
    def add_later(self, key: str, seconds: float) -> None:
        self.worker.call("add_later", key, seconds)
        self.later.add(key)

    @precondition(lambda self: len(self.worker.queue) > 0)
    @rule()
    def take(self) -> None:
        key = self.loop.run_until_complete(self.worker.queue.take())
        assert key not in self.working
        assert key in self.owed | self.later
        self.working.append(key)
        self.owed.discard(key)

    @precondition(lambda self: self.working)
    @rule()
    def done(self) -> None:
        self.worker.call("done", self.working.pop(0))

    @precondition(lambda self: self.working)
    @rule()
    def failed(self) -> None:
        key = self.working.pop(0)
        self.worker.call("failed", key)
        self.later.add(key)

    @rule(seconds=st.sampled_from([0.05, 0.5, 200.0]))
    def passes(self, seconds: float) -> None:
        self.loop.passes(seconds)

    @invariant()
    def what_is_owed_can_be_taken_or_is_worked_on(self) -> None:
        queue = self.worker.queue
        assert len(queue) >= len(self.owed - set(self.working))
        assert queue.idle is not bool(self.working or len(queue) or queue._later)

    def drain(self) -> None:
        """Everything comes in the end, and then there is nothing."""
        taken: set[str] = set()
        for _ in range(3):
            while self.working:
                self.done()
            self.loop.passes(301)
            while len(self.worker.queue):
                key = self.loop.run_until_complete(self.worker.queue.take())
                taken.add(key)
                self.worker.call("done", key)
        assert self.owed <= taken
        assert self.worker.queue.idle


TestMachine = Machine.TestCase
