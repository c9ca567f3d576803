"""Whether a process is still there, within a time we are ready to wait."""

import os
import time
from pathlib import Path

PATIENCE = 20.0


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self").exists()


def gone(pid: int) -> bool:
    """Whether ``pid`` ends within the time we are ready to wait."""
    deadline = time.monotonic() + PATIENCE
    while is_running(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
