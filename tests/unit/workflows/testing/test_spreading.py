"""Work in other processes: in order, with its failures, and nothing of it left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import active_children
from pathlib import Path

import pytest

from spread_work import die, refuse, square, where
from weft.errors import UsageError, WeftError
from weft.workflows.testing.spreading import spread

PATIENCE = 20.0


@pytest.mark.parametrize("many", [0, 1, 5, 100])
def test_all_is_done_in_order(many: int) -> None:
    assert spread(square, range(many), 2) == [number**2 for number in range(many)]


def test_other_processes_do_it_and_are_gone_afterwards() -> None:
    places = set(spread(where, range(50), 2))
    assert len(places) in {1, 2}
    assert os.getpid() not in places
    assert not active_children()


def test_what_work_raises_is_raised_here() -> None:
    with pytest.raises(UsageError, match="not 3") as caught:
        spread(refuse, range(9), 2)
    assert caught.value.hint == "another number"


def test_a_process_that_is_killed_is_told_and_not_waited_for() -> None:
    with pytest.raises(WeftError, match="a process of this run was killed"):
        spread(die, range(9), 2)


PROGRAM = """
import signal, sys
from pathlib import Path
sys.path[:0] = {path!r}
signal.signal(signal.SIGINT, signal.default_int_handler)
from spread_work import sleep_long
from weft.workflows.testing.spreading import spread
if __name__ == "__main__":
    spread(sleep_long, [Path({folder!r})] * 2, 2)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_no_process_outlives_who_started_it(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C at a terminal goes to all of them; only one has something to say."""
    started = tmp_path / "started"
    started.mkdir()
    script = tmp_path / "program.py"
    script.write_text(PROGRAM.format(path=sys.path, folder=str(started)))
    running = subprocess.Popen(
        [sys.executable, script], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    _until(lambda: len(list(started.iterdir())) == 2)
    os.killpg(running.pid, number) if number is signal.SIGINT else running.kill()
    _, said = running.communicate(timeout=PATIENCE)
    assert said.count("Traceback") == (number is signal.SIGINT)
    _until(lambda: not any(_alive(int(one.name)) for one in started.iterdir()))


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
