"""Did anything change that a compiler reads.

``weft.toml`` outside ``[build]``, the schema of the config, scenarios, tests in Python, the reports of test
runs and what editors and version control keep are not read by compilers: a change there is live at once.
"""

import os
from collections.abc import Hashable, Iterator
from pathlib import Path

from weft.workflows.authoring.sources import PROJECT_FILE, Source

__all__ = ["stamp_of"]

_IGNORED = {"node_modules", "target", "__pycache__"}
_UNREAD = (".yaml", ".yml", ".py")
_REPORT_HEAD = 256


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
        for name in sorted(name for name in names if not name.endswith(_UNREAD)):
            path = Path(where, name)
            try:
                status = path.stat()
                if path.suffix == ".xml" and _is_report(path):
                    continue
            except FileNotFoundError:  # an editor's, gone already
                continue
            yield str(path), status.st_mtime_ns, status.st_size


def _is_report(path: Path) -> bool:
    """Whether it is what ``--junit`` wrote; other XML may be compiled in."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b"<testsuite" in file.read(_REPORT_HEAD)
