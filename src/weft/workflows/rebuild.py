"""Build a project again and again, and compile only when something changed that a compiler reads.

``weft.toml`` outside ``[build]``, the schema of the config, scenarios and what editors and version control
keep are not read by compilers: a change there is live in milliseconds.
"""

import os
from collections.abc import Awaitable, Callable, Hashable, Iterator
from pathlib import Path

from weft.workflows.build import Built
from weft.workflows.loading import Loaded, from_project
from weft.workflows.sources import PROJECT_FILE, Source, read_source

__all__ = ["Rebuilder", "stamp_of"]

_IGNORED = {"node_modules", "target", "__pycache__"}
_SCENARIOS = (".yaml", ".yml")


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


def stamp_of(source: Source) -> Hashable:
    """Equal for two moments between which no compiler's input changed."""
    unread = {source.folder / PROJECT_FILE}
    if source.project.config.schema:
        unread.add(source.folder / source.project.config.schema)
    files = tuple(entry for entry in _files(source.folder) if Path(entry[0]) not in unread)
    return source.project.language, repr(source.project.build), files


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _IGNORED and not name.startswith("."))
        for name in sorted(name for name in names if not name.endswith(_SCENARIOS)):
            path = Path(where, name)
            try:
                status = path.stat()
            except FileNotFoundError:  # an editor's, gone already
                continue
            yield str(path), status.st_mtime_ns, status.st_size
