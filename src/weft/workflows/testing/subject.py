"""What is tested: a project's module, built when its source changed, and what the project tells it."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from weft import __version__
from weft.base.files import atomic_write, os_errors_as
from weft.base.paths import Places
from weft.project import Project
from weft.testhost import Plugin, config_bytes
from weft.workflows.authoring.sources import Source
from weft.workflows.authoring.stamp import stamp_of

__all__ = ["built_module", "defaults_of"]


def defaults_of(project: Project) -> Plugin:
    """What the filter is told where a test says nothing."""
    config = project.config.default
    return Plugin(project.name, project.root_id, "", b"" if config is None else config_bytes(config))


def built_module(source: Source, places: Places, build: Callable[[Path], bytes]) -> bytes:
    """The module of the last build when nothing it was made from changed, else of a new one."""
    key = hashlib.sha256(str(source.folder).encode()).hexdigest()[:16]
    kept, stamped = places.cache / "tested" / f"{key}.wasm", places.cache / "tested" / f"{key}.stamp"
    stamp = f"{__version__} {sorted(_tools(places))} {stamp_of(source)!r}".encode()
    with os_errors_as("cannot use weft's cache"):
        if (
            stamped.is_file()
            and kept.is_file()
            and stamped.read_bytes() == stamp + _digest(kept.read_bytes())
        ):
            return kept.read_bytes()
        module = build(source.folder)
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
