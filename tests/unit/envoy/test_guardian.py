"""Nothing that was started is left, whoever dies first and however. The programs are shells and sleeps."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from weft.envoy.guardian import guarded
from weft.errors import PartMissing
from worlds.liveness import PATIENCE, gone, is_running

# A process of its own that guards a sleep, says its id, and then waits to be killed.
PARENT = """
import asyncio, os, sys
from weft.envoy.guardian import guarded

async def main():
    async with guarded(["sleep", "60"], env=dict(os.environ), last=sys.argv[1:] or None) as program:
        print(program.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_program_goes_when_its_parent_is_killed(number: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout
    with parent:
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.send_signal(number)
        parent.wait(PATIENCE)
        assert gone(pid)


def test_the_last_command_is_run_when_the_parent_is_killed(tmp_path: Path) -> None:
    farewell = tmp_path / "fare well"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, "touch", farewell], stdout=subprocess.PIPE)
    assert parent.stdout
    with parent:
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait(PATIENCE)
        assert gone(pid)
    assert farewell.exists()


async def test_the_output_is_the_programs_own_and_so_is_the_exit_code() -> None:
    command = ["/bin/sh", "-c", "echo out; echo err >&2; exit 7"]
    async with guarded(command, env=dict(os.environ)) as program:
        assert await program.output.read() == b"out\nerr\n"
        assert await program.wait() == 7
        assert program.code == 7


async def test_the_program_is_stopped_at_the_end_of_the_block() -> None:
    async with guarded(["sleep", "60"], env=dict(os.environ)) as program:
        assert program.code is None
        assert is_running(program.pid)
    assert gone(program.pid)


async def test_children_of_the_program_are_stopped_too() -> None:
    command = ["/bin/sh", "-c", "sleep 60 & echo $!; wait"]
    async with guarded(command, env=dict(os.environ)) as program:
        child = int(await program.output.readline())
        assert is_running(child)
    assert gone(child)


async def test_a_signal_is_an_exit_code_as_shells_count() -> None:
    async with guarded(["sleep", "60"], env=dict(os.environ)) as program:
        os.kill(program.pid, signal.SIGTERM)
        assert await program.wait() == 128 + signal.SIGTERM


async def test_the_program_has_no_input_and_not_our_pipe() -> None:
    command = ["/bin/sh", "-c", "cat; ls /dev/fd | tr '\\n' ' '"]
    async with guarded(command, env=dict(os.environ)) as program:
        descriptors = (await program.output.read()).split()
    assert {int(number) for number in descriptors} <= {0, 1, 2, 3, 255}, "3 is ls reading the folder"


async def test_words_with_blanks_and_quotes_arrive_whole() -> None:
    words = ["a b", "$HOME", "'", '"', "", "*"]
    async with guarded(["printf", "<%s>", *words], env=dict(os.environ)) as program:
        assert (await program.output.read()).decode() == "".join(f"<{word}>" for word in words)


async def test_what_is_no_program_ends_with_a_code_and_words() -> None:
    async with guarded(["/nowhere/envoy"], env=dict(os.environ)) as program:
        assert b"/nowhere/envoy" in await program.output.read()
        assert await program.wait() == 127


async def test_a_machine_without_a_shell_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.envoy.guardian._SHELL", "/nowhere/sh")
    with pytest.raises(PartMissing) as caught:
        async with guarded(["envoy"], env={}):
            pass
    assert str(caught.value) == "cannot start envoy: No such file or directory"
