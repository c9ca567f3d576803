"""AssemblyScript filters: the compiler of npm's ``assemblyscript``, with weft's SDK (``toolchains/sdk``).

The rules:

* ``@solo-io/proxy-runtime`` is always the SDK, also where a project has npm's package of this name in its
  ``node_modules``: that one does not compile with a current compiler. Other packages come from there;
* an ``asconfig.json`` of the project is not read: it usually says to write beside the source. ``[build]`` has
  what a filter may need;
* the module keeps the names of its functions, a fifth of its size, because backtraces show them;
* memory is collected as it goes (``--runtime incremental``): without a collector every request would leave
  something behind for ever. A request costs what the calls between Envoy and the module cost, so the highest
  level of optimization would only make builds slower.
"""

from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from weft.base.files import atomic_write
from weft.base.suggestions import near_key
from weft.errors import BuildFailed, UsageError
from weft.toolchains.language import Job

__all__ = ["AssemblyScript"]

_SDK = Path(__file__).parents[1] / "sdk" / "assemblyscript"

_COMPILE = ("--optimizeLevel", "2", "--shrinkLevel", "1", "--runtime", "incremental", "--noColors")
# A proxy-wasm host calls this before anything else; the wasm start function runs before the filter may log.
_START = ("--exportStart", "_initialize")
_LIBRARY = ("--lib", str(_SDK), "--lib", str(_SDK / "globals.ts"), "--transform", str(_SDK / "transform.mjs"))
_GLOBALS = ("abort=abort_proc_exit", "console=proxy_console", "seed=proxy_seed", "trace=proxy_trace")

# Flags that would send the module elsewhere, write a second file, or run what the project does not show.
_NOT_FOR_PROJECTS = frozenset(
    (
        *("--outFile", "-o", "--textFile", "-t", "--bindings", "-b", "--sourceMap", "--config", "--target"),
        *("--baseDir", "--noEmit", "--showConfig", "--version", "-v", "--help", "-h", "--wasm", "--"),
    )
)


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[build]`` of weft.toml."""

    entry: str = "assembly/index.ts"
    """The file that is compiled, with all it imports."""
    flags: tuple[str, ...] = ()
    """For the compiler, after weft's own."""
    symbols: Literal["names", "none"] = "names"
    """What the module keeps for backtraces: names of functions, or nothing."""


class AssemblyScript:
    """Implements ``Language`` for AssemblyScript."""

    name = "assemblyscript"
    tools = ("node", "assemblyscript")

    async def build(self, job: Job) -> None:
        """Compile the entry; raises ``UsageError`` for its options, ``BuildFailed`` for its source."""
        options = _read_options(job)
        module = job.scratch / "filter.wasm"
        try:
            await job.execute(_command(job, options, module), cwd=job.source)
        except BuildFailed as error:
            error.hint = error.hint or _advise(job.source / options.entry)
            raise
        if not module.is_file():  # the compiler takes no notice when it cannot write
            raise BuildFailed("the compiler wrote no module", hint=f"is there room in {job.scratch}?")
        atomic_write(job.output, module.read_bytes())


def _command(job: Job, options: _Options, module: Path) -> list[str | Path]:
    no_config = job.scratch / "asconfig.json"
    atomic_write(no_config, b"{}\n")
    words: list[str | Path] = [
        job.tools["node"],
        "--require",
        _SDK / "quick.cjs",
        job.tools["assemblyscript"],
    ]
    words += [options.entry, *_COMPILE, *_START, *_LIBRARY, "--config", no_config, "--outFile", module]
    for replaced in _GLOBALS:
        words += ["--use", replaced]
    if options.symbols == "names":
        words.append("--debug")
    return [*words, *options.flags]


def _read_options(job: Job) -> _Options:
    try:
        options = msgspec.convert(dict(job.options), _Options)
    except msgspec.ValidationError as error:
        raise UsageError(f"weft.toml: [build]: {error}", hint=near_key(error, _Options)) from error
    _check_entry(job.source, options.entry)
    for flag in options.flags:
        if flag.split("=")[0] in _NOT_FOR_PROJECTS:
            raise UsageError(f"weft.toml: [build]: flags: {flag} is weft's own to set")
    return options


def _advise(entry: Path) -> str | None:
    """What helps most with a filter that was written for another SDK."""
    text = entry.read_text(encoding="utf-8", errors="replace")
    if "ContextHelper" in text:  # and RootContextHelper: what wasme's template used
        return (
            "this is written for @solo-io/proxy-runtime 0.1.1: call constructors with (context_id) and"
            " (context_id, root_context), without ContextHelper.wrap, and read this.configuration"
        )
    return None


def _check_entry(source: Path, entry: str) -> None:
    path = PurePosixPath(entry)
    if path.is_absolute() or ".." in path.parts:
        raise UsageError(f"weft.toml: [build]: entry: {entry!r} leads out of the project")
    if path.suffix != ".ts" or not (source / path).is_file():
        raise UsageError(
            f"{source}: no AssemblyScript source {entry}",
            hint='name the file to compile in weft.toml: [build] entry = "assembly/index.ts"',
        )
