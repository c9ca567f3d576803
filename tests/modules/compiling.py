"""Small projects, compiled by the real compilers with caches of a test's own."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from weft.base.paths import Places
from weft.toolchains import Toolbox
from weft.workflows.authoring.build import build_project

__all__ = ["build", "files_of", "make_project"]


def make_project(folder: Path, language: str, files: Mapping[str, str], options: str = "") -> Path:
    """Write a project; ``options`` stand under ``[build]``."""
    head = f'[filter]\nname = "my-filter"\nlanguage = "{language}"\n[build]\n{options}\n'
    for name, text in {"weft.toml": head, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def build(project: Path, cache: Path, **env: str) -> bytes:
    """The module of ``project``. Go's own cache is the machine's: its standard library takes a while."""
    places = Places.from_env(os.environ)
    shared = {"GOCACHE": str(places.cache / "go-build")}
    toolbox = Toolbox(replace(places, cache=cache), {**os.environ, **shared, **env})
    return asyncio.run(build_project(project, toolbox=toolbox)).module


def files_of(folder: Path) -> dict[str, bytes]:
    """Relative path → content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
