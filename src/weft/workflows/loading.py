"""Filters to run, however the user named them: a module file, a project folder, an image."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from weft.base.files import read_limited
from weft.errors import NotFound, UsageError, WeftError
from weft.project import Project

__all__ = ["Load", "Loaded", "from_project", "load_file"]

# Envoy would take more; nobody has a filter of that size.
_MAX_MODULE = 128 * 1024 * 1024
_MAX_SCHEMA = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A module and what its author says of it."""

    name: str
    """Its id in the chain, unless the user gives another."""
    module: bytes = field(repr=False)
    root_id: str = ""
    config: Any = None
    """What it is told when nobody says otherwise."""
    schema: Any = None
    """JSON Schema of its configuration; ``None`` when it has none."""
    path: Path | None = None
    """A file that holds the module and stays, if there is one."""
    watch: tuple[Path, ...] = ()
    """Files and folders that change when the filter does."""


Load = Callable[[str], Awaitable[Loaded]]
"""Source on the command line → filter. Called again whenever the source may have changed."""


def load_file(path: Path) -> Loaded:
    """A module file; raises ``NotFound``, ``UsageError`` or ``WeftError``."""
    try:
        module = read_limited(path, _MAX_MODULE)
    except FileNotFoundError as error:
        raise NotFound(f"{path}: no such file") from error
    except OSError as error:
        raise WeftError(f"{path}: {error.strerror}") from error
    if module is None:
        raise UsageError(f"{path} is larger than {_MAX_MODULE >> 20} MB; it cannot be a filter")
    path = path.absolute()
    return Loaded(name=_id(path.stem), module=module, path=path, watch=(path,))


def from_project(folder: Path, project: Project, module: bytes) -> Loaded:
    """The module built from a project; its config and schema as the project's file has them now."""
    schema = None if project.config.schema is None else _schema(folder / project.config.schema)
    return Loaded(
        name=_id(project.root_id or project.name),
        module=module,
        root_id=project.root_id,
        config=project.config.default,
        schema=schema,
        watch=(folder,),
    )


def _schema(path: Path) -> Any:
    try:
        text = read_limited(path, _MAX_SCHEMA)
        if text is None:
            raise UsageError(f"{path} is larger than {_MAX_SCHEMA} bytes")
        return json.loads(text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="[config] schema in weft.toml names it") from error
    except ValueError as error:
        raise UsageError(f"{path} is not valid JSON: {error}") from error


def _id(text: str) -> str:
    """``text`` with what cannot stand in an id replaced."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).lstrip("._-") or "filter"


async def load_source(source: str) -> Loaded:
    """The filter that ``source`` names."""
    return load_file(Path(source))
