"""What is tested: a project's module, built when its source changed, and what the project tells it."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from weft import __version__
from weft.base.files import atomic_write
from weft.base.paths import Places
from weft.errors import UsageError
from weft.project import ConfigSection, Project
from weft.testhost import Plugin, config_bytes
from weft.workflows.authoring.sources import PROJECT_FILE, RUNTIME_CONFIG_FILE, Source, read_source
from weft.workflows.authoring.stamp import stamp_of

__all__ = ["allowed_leak", "built_module", "defaults_of", "source_of"]


_NAMELESS = Project("filter", "cpp", "", "", "", (), ConfigSection(), {})


def source_of(where: Path, *, has_module: bool) -> Source:
    """The project in a folder, or the one that a file of scenarios is in; one of no name for a module alone.

    Raises ``UsageError`` for a file that has neither, and what ``read_source`` raises.
    """
    if not where.is_file():
        return read_source(where)
    for folder in where.resolve().parents:
        if any((folder / name).is_file() for name in (PROJECT_FILE, RUNTIME_CONFIG_FILE)):
            return read_source(folder)
    if not has_module:
        raise UsageError(f"{where} is in no project", hint="name what is to be tested with --module")
    return Source(where.resolve().parent, _NAMELESS, None)


def defaults_of(project: Project) -> Plugin:
    """What the filter is told where a test says nothing."""
    config = project.config.default
    return Plugin(project.name, project.root_id, "", b"" if config is None else config_bytes(config))


def allowed_leak(project: Project) -> float:
    """Bytes that a request may leave behind, by the project's budgets."""
    return next((limit.most for limit in project.budgets.limits() if limit.name == "leak_slope"), 0)


def built_module(source: Source, places: Places, build: Callable[[Path], bytes]) -> bytes:
    """The module of the last build when nothing it was made from changed, else of a new one."""
    key = hashlib.sha256(str(source.folder).encode()).hexdigest()[:16]
    kept, stamped = places.cache / "tested" / f"{key}.wasm", places.cache / "tested" / f"{key}.stamp"
    stamp = f"{__version__} {sorted(_tools(places))} {stamp_of(source)!r}".encode()
    with contextlib.suppress(OSError):  # what cannot be kept or read is made again
        if stamped.read_bytes() == stamp + _digest(kept.read_bytes()):
            return kept.read_bytes()
    module = build(source.folder)
    with contextlib.suppress(OSError):
        atomic_write(kept, module)
        atomic_write(stamped, stamp + _digest(module))
    return module


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _tools(places: Places) -> Iterator[str]:
    """Weft's compilers and their versions: another one may make another module."""
    if places.tools.is_dir():
        for tool in os.scandir(places.tools):
            if tool.is_dir():
                yield from (f"{tool.name}/{version.name}" for version in os.scandir(tool.path))
