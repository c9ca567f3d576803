"""What compilers are surrounded with: an environment that keeps their caches in one place, and a way to run.

A user's own settings win: a cache variable that is set stays as it is.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from weft.base.processes import Finished, run
from weft.errors import BuildFailed
from weft.toolchains.language import Execute

__all__ = ["StepFailed", "compiler_environment", "executor"]

# The first build of a machine may compile a C++ or Rust standard library: minutes on a slow one.
_STEP_SECONDS = 1800.0


class StepFailed(BuildFailed):
    """A compiler ended with an error; its words were shown as it wrote them, if anybody listened."""

    def __init__(self, message: str, finished: Finished) -> None:
        super().__init__(message, detail=finished.output)
        self.finished = finished


def compiler_environment(
    env: Mapping[str, str], cache: Path, project_cache: Path, tools: Iterable[Path]
) -> dict[str, str]:
    """``env`` with the tools' folders first on PATH and caches under ``cache`` where the user named none."""
    defaults = {
        "ZIG_GLOBAL_CACHE_DIR": cache / "zig",
        "ZIG_LOCAL_CACHE_DIR": project_cache / "zig",
        "GOCACHE": cache / "go-build",
        "CARGO_TERM_QUIET": "true",
    }
    if "HOME" not in env and "GOPATH" not in env:
        defaults["GOMODCACHE"] = cache / "go-mod"  # otherwise the user's own, which has most modules
    folders = dict.fromkeys(str(tool.parent) for tool in tools)
    path = os.pathsep.join([*folders, *filter(None, [env.get("PATH")])])
    return {name: str(value) for name, value in defaults.items()} | dict(env) | {"PATH": path}


def executor(who: str, env: Mapping[str, str], on_line: Callable[[str], None] | None) -> Execute:
    """The ``Execute`` of a job: lines go to ``on_line`` as the compiler writes them.

    A step that fails raises ``StepFailed`` naming ``who``, with all the compiler wrote as its detail.
    """

    async def execute(
        command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None
    ) -> Finished:
        whole = {**outer, **(env or {})}
        finished = await run(command, cwd=cwd, env=whole, timeout=_STEP_SECONDS, on_line=on_line)
        if finished.code != 0:
            raise StepFailed(f"the compiler refused {who}", finished)
        return finished

    outer = env
    return execute
