"""From a project's folder to a module.

The rules: the user's folder is read, never written; nothing half-made is ever handed out; a build that
fails or is stopped leaves nothing but caches; two builds of one project take turns, since they share
a cache.
"""

import hashlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from weft.base.files import os_errors_as, read_limited
from weft.base.locks import exclusive
from weft.errors import BuildFailed
from weft.project import Project
from weft.toolchains import (
    LANGUAGES,
    TOOLS,
    Job,
    Language,
    StepFailed,
    Toolbox,
    compiler_environment,
    executor,
)
from weft.workflows.authoring.caches import LOCK, note_use
from weft.workflows.authoring.parts import Allow, Say, ignore, never, provide
from weft.workflows.authoring.sources import Source, read_source

__all__ = ["Built", "build_project", "compile_source"]

# What Envoy's consumers take; a debug build with all its names stays below this.
_MAX_MODULE_BYTES = 256 * 1024 * 1024

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
    say: Say = ignore,
    allow: Allow = never,
) -> Built:
    """Compile the project in ``folder``; raises what ``read_source`` and ``compile_source`` raise."""
    source = read_source(folder, language)
    return await compile_source(source, toolbox=toolbox, on_line=on_line, say=say, allow=allow)


async def compile_source(
    source: Source,
    *,
    toolbox: Toolbox,
    compiler: Language | None = None,
    on_line: Say | None = None,
    say: Say = ignore,
    allow: Allow = never,
    scratch: Path | None = None,
) -> Built:
    """Make the module of ``source``, with ``compiler`` or the one of its language.

    ``on_line`` gets the compilers' lines as they write them, ``say`` is told what goes on, ``allow`` is
    asked before tools are fetched; ``scratch`` is where intermediate files go, weft's cache if not given.
    Raises ``PartMissing`` for tools that are missing and may not be fetched, ``BuildFailed`` otherwise.
    """
    project = source.project
    compiler = compiler or LANGUAGES[project.language]
    tools = await provide(toolbox, compiler.tools, allow=allow, say=say)
    cache = toolbox.places.cache.resolve()  # compilers start over when paths change, also by a link
    with os_errors_as(f"cannot build {source.folder}", name_file=True):
        async with _workshop(cache, source.folder, scratch, say) as (kept, empty):
            say(f"compiling {project.name} ({project.language})")
            for note in _first_uses(compiler.tools, cache):
                say(note)
            env = compiler_environment(toolbox.env, cache, kept, tools.values())
            job = Job(
                source=source.folder,
                output=_folder(empty / "out") / _OUTPUT,
                scratch=_folder(empty / "scratch"),
                cache=kept,
                tools=tools,
                execute=executor(project.name, env, on_line),
                options=project.build,
                shared=_folder(cache / "languages" / project.language),
            )
            seconds = await _timed(compiler, job, listening=on_line is not None)
            return Built(_module(job.output, project.name), source, seconds)


async def _timed(compiler: Language, job: Job, *, listening: bool) -> float:
    """Build, and say how long it took. What somebody has seen is not shown again as the error's detail."""
    started = time.monotonic()
    try:
        await compiler.build(job)
    except StepFailed as error:
        if listening:
            error.detail = None
        raise
    return time.monotonic() - started


def _first_uses(tools: Sequence[str], cache: Path) -> list[str]:
    """Why this build takes longer than the next."""
    return [note for name in tools if (note := TOOLS[name].first_use) and not (cache / name).exists()]


def _module(path: Path, who: str) -> bytes:
    module = read_limited(path, _MAX_MODULE_BYTES) if path.is_file() else b""
    if module is None:
        raise BuildFailed(f"the module of {who} is larger than {_MAX_MODULE_BYTES >> 20} MB")
    if not module:
        raise BuildFailed(f"the compiler left no module for {who}")
    if not module.startswith(_MAGIC):
        raise BuildFailed(f"what the compiler made of {who} is not WebAssembly: it begins {module[:4]!r}")
    return module


@asynccontextmanager
async def _workshop(
    cache: Path, folder: Path, scratch: Path | None, say: Say
) -> AsyncIterator[tuple[Path, Path]]:
    """This project's cache folder and an empty folder, for one build at a time."""
    key = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    home = _folder(cache / "builds" / f"{folder.name}-{key}")
    async with exclusive(home / LOCK, on_wait=partial(say, f"waiting for another build of {folder}")):
        note_use(home, folder)
        keep = _folder(home / "cache")
        empty = home / "work"
        shutil.rmtree(empty, ignore_errors=True)  # a killed build may have left it
        if scratch:
            empty = Path(tempfile.mkdtemp(prefix="weft-", dir=scratch))
        try:
            yield keep, empty
        finally:
            shutil.rmtree(empty, ignore_errors=True)


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
