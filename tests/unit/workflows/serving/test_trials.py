"""Configs tried in a process of their own: what comes back, and that it ends however it goes."""

import asyncio
import hashlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from modules.tiny import REFUSAL, tiny_filter
from weft.errors import FilterRefused, UsageError, WeftError
from weft.workflows.deploying.trying import Trial
from weft.workflows.serving.trials import Trials
from worlds.clock import until

MODULE = tiny_filter()
SHA256 = hashlib.sha256(MODULE).hexdigest()
TEXT = {"type": "string", "maxLength": 5}


def trial(*configs: object, schema: object = None) -> Trial:
    named = tuple((f"config {number}", config) for number, config in enumerate(configs))
    return Trial(root_id="tiny", environment={"A": "b"}, configs=named, schema=schema)


@pytest.fixture
async def trials(tmp_path: Path) -> AsyncIterator[Trials]:
    async with Trials(tmp_path / "compiled", dict(os.environ), idle=60) as trials:
        yield trials


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


async def test_what_the_filter_takes_is_right(trials: Trials) -> None:
    started = [trials.running]
    for tried in (trial("a", None, "b", schema=TEXT), trial("c")):
        await trials.run(MODULE, SHA256, tried)
        started.append(trials.running)
    assert started[0] is None
    assert started[1] is not None
    assert started[2] == started[1]


async def test_what_it_refuses_comes_back_as_it_said_it(trials: Trials) -> None:
    with pytest.raises(FilterRefused) as caught:
        await trials.run(MODULE, SHA256, trial("a", "!"))
    assert str(caught.value) == "config 1: the filter refuses it"
    assert caught.value.hint == "--skip-config-check deploys it anyway"
    assert REFUSAL in (caught.value.detail or "")
    await trials.run(MODULE, SHA256, trial("a"))


async def test_what_its_schema_does_not_allow_is_not_tried(trials: Trials) -> None:
    with pytest.raises(UsageError) as caught:
        await trials.run(MODULE, SHA256, trial(1, "!", schema=TEXT))
    assert str(caught.value) == "config 0: 1 is not of type 'string'"


async def test_what_is_no_module_is_said(trials: Trials) -> None:
    with pytest.raises(WeftError) as caught:
        await trials.run(b"\0asm nonsense", "0" * 64, trial("a"))
    assert str(caught.value) == "the module: header, byte 4 (0x4): version 1852796448, but only 1 is known"


async def test_each_module_is_tried_by_its_name(trials: Trials) -> None:
    other = tiny_filter(start_returns=0)
    await trials.run(MODULE, SHA256, trial("a"))
    with pytest.raises(FilterRefused):
        await trials.run(other, hashlib.sha256(other).hexdigest(), trial("a"))
    await trials.run(MODULE, SHA256, trial("a"))


async def test_one_after_the_other_whoever_asks(trials: Trials) -> None:
    wishes = (trials.run(MODULE, SHA256, trial(text)) for text in ("a", "!", "b", "!"))
    outcomes = await asyncio.gather(*wishes, return_exceptions=True)
    assert [type(one) for one in outcomes] == [type(None), FilterRefused, type(None), FilterRefused]


async def test_the_process_ends_when_there_is_nothing_to_try(tmp_path: Path) -> None:
    async with Trials(tmp_path, dict(os.environ), idle=0) as trials:
        for _ in range(2):
            await trials.run(MODULE, SHA256, trial("a"))
            process = trials.running
            assert process is not None
            await until(lambda: trials.running is None)
            await until(lambda process=process: gone(process))  # type: ignore[misc]


async def test_the_process_ends_with_the_block(tmp_path: Path) -> None:
    async with Trials(tmp_path, dict(os.environ)) as trials:
        await trials.run(MODULE, SHA256, trial("a"))
        process = trials.running
    assert process is not None
    assert trials.running is None
    assert gone(process)


async def test_one_that_was_killed_meanwhile_is_started_anew(trials: Trials) -> None:
    await trials.run(MODULE, SHA256, trial("a"))
    process = trials.running
    assert process is not None
    os.kill(process, signal.SIGKILL)
    await trials.run(MODULE, SHA256, trial("a"))
    assert trials.running not in {None, process}


async def test_one_that_ends_in_the_middle_is_said(tmp_path: Path) -> None:
    async with Trials(tmp_path, {**os.environ, "PYTHONPATH": "", "PYTHONHOME": "/nowhere"}) as trials:
        with pytest.raises(WeftError) as caught:
            await trials.run(MODULE, SHA256, trial("a"))
        assert str(caught.value) == "config 0: the process that tried it ended with code 1"
        assert trials.running is None


async def test_one_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    async with Trials(tmp_path, dict(os.environ), seconds=0) as trials:
        with pytest.raises(WeftError) as caught:
            await trials.run(MODULE, SHA256, trial("a"))
        assert str(caught.value) == "config 0: not tried within 0 s on the filter"
        assert trials.running is None


async def test_who_does_not_wait_for_the_answer_leaves_no_answer_behind(trials: Trials) -> None:
    first = asyncio.get_running_loop().create_task(trials.run(MODULE, SHA256, trial("!")))
    await until(lambda: trials.running is not None)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await trials.run(MODULE, SHA256, trial("a"))
