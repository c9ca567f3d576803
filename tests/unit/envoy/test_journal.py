"""The journal keeps what Envoy said, and tells it as it comes."""

import asyncio

from weft.envoy.journal import Journal


def line(words: str) -> bytes:
    return f"[2026-11-20 22:12:25.206][1][info][main] {words}\n".encode()


async def test_records_are_told_and_kept_in_order() -> None:
    told: list[str] = []
    journal = Journal(lambda record: told.append(record.message))
    stream = asyncio.StreamReader()
    stream.feed_data(line("one") + line("two"))
    stream.feed_eof()
    await journal.read(stream)
    assert told == ["one", "two"]
    assert [record.message for record in journal.since(0)] == told


async def test_a_mark_divides_what_was_from_what_comes() -> None:
    journal = Journal(lambda _: None)
    for words in ("one", "two", "three"):
        mark = journal.mark
        stream = asyncio.StreamReader()
        stream.feed_data(line(words))
        stream.feed_eof()
        await journal.read(stream)
    assert [record.message for record in journal.since(mark)] == ["three"]
    assert journal.since(journal.mark) == []


async def test_the_last_record_is_told_when_envoy_falls_silent() -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    journal = Journal(lambda record: told.put_nowait(record.message))
    stream = asyncio.StreamReader()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(journal.read(stream))
        stream.feed_data(line("trap") + b"backtrace:\n")
        assert await told.get() == "trap\nbacktrace:"
        assert not reading.done()
        stream.feed_eof()


async def test_an_endless_log_keeps_its_end() -> None:
    journal = Journal(lambda _: None)
    stream = asyncio.StreamReader()
    for number in range(5000):
        stream.feed_data(line(str(number)))
    stream.feed_eof()
    await journal.read(stream)
    assert [record.message for record in journal.since(0)] == [str(number) for number in range(1000, 5000)]
