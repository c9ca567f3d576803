"""Waiting for other processes, within bounds."""

import time
from collections.abc import Callable
from typing import Any


def until(found: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """What ``found`` gives once that is something."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, f"no {what} within {seconds:g} s"
        time.sleep(0.02)
    return value
