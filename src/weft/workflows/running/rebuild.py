"""Build a project again and again, and compile only when something changed that a compiler reads."""

from collections.abc import Awaitable, Callable, Hashable
from pathlib import Path

from weft.workflows.authoring.build import Built
from weft.workflows.authoring.sources import read_source
from weft.workflows.authoring.stamp import stamp_of
from weft.workflows.running.loading import Loaded, from_project

__all__ = ["Rebuilder"]


class Rebuilder:
    """A ``Build`` that remembers the last module of each folder it was given."""

    def __init__(self, build: Callable[[Path], Awaitable[Built]]) -> None:
        self._build = build
        self._last: dict[Path, tuple[Hashable, bytes]] = {}

    async def __call__(self, folder: Path) -> Loaded:
        """The project's module with its config as the files say now; raises what ``build_project`` raises."""
        source = read_source(folder)
        stamp = stamp_of(source)  # before the build: what is saved meanwhile counts as a change
        last, module = self._last.get(source.folder, (None, b""))
        if stamp != last:
            module = (await self._build(folder)).module
            self._last[source.folder] = stamp, module
        return from_project(source.folder, source.project, module)
