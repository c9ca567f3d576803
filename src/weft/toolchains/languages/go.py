"""Go filters: Go's own compiler and the official SDK, a module that ``go.mod`` names; or TinyGo, when asked.

The rules:

* the module is a WASI reactor: Envoy runs ``init`` and then calls what the SDK exports, ``main`` never;
* ``go.mod`` and ``go.sum`` are what they are: nothing is added or updated, and no other Go is fetched;
* a user's GOFLAGS do not count: they could change the module, or let Go write into the project;
* no paths, no build id and no state of version control in the module; the functions' names stay, because
  backtraces show them and they are two hundredths of the size;
* callbacks that the filter does not implement are not exported (``weft.toolchains.callbacks``): their methods
  are looked for in the project's own package and among the functions of all others but the SDK.
"""

from pathlib import Path
from typing import Literal

import msgspec

from weft.base.files import atomic_write
from weft.base.suggestions import near_key
from weft.errors import PartMissing, UsageError
from weft.toolchains.callbacks import without_idle_callbacks
from weft.toolchains.language import Job
from weft.wasm import read_module

__all__ = ["Go"]

# An empty GOFLAGS would bring those that `go env -w` wrote.
_ENVIRONMENT = {"GOFLAGS": "-trimpath", "GOTOOLCHAIN": "local"}
_PLATFORM = {"GOOS": "wasip1", "GOARCH": "wasm"}
_GO_FLAGS = ("-buildmode=c-shared", "-buildvcs=false", "-ldflags=-buildid=")

# No goroutines: an Envoy worker calls a filter and waits. -opt=2 is for speed, which is what requests cost;
# TinyGo's own default is for size. -no-debug drops DWARF and keeps the names.
_TINYGO_FLAGS = ("-target=wasip1", "-buildmode=c-shared", "-scheduler=none", "-opt=2", "-no-debug")

# As the linker writes packages in the names of functions.
_SDK, _MAIN = "github.com_proxy_wasm_proxy_wasm_go_sdk_", "main."
_METHODS = {
    "proxy_on_request_headers": ("OnHttpRequestHeaders",),
    "proxy_on_request_body": ("OnHttpRequestBody",),
    "proxy_on_request_trailers": ("OnHttpRequestTrailers",),
    "proxy_on_response_headers": ("OnHttpResponseHeaders",),
    "proxy_on_response_body": ("OnHttpResponseBody",),
    "proxy_on_response_trailers": ("OnHttpResponseTrailers",),
    "proxy_on_log": ("OnHttpStreamDone", "OnStreamDone"),
    "proxy_on_done": ("OnPluginDone",),
}


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[build]`` of weft.toml."""

    compiler: Literal["go", "tinygo"] = "go"
    callbacks: Literal["used", "all"] = "used"
    """What the module exports."""


class Go:
    """Implements ``Language`` for Go."""

    name = "go"
    tools: tuple[str, ...] = ("go",)

    async def build(self, job: Job) -> None:
        """Compile the package; raises ``UsageError`` for its options, ``BuildFailed`` for its source."""
        options = _read_options(job)
        if options.compiler == "tinygo":
            await _tinygo(job)
            return
        made = job.scratch / "filter.wasm"
        command = [str(job.tools["go"]), "build", *_GO_FLAGS, "-o", str(made), "."]
        await job.execute(command, cwd=job.source, env={**_ENVIRONMENT, **_PLATFORM})
        module = made.read_bytes()
        if options.callbacks == "used":
            module = _trimmed(module, job.source)
        atomic_write(job.output, module)


def _read_options(job: Job) -> _Options:
    try:
        return msgspec.convert(dict(job.options), _Options)
    except msgspec.ValidationError as error:
        raise UsageError(f"weft.toml: [build]: {error}", hint=near_key(error, _Options)) from error


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


def _trimmed(module: bytes, source: Path) -> bytes:
    names = read_module(module).function_names.values()
    if not any(name.startswith(_SDK) for name in names):
        return module
    own = [path.read_text(errors="replace") for path in source.glob("*.go")]
    others = [name for name in names if not name.startswith((_SDK, _MAIN))]
    return without_idle_callbacks(module, _METHODS, "\n".join([*own, *others]))
