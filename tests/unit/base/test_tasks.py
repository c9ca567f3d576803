"""Work goes on beside a block and ends with it, or when somebody says stop."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from weft.base.tasks import beside, run_until_told
from weft.errors import WeftError


async def forever(ended: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("ended")


async def fail() -> None:
    raise WeftError("no")


async def test_the_work_ends_with_the_block() -> None:
    ended: list[str] = []
    async with asyncio.timeout(10), beside(forever(ended)) as task:
        await asyncio.sleep(0)
        assert not task.done()
    assert ended == ["ended"]


async def test_a_failure_of_the_block_is_raised_as_it_is() -> None:
    with pytest.raises(WeftError, match="block"):
        async with beside(forever([])):
            raise WeftError("block")


async def test_a_failure_of_the_work_ends_the_block() -> None:
    with pytest.raises(WeftError, match="no"):
        async with asyncio.timeout(10), beside(fail()):
            await asyncio.Event().wait()


@pytest.fixture
def terminal() -> Iterator[None]:
    """A process that is told when its terminal closes, as it is not when the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_an_ordinary_end(number: signal.Signals) -> None:
    ended: list[str] = []

    async def work() -> None:
        os.kill(os.getpid(), number)
        await forever(ended)

    assert run_until_told(work()) is True
    assert ended == ["ended"]


def test_under_nohup_a_closing_terminal_is_nothing() -> None:
    async def work() -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert run_until_told(work()) is False
    finally:
        signal.signal(signal.SIGHUP, before)


def test_work_that_ends_by_itself_was_not_told_to() -> None:
    async def work() -> None:
        pass

    assert run_until_told(work()) is False


def test_a_cancellation_that_nobody_asked_for_is_no_ordinary_end() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run_until_told(work())


def test_a_second_signal_cuts_the_cleaning_up_short() -> None:
    code = """if True:
        import asyncio, os, signal
        from weft.base.tasks import run_until_told
        async def work():
            try:
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(60)
            finally:
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(60)
        print(run_until_told(work()))
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "True\n"
