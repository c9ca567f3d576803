"""Work for other processes, in a module that they can import."""

import os
import signal
import time
from pathlib import Path

from weft.errors import UsageError

__all__ = ["die", "refuse", "sleep_long", "square", "where"]


def square(number: int) -> int:
    return number * number


def where(_: int) -> int:
    return os.getpid()


def refuse(number: int) -> int:
    if number == 3:
        raise UsageError("not 3", hint="another number")
    return number


def die(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def sleep_long(folder: Path) -> None:
    (folder / f"{os.getpid()}").touch()
    time.sleep(600)
