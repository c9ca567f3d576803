"""Compile C++ filters with the real zig, the way ``weft build`` does and nothing around it."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parts import toolbox
from weft.toolchains import LANGUAGES, Job, compiler_environment, executor

SOURCES = Path(__file__).parents[1] / "real" / "cpp"
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror")


def compile_cpp(folder: Path, sources: Mapping[str, str], **options: Any) -> Path:
    """A project with these files, compiled; gives the module. Raises ``BuildFailed`` with zig's words."""
    for name, text in sources.items():
        path = folder / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in ("cache", "scratch"):
        (folder / name).mkdir(exist_ok=True)
    tools = toolbox().require(["zig"])
    caches = toolbox().places.cache
    shared = caches / "languages" / "cpp"
    shared.mkdir(parents=True, exist_ok=True)
    env = compiler_environment(os.environ, caches, folder / "cache", tools.values())
    job = Job(
        source=folder / "project",
        output=folder / "filter.wasm",
        scratch=folder / "scratch",
        cache=folder / "cache",
        tools=tools,
        execute=executor("the filter", env, None),
        options=options,
        shared=shared,
    )
    asyncio.run(LANGUAGES["cpp"].build(job))
    return job.output


def source(name: str) -> str:
    """A filter of ``tests/real/cpp``."""
    return (SOURCES / name).read_text()
