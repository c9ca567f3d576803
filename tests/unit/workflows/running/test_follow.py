"""Changes of files and folders are noticed, and told one call at a time."""

import asyncio
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest

from weft.base.tasks import beside
from weft.workflows.running.follow import Watch, is_under

PATIENCE = 20.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As the watcher names it."""
    return tmp_path.resolve()


class Seen:
    """What was told so far, call by call."""

    def __init__(self) -> None:
        self.calls: list[set[Path]] = []
        self._news = asyncio.Condition()

    async def changed(self, paths: AbstractSet[Path]) -> None:
        async with self._news:
            self.calls.append(set(paths))
            self._news.notify_all()

    async def expect(self, path: Path, calls: int = 1) -> None:
        """Wait until ``path`` was told in that many calls."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: sum(path in call for call in self.calls) >= calls)


def rename_over(path: Path) -> None:
    """Save as editors do: a new file over the old one."""
    new = path.with_name(f"{path.name}.new")
    new.write_text("new")
    new.rename(path)


async def test_a_file_is_followed_and_its_neighbours_are_not(folder: Path) -> None:
    file, neighbour = (folder / name for name in ("c.json", "other.json"))
    file.write_text("1")
    seen = Seen()
    watch = Watch([file])
    async with beside(watch.follow(seen.changed)):
        for calls in (1, 2):  # after the first it is another file
            rename_over(neighbour)
            rename_over(file)
            await seen.expect(file, calls)
    assert set().union(*seen.calls) == {file}


async def test_a_folder_is_followed_with_all_that_matters_in_it(folder: Path) -> None:
    source, ignored = folder / "src" / "main.cc", folder / "node_modules" / "x.js"
    for path in (source, ignored):
        path.parent.mkdir(parents=True)
        path.write_text("1")
    seen = Seen()
    watch = Watch([folder])
    async with beside(watch.follow(seen.changed)):
        rename_over(ignored)
        rename_over(source)
        await seen.expect(source)
    assert ignored not in set().union(*seen.calls)


async def test_a_file_of_a_folder_that_is_followed_is_told_once(folder: Path) -> None:
    inside, ignored = folder / "m.wasm", folder / "node_modules" / "m.wasm"
    ignored.parent.mkdir()
    for path in (inside, ignored):
        path.write_text("1")
    seen = Seen()
    watch = Watch([folder, inside, ignored])
    async with beside(watch.follow(seen.changed)):
        rename_over(inside)
        await seen.expect(inside)
        rename_over(ignored)  # named, so it matters all the same
        await seen.expect(ignored)
    assert sum(inside in call for call in seen.calls) == 1


async def test_what_changes_before_anybody_listens_is_told(folder: Path) -> None:
    file = folder / "c.json"
    file.write_text("1")
    seen = Seen()
    watch = Watch([file])
    rename_over(file)
    async with beside(watch.follow(seen.changed)):
        await seen.expect(file)


async def test_changes_during_a_call_are_told_by_the_next(folder: Path) -> None:
    first, second = (folder / name for name in ("1", "2"))
    for file in (first, second):
        file.write_text("")
    seen = Seen()
    busy = False

    async def changed(paths: AbstractSet[Path]) -> None:
        nonlocal busy
        assert not busy, "one call at a time"
        busy = True
        if not seen.calls:
            rename_over(second)
            await asyncio.sleep(0.3)  # as a build takes its time
        busy = False
        await seen.changed(paths)

    watch = Watch([first, second])
    async with beside(watch.follow(changed)):
        rename_over(first)
        await seen.expect(second)
    assert seen.calls[0] == {first}


async def test_nothing_to_watch_is_no_mistake(folder: Path) -> None:
    seen = Seen()
    watch = Watch([folder / "no" / "such" / "file"])
    async with beside(watch.follow(seen.changed)) as following:
        await asyncio.sleep(0)
        assert not following.done()


def test_a_path_is_under_a_folder_or_is_the_file(folder: Path) -> None:
    assert is_under(folder / "a" / "b", [folder / "x", folder / "a"])
    assert is_under(folder / "a", [folder / "a"])
    assert not is_under(folder / "ab", [folder / "a"])
