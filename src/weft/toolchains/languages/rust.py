"""Rust filters: cargo builds the crate and the official SDK, crate ``proxy-wasm``, that its lock file names.

The rules:

* the target is wasm32-wasip1 where its standard library is installed, else wasm32-unknown-unknown, or what
  ``[build] target`` says; the same machine therefore always gives the same bytes;
* ``--locked``: cargo neither writes ``Cargo.lock`` nor chooses other versions than those in it, and asks no
  registry for crates it already has;
* the folders of the project, of cargo and of the build are written differently in the module;
* a filter is a ``cdylib``, found in what cargo reports rather than guessed from names;
* callbacks that the crate does not implement are not exported (``weft.toolchains.callbacks``): it is looked
  for in all files that cargo compiled for it but the registry's, and only where no crate of the registry
  could implement them.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from weft.base.files import atomic_write
from weft.base.suggestions import near_key
from weft.errors import BuildFailed, PartMissing, UsageError
from weft.toolchains.callbacks import without_idle_callbacks
from weft.toolchains.language import Job

__all__ = ["Rust"]

# With WASI a filter may use all of Rust's standard library: clocks, random numbers, standard error.
_TARGETS = ("wasm32-wasip1", "wasm32-unknown-unknown")

_SDK = "proxy-wasm"
_METHODS = {
    "proxy_on_request_headers": ("on_http_request_headers",),
    "proxy_on_request_body": ("on_http_request_body",),
    "proxy_on_request_trailers": ("on_http_request_trailers",),
    "proxy_on_response_headers": ("on_http_response_headers",),
    "proxy_on_response_body": ("on_http_response_body",),
    "proxy_on_response_trailers": ("on_http_response_trailers",),
    "proxy_on_log": ("on_log",),
    "proxy_on_done": ("on_done",),
}

# The job shows a step's output to the user. What is meant for us goes to a file, the rest past it.
_ASIDE = 'file=$1; shift; exec "$@" > "$file"'
_ASK = 'echo "${CARGO_HOME:-$HOME/.cargo}"; exec "$0" --print sysroot'


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[build]`` of weft.toml."""

    target: Literal["wasm32-wasip1", "wasm32-unknown-unknown"] | None = None
    callbacks: Literal["used", "all"] = "used"
    """What the module exports. A method whose name only a macro puts together needs ``all``."""


class Rust:
    """Implements ``Language`` for Rust; the tool is cargo, with rustc beside it."""

    name = "rust"
    tools: tuple[str, ...] = ("rust",)

    async def build(self, job: Job) -> None:
        """Compile the crate; raises ``UsageError`` for its options, ``BuildFailed`` for its source."""
        options = _read_options(job)
        cargo_home, sysroot = await _ask_rustc(job)
        target = options.target or _first_installed(sysroot)
        messages = job.scratch / "messages"
        command: list[str | Path] = [job.tools["rust"], "build", "--release", "--locked", "--target", target]
        command += ["--target-dir", job.cache, "--message-format", "json-render-diagnostics"]
        command += ["--config", f"target.{target}.rustflags={_remap(job, cargo_home)}"]
        try:
            await job.execute(_aside(messages, command), cwd=job.source)
        except BuildFailed as error:
            if "--locked" in (error.detail or ""):
                error.hint = "bring Cargo.lock up to date, in the project: cargo update --workspace"
            raise
        path = _only(list(_modules(messages.read_text())))
        module = path.read_bytes()
        if options.callbacks == "used" and _knows_all_callers(job.source):
            module = without_idle_callbacks(module, _METHODS, _compiled_text(path.with_suffix(".d")))
        atomic_write(job.output, module)


def _read_options(job: Job) -> _Options:
    try:
        return msgspec.convert(dict(job.options), _Options)
    except msgspec.ValidationError as error:
        raise UsageError(f"weft.toml: [build]: {error}", hint=near_key(error, _Options)) from error


async def _ask_rustc(job: Job) -> tuple[str, Path]:
    """Cargo's home and the root of the compiler that cargo will use in this project."""
    answer = job.scratch / "rustc"
    rustc = job.tools["rust"].with_name("rustc")
    await job.execute(_aside(answer, ["/bin/sh", "-c", _ASK, str(rustc)]), cwd=job.source)
    cargo_home, sysroot = answer.read_text().splitlines()
    return cargo_home, Path(sysroot)


def _first_installed(sysroot: Path) -> str:
    for target in _TARGETS:
        if any((sysroot / "lib/rustlib" / target / "lib").glob("libstd-*.rlib")):
            return target
    raise PartMissing(
        f"the Rust of this project, in {sysroot}, cannot compile to WebAssembly",
        hint=f"rustup target add {_TARGETS[0]}",
    )


def _remap(job: Job, cargo_home: str) -> str:
    """Flags for rustc, as a TOML list. Panics and backtraces then name ``src/lib.rs``, wherever that lies."""
    folders = ((cargo_home, "cargo"), (job.cache, "target"), (job.source, "."))
    flags = [f"--remap-path-prefix={folder}={short}" for folder, short in folders]
    return json.dumps(flags, ensure_ascii=False)


def _aside(file: Path, command: Sequence[str | Path]) -> list[str | Path]:
    return ["/bin/sh", "-c", _ASIDE, "sh", file, *command]


def _modules(messages: str) -> Iterator[Path]:
    """The modules among what cargo says it made, one JSON document a line."""
    for line in messages.splitlines():
        message = json.loads(line)
        if message["reason"] == "compiler-artifact" and "cdylib" in message["target"]["crate_types"]:
            yield from (Path(name) for name in message["filenames"] if name.endswith(".wasm"))


def _only(modules: Sequence[Path]) -> Path:
    if not modules:
        raise BuildFailed(
            "cargo made no WebAssembly module", hint='Cargo.toml needs: [lib] crate-type = ["cdylib"]'
        )
    if len(modules) > 1:
        raise BuildFailed(
            f"cargo made several modules: {', '.join(module.name for module in modules)}",
            hint="put weft.toml beside the Cargo.toml of the one that is the filter",
        )
    return modules[0]


def _knows_all_callers(source: Path) -> bool:
    """Whether the SDK is the official one, and no crate from elsewhere builds on it."""
    lock = next((at / "Cargo.lock" for at in (source, *source.parents) if (at / "Cargo.lock").exists()), None)
    packages = tomllib.loads(lock.read_text()).get("package", []) if lock else []
    foreign = [package for package in packages if "source" in package]
    users = [name.split()[0] for package in foreign for name in package.get("dependencies", ())]
    return any(package["name"] == _SDK for package in foreign) and _SDK not in users


def _compiled_text(dependencies: Path) -> str:
    """All source that cargo compiled for a module but the registry's: its list is a rule for ``make``."""
    paths = re.split(r"(?<!\\) ", dependencies.read_text().split(": ", 1)[1].strip())
    return "\n".join(Path(path.replace("\\ ", " ")).read_text(errors="replace") for path in paths)
