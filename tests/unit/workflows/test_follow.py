"""Changes of files and folders are noticed, and told one call at a time."""

import asyncio
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest

from weft.base.tasks import beside
from weft.workflows.follow import follow, is_under

PATIENCE = 20.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As the watcher names it."""
    return tmp_path.resolve()


class Seen:
    """What was told so far."""

    def __init__(self) -> None:
        self.paths: set[Path] = set()
        self.news = asyncio.Event()

    async def changed(self, paths: AbstractSet[Path]) -> None:
        self.paths |= paths
        self.news.set()

    async def expect(self, path: Path, *also_touch: Path) -> None:
        """Change ``path`` until it is told: the watcher may not have begun yet."""
        async with asyncio.timeout(PATIENCE):
            while path not in self.paths:
                self.news.clear()
                for touched in (*also_touch, path):
                    rename_over(touched)
                try:
                    async with asyncio.timeout(0.5):
                        await self.news.wait()
                except TimeoutError:
                    continue


def rename_over(path: Path) -> None:
    """Save as editors do: a new file over the old one."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(str(id(new)))
    new.rename(path)


async def test_a_file_is_followed_and_its_neighbours_are_not(folder: Path) -> None:
    file, neighbour = (folder / name for name in ("c.json", "other.json"))
    file.write_text("1")
    seen = Seen()
    async with beside(follow([file], seen.changed)):
        await seen.expect(file, neighbour)
        first = seen.paths
        seen.paths = set()
        await seen.expect(file, neighbour)  # a second time: the file is another one now
    assert first | seen.paths == {file}


async def test_a_folder_is_followed_with_all_that_matters_in_it(folder: Path) -> None:
    source, ignored = folder / "src" / "main.cc", folder / "node_modules" / "x.js"
    for path in (source, ignored):
        path.parent.mkdir(parents=True)
        path.write_text("1")
    seen = Seen()
    async with beside(follow([folder], seen.changed)):
        await seen.expect(source, ignored)
    assert ignored not in seen.paths


async def test_changes_during_a_call_are_told_by_the_next(folder: Path) -> None:
    first, second = (folder / name for name in ("1", "2"))
    first.write_text("")
    second.write_text("")
    calls: list[set[Path]] = []
    done = asyncio.Event()

    async def changed(paths: AbstractSet[Path]) -> None:
        calls.append(set(paths))
        if second in paths:
            done.set()
            return
        rename_over(second)
        await asyncio.sleep(0.2)  # busy, as with a build
        assert len(calls) == 1 or second not in calls[-1]

    async with asyncio.timeout(PATIENCE), beside(follow([first, second], changed)):
        while not done.is_set():
            if not calls:
                rename_over(first)
            await asyncio.sleep(0.3)
    assert second in calls[-1]


def test_a_path_is_under_a_folder_or_is_the_file(folder: Path) -> None:
    assert is_under(folder / "a" / "b", [folder / "x", folder / "a"])
    assert is_under(folder / "a", [folder / "a"])
    assert not is_under(folder / "ab", [folder / "a"])
