"""The AssemblyScript projects of the tests, and how they become modules."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from parts import toolbox
from weft.base.processes import Finished, run
from weft.errors import BuildFailed
from weft.toolchains import LANGUAGES, Job

__all__ = ["PROJECTS", "Built", "build"]

PROJECTS = Path(__file__).parents[1] / "real" / "assemblyscript"
Built = Callable[[str], Path]
"""The name of a project in ``PROJECTS`` → its module."""


async def _execute(
    command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None
) -> Finished:
    """A compiler step that must go well."""
    finished = await run(command, cwd=cwd, env={"PATH": "/usr/bin:/bin", **(env or {})}, timeout=300)
    if finished.code:
        raise BuildFailed("refused", detail=finished.output)
    assert finished.output == "", "the SDK compiles without a warning"
    return finished


def build(source: Path, folder: Path) -> Path:
    """The module of a project, through the language's own builder."""
    language = LANGUAGES["assemblyscript"]
    scratch, cache = folder / "scratch", folder / "cache"
    scratch.mkdir(parents=True)
    cache.mkdir()
    tools = toolbox().require(language.tools)
    asyncio.run(language.build(Job(source, folder / "filter.wasm", scratch, cache, tools, _execute)))
    return folder / "filter.wasm"
