"""Ctrl-C that is heard when it suits, and never lost."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Interrupts", "blocked"]


class Interrupts:
    """Remembers Ctrl-C in blocks whose code could lose it: Python drops what is raised in a finalizer."""

    def __init__(self) -> None:
        self._told = False

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """The first is only remembered, until ``check``; the second is as ever.

        In other threads than the main one nothing is heard, and nothing changes.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)

        def hear(number: int, frame: FrameType | None) -> None:
            if self._told and callable(before):
                before(number, frame)
            self._told = True

        if callable(before):
            signal.signal(signal.SIGINT, hear)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def check(self) -> None:
        """Raise ``KeyboardInterrupt`` if there was one."""
        if self._told:
            raise KeyboardInterrupt


@contextmanager
def blocked(*numbers: signal.Signals) -> Iterator[None]:
    """No such signal comes to this thread meanwhile, nor ever to the processes that it starts."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
