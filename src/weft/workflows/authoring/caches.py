"""What builds keep for the next build of the same project, and its end.

A project has one folder under ``<cache>/builds``. Whoever builds holds its ``.lock`` and writes the project's
path into it. It has outlived its use when the project is gone, or has not been built for a month. The lock
stays: removing it would let two builds in.
"""

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from weft.base.locks import held

__all__ = ["LOCK", "PrunedCaches", "note_use", "prune_caches"]

LOCK = ".lock"
_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class PrunedCaches:
    """What was deleted, or would have been."""

    count: int
    size: int


def note_use(home: Path, folder: Path) -> None:
    """Remember that ``folder`` is built with the cache in ``home``, now; the caller holds its lock."""
    (home / LOCK).write_text(str(folder))


def prune_caches(cache: Path, *, dry_run: bool = False, now: Callable[[], float] = time.time) -> PrunedCaches:
    """Delete the build caches that nobody needs, but none that is in use."""
    count = size = 0
    for home in sorted(cache.glob("builds/*/")):
        with suppress(BlockingIOError, FileNotFoundError), held(home / LOCK):
            kept = [path for path in home.iterdir() if path.name != LOCK]
            if not kept or not _is_left(home / LOCK, now()):
                continue
            count, size = count + 1, size + sum(map(_size, kept))
            for path in [] if dry_run else kept:
                shutil.rmtree(path, ignore_errors=True)
    return PrunedCaches(count, size)


def _is_left(note: Path, now: float) -> bool:
    project = note.read_text()  # empty when an older weft built it
    gone = project and not Path(project).is_dir()
    return bool(gone) or now - note.stat().st_mtime > _KEPT.total_seconds()


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
