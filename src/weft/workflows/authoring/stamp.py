"""Did anything change that a compiler reads.

``weft.toml`` outside ``[build]``, the schema of the config, scenarios and what editors and version control
keep are not read by compilers: a change there is live in milliseconds.
"""

import os
from collections.abc import Hashable, Iterator
from pathlib import Path

from weft.workflows.authoring.sources import PROJECT_FILE, Source

__all__ = ["stamp_of"]

_IGNORED = {"node_modules", "target", "__pycache__"}
_SCENARIOS = (".yaml", ".yml")


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
