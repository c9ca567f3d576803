"""Ctrl-C is heard when it suits, and never lost."""

import signal
import threading
from collections.abc import Iterator

import pytest

from weft.base.interrupts import Interrupts, blocked


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    """As in a terminal: who starts tests in the background makes them deaf."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_first_is_remembered() -> None:
    interrupts = Interrupts()
    with interrupts.deferred():
        interrupts.check()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()


def test_the_second_is_as_ever() -> None:
    with Interrupts().deferred():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_afterwards_all_is_as_before() -> None:
    with pytest.raises(ValueError, match="own"), Interrupts().deferred():
        raise ValueError("own")
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_who_is_deaf_stays_deaf() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interrupts = Interrupts()
    with interrupts.deferred():
        signal.raise_signal(signal.SIGINT)
        interrupts.check()


def test_other_threads_hear_nothing() -> None:
    def run() -> None:
        with Interrupts().deferred():
            heard.append(signal.getsignal(signal.SIGINT))

    heard: list[object] = []
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert heard == [signal.default_int_handler]


def test_a_signal_that_is_blocked_comes_afterwards() -> None:
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - where it comes is what is asked
        with blocked(signal.SIGINT):
            signal.raise_signal(signal.SIGINT)
            came_late = True
        assert not came_late
    assert came_late
