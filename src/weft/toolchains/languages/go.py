"""Go filters: Go's own compiler and the official SDK, a module that ``go.mod`` names; or TinyGo, when asked.

The rules:

* the module is a WASI reactor: Envoy runs ``init`` and then calls what the SDK exports, ``main`` never;
* ``go.mod`` and ``go.sum`` are what they are: nothing is added or updated, and no other Go is fetched;
* a user's GOFLAGS do not count: they could change the module, or let Go write into the project;
* no paths, no build id and no state of version control in the module; the functions' names stay, because
  backtraces show them and they are two hundredths of the size.
"""

from typing import Literal

import msgspec

from weft.errors import PartMissing, UsageError
from weft.toolchains.language import Job

__all__ = ["Go"]

# An empty GOFLAGS would bring those that `go env -w` wrote.
_ENVIRONMENT = {"GOFLAGS": "-trimpath", "GOTOOLCHAIN": "local"}
_PLATFORM = {"GOOS": "wasip1", "GOARCH": "wasm"}
_GO_FLAGS = ("-buildmode=c-shared", "-buildvcs=false", "-ldflags=-buildid=")

# No goroutines: an Envoy worker calls a filter and waits. -opt=2 is for speed, which is what requests cost;
# TinyGo's own default is for size. -no-debug drops DWARF and keeps the names.
_TINYGO_FLAGS = ("-target=wasip1", "-buildmode=c-shared", "-scheduler=none", "-opt=2", "-no-debug")


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[build]`` of weft.toml."""

    compiler: Literal["go", "tinygo"] = "go"


class Go:
    """Implements ``Language`` for Go."""

    name = "go"
    tools: tuple[str, ...] = ("go",)

    async def build(self, job: Job) -> None:
        """Compile the package; raises ``UsageError`` for its options, ``BuildFailed`` for its source."""
        if _read_options(job).compiler == "tinygo":
            await _tinygo(job)
        else:
            command = [str(job.tools["go"]), "build", *_GO_FLAGS, "-o", str(job.output), "."]
            await job.execute(command, cwd=job.source, env={**_ENVIRONMENT, **_PLATFORM})


def _read_options(job: Job) -> _Options:
    try:
        return msgspec.convert(dict(job.options), _Options)
    except msgspec.ValidationError as error:
        raise UsageError(f"weft.toml: [build]: {error}") from error


async def _tinygo(job: Job) -> None:
    """TinyGo compiles with the Go it finds on PATH, which is the job's."""
    command = ["tinygo", "build", *_TINYGO_FLAGS, "-o", str(job.output), "."]
    try:
        await job.execute(command, cwd=job.source, env=_ENVIRONMENT)
    except PartMissing as error:
        raise PartMissing(
            "weft.toml asks for TinyGo, which is not on PATH",
            hint='install TinyGo, or write compiler = "go" under [build]',
        ) from error
