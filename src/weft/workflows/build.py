"""From a project's folder to a module.

The rules: the user's folder is read, never written; nothing half-made is ever handed out; a build that
fails or is stopped leaves nothing but caches; two builds of one project take turns, since they share
a cache.
"""

import hashlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from weft.base.files import read_limited
from weft.errors import BuildFailed
from weft.project import Project
from weft.toolchains import LANGUAGES, Job, Toolbox, compiler_environment, executor
from weft.workflows.parts import Allow, Say, ignore, never, provide
from weft.workflows.sources import Source, read_source

__all__ = ["MAX_MODULE_BYTES", "Built", "build_project", "check_module"]

# Envoy takes far smaller ones; a debug build with all its names stays below this.
MAX_MODULE_BYTES = 256 * 1024 * 1024

_MAGIC = b"\0asm"
_OUTPUT = "filter.wasm"


@dataclass(frozen=True, slots=True)
class Built:
    """A module and where it came from."""

    module: bytes
    source: Source
    seconds: float
    """What the compiler took, without the time tools were fetched."""

    @property
    def project(self) -> Project:
        """The project it was built from."""
        return self.source.project


async def build_project(
    folder: Path,
    *,
    toolbox: Toolbox,
    language: str | None = None,
    on_line: Say | None = None,
    allow: Allow = never,
    say: Say = ignore,
    scratch: Path | None = None,
) -> Built:
    """Compile the project in ``folder``.

    ``on_line`` gets the compilers' lines as they write them, ``say`` what goes on, ``allow`` is asked before
    tools are fetched; ``scratch`` is where intermediate files go, weft's cache if not given. Raises what
    ``read_source`` and ``provide`` raise, and ``BuildFailed`` with the compiler's words as detail.
    """
    source = read_source(folder, language)
    project = source.project
    compiler = LANGUAGES[project.language]
    tools = await provide(toolbox, compiler.tools, allow=allow, say=say)
    async with _workshop(toolbox.places.cache, source.folder, scratch, say) as (cache, empty):
        say(f"compiling {project.name} ({project.language})")
        env = compiler_environment(toolbox.env, toolbox.places.cache, cache, tools.values())
        job = Job(
            source=source.folder,
            output=_folder(empty / "out") / _OUTPUT,
            scratch=_folder(empty / "scratch"),
            cache=cache,
            tools=tools,
            execute=executor(project.name, env, on_line),
            options=project.build,
        )
        started = time.monotonic()
        await compiler.build(job)
        seconds = time.monotonic() - started
        return Built(read_module(job.output, project.name), source, seconds)


def read_module(path: Path, who: str) -> bytes:
    """What a compiler left at ``path``. Raises ``BuildFailed`` when that is no module."""
    module = read_limited(path, MAX_MODULE_BYTES) if path.is_file() else b""
    if module is None:
        raise BuildFailed(f"the module of {who} is larger than {MAX_MODULE_BYTES >> 20} MB")
    check_module(module, who)
    return module


def check_module(module: bytes, who: str) -> None:
    """Raise ``BuildFailed`` unless ``module`` begins as every WebAssembly binary does."""
    if not module:
        raise BuildFailed(f"the compiler left no module for {who}")
    if not module.startswith(_MAGIC):
        raise BuildFailed(f"what the compiler made of {who} is not WebAssembly: it begins {module[:4]!r}")


@asynccontextmanager
async def _workshop(
    cache: Path, folder: Path, scratch: Path | None, say: Say
) -> AsyncIterator[tuple[Path, Path]]:
    """This project's cache folder and an empty folder, for one build at a time."""
    from filelock import AsyncFileLock, Timeout

    key = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    home = cache / "builds" / f"{folder.name}-{key}"
    keep = _folder(home / "cache")
    lock = AsyncFileLock(home / ".lock", poll_interval=0.05)
    try:
        await lock.acquire(blocking=False)
    except Timeout:
        say(f"waiting for another build of {folder}")
        await lock.acquire()
    empty = home / "work"
    try:
        shutil.rmtree(empty, ignore_errors=True)  # a killed build may have left it
        if scratch:
            empty = Path(tempfile.mkdtemp(prefix="weft-", dir=scratch))
        yield keep, empty
    finally:
        shutil.rmtree(empty, ignore_errors=True)
        await lock.release()


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
