"""Somebody at a terminal: reads what a program shows, and types."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

__all__ = ["Terminal", "at_terminal"]

_SECONDS = 60
# A session with the terminal as its own, so that Ctrl-C reaches the program, behind a `&`, too.
_BEGIN = """
import fcntl, os, signal, sys, termios
os.setsid()
signal.signal(signal.SIGINT, signal.SIG_DFL)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "weft", *sys.argv[1:]])
"""
CTRL_C = "\x03"
CTRL_D = "\x04"


class Terminal:
    """What has been shown, and the keyboard."""

    def __init__(self, process: subprocess.Popen[bytes], handle: int) -> None:
        self.shown = ""
        self._process = process
        self._handle = handle

    def expect(self, text: str) -> None:
        """Wait until ``text`` is shown."""
        end = time.monotonic() + _SECONDS
        while text not in self.shown:
            assert self._read(end), f"not shown: {text!r} in {self.shown!r}"

    def type(self, text: str) -> None:
        """Press keys; a line ends with ``\\n``."""
        os.write(self._handle, text.encode())

    def insist(self, key: str) -> None:
        """Press ``key`` until the program is done: Python loses one that comes just before it waits."""
        end = time.monotonic() + _SECONDS
        while self._process.poll() is None:
            assert time.monotonic() < end, f"still there: {self.shown!r}"
            self.type(key)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(5)

    def left(self) -> int:
        """The exit code, when all has been shown."""
        end = time.monotonic() + _SECONDS
        while self._read(end):
            pass
        return self._process.wait(_SECONDS)

    def _read(self, end: float) -> bool:
        ready, _, _ = select.select([self._handle], [], [], max(0.0, end - time.monotonic()))
        try:
            data = os.read(self._handle, 65536) if ready else b""
        except OSError:  # nobody has the other end any more
            data = b""
        self.shown += data.decode().replace("\r\n", "\n")
        return bool(data)


@contextmanager
def at_terminal(words: Sequence[str], env: Mapping[str, str]) -> Iterator[Terminal]:
    """Run the program at a terminal; it is killed when the block ends."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", _BEGIN, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=env
        ) as process:
            os.close(theirs)
            try:
                yield Terminal(process, ours)
            finally:
                process.kill()
    finally:
        os.close(ours)
