"""Go filters: Go's own compiler and the official SDK, a module that ``go.mod`` names; or TinyGo, when asked.

The rules:

* the module is a WASI reactor: Envoy runs ``init`` and then calls what the SDK exports, ``main`` never;
* ``go.mod`` and ``go.sum`` are what they are: nothing is added or updated, and no other Go is fetched;
* no paths, no build id and no state of version control in the module; the functions' names stay, because
  backtraces show them and they are two hundredths of the size.
"""

from pathlib import Path
from typing import Literal

import msgspec

from weft.errors import PartMissing, UsageError
from weft.toolchains.language import Job

__all__ = ["Go"]

_GO_ENVIRONMENT = {"GOOS": "wasip1", "GOARCH": "wasm", "GOTOOLCHAIN": "local"}
_GO_FLAGS = ("-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-buildid=")

# No goroutines: an Envoy worker calls a filter and waits. -opt=2 is for speed, which is what requests cost;
# TinyGo's own default is for size. -no-debug drops DWARF and keeps the names.
_TINYGO_FLAGS = ("-target=wasip1", "-buildmode=c-shared", "-scheduler=none", "-opt=2", "-no-debug")


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[build]`` of weft.toml."""

    compiler: Literal["go", "tinygo"] = "go"


class Go:
    """Implements ``Language`` for Go."""

    name = "go"
    tools = ("go",)

    async def build(self, job: Job) -> None:
        """Compile the package; raises ``UsageError`` for its options, ``BuildFailed`` for its source."""
        if _read_options(job).compiler == "tinygo":
            await _tinygo(job)
        else:
            await _go(job)


def _read_options(job: Job) -> _Options:
    try:
        return msgspec.convert(dict(job.options), _Options)
    except msgspec.ValidationError as error:
        raise UsageError(f"weft.toml: [build]: {error}") from error


async def _go(job: Job) -> None:
    # Without a word of ours, -mod=mod among a user's own flags would let Go write into the project.
    modules = "-mod=vendor" if _has_vendored(job.source) else "-mod=readonly"
    command: list[str | Path] = [job.tools["go"], "build", *_GO_FLAGS, modules, "-o", job.output, "."]
    await job.execute(command, cwd=job.source, env=_GO_ENVIRONMENT)


def _has_vendored(source: Path) -> bool:
    return (source / "vendor" / "modules.txt").is_file()


async def _tinygo(job: Job) -> None:
    """TinyGo compiles with the Go it finds on PATH, which is the job's."""
    command: list[str | Path] = ["tinygo", "build", *_TINYGO_FLAGS, "-o", job.output, "."]
    try:
        await job.execute(command, cwd=job.source, env={"GOTOOLCHAIN": "local"})
    except PartMissing as error:
        raise PartMissing(
            "weft.toml asks for TinyGo, which is not on PATH",
            hint='install TinyGo, or write compiler = "go" under [build]',
        ) from error
