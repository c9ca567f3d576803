"""Files that are whole or absent.

The rules: a reader never sees half a file; a crash leaves the old content or the new; what was
acknowledged is on disk. Locks between processes: ``weft.base.locks``.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from weft.errors import WeftError

__all__ = ["atomic_create", "atomic_directory", "atomic_write", "os_errors_as", "read_limited"]

_FILE_MODE = 0o644
_DIRECTORY_MODE = 0o755


def atomic_write(path: Path, data: bytes, *, mode: int = _FILE_MODE) -> None:
    """Put ``data`` at ``path`` in one step; the folder is made when it is missing.

    Raises ``OSError`` as the system gives it, with nothing left behind.
    """
    with _written(path, data, mode) as temporary:
        temporary.replace(path)


def atomic_create(path: Path, data: bytes, *, mode: int = _FILE_MODE) -> None:
    """Put ``data`` at ``path`` in one step where nothing was; the folder is made when it is missing.

    Raises ``FileExistsError`` when somebody was faster, with nothing left behind.
    """
    with _written(path, data, mode) as temporary:
        path.hardlink_to(temporary)
        temporary.unlink()


@contextmanager
def _written(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    """``data`` on disk in a file beside ``path``, which is gone when the block fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        yield temporary
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Fill the yielded folder; it becomes ``path`` when the block ends well, and vanishes otherwise.

    ``path`` may be an existing *empty* folder, which keeps its identity (somebody may stand in it).
    Raises ``FileExistsError`` when it has content.
    """
    path = path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield temporary
        if path.is_dir():
            _move_into(temporary, path)
        else:
            temporary.chmod(_DIRECTORY_MODE)
            temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _move_into(source: Path, target: Path) -> None:
    if any(target.iterdir()):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    moved: list[Path] = []
    try:
        for entry in sorted(source.iterdir()):
            place = target / entry.name
            entry.rename(place)
            moved.append(place)
    except BaseException:
        for entry in moved:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        raise


@contextmanager
def os_errors_as(complaint: str, *, name_file: bool = False) -> Iterator[None]:
    """Turn what the system says in the block into ``WeftError``: ``complaint: No space left on device``.

    ``name_file`` adds the file it is about, where ``complaint`` does not say it.
    """
    try:
        yield
    except OSError as error:
        file = f"{error.filename}: " if name_file and error.filename else ""
        raise WeftError(f"{complaint}: {file}{error.strerror or error}") from error


def read_limited(path: Path, limit: int) -> bytes | None:
    """The whole file, or ``None`` when it holds more than ``limit`` bytes."""
    with path.open("rb") as file:
        data = file.read(limit + 1)
    return data if len(data) <= limit else None
