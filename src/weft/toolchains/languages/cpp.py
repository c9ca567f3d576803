"""C++ filters: ``zig c++`` with weft's own SDK (``toolchains/sdk/cpp``).

Every ``.cc``, ``.cpp``, ``.cxx`` and ``.c`` file beside ``weft.toml`` and under ``src/`` is compiled, then
all are linked. The rules:

* each file is a step of its own, so zig's cache skips those that did not change;
* the user's flags reach only what is compiled from the project; the C++ library that is linked is always
  the same, because zig builds another, for a minute, for each level of optimization;
* paths do not reach the module; of the debug information only the names of functions stay, for backtraces.
"""

import re
from pathlib import Path
from typing import Literal

import msgspec

from weft.base.files import atomic_write
from weft.base.suggestions import near_key
from weft.errors import BuildFailed, UsageError
from weft.toolchains.language import Job
from weft.toolchains.zig import CPP_SUFFIXES, Zig
from weft.wasm import read_module

__all__ = ["Cpp"]

_SUFFIXES = (*CPP_SUFFIXES, ".c")

_PREAMBLE_BYTES = 8  # magic and version, before a module's first section

_PROTOBUF = re.compile(r'#\s*include\s*["<](?:google/protobuf/|[^">\n]*\.pb\.h)')


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[build]`` of weft.toml."""

    sources: tuple[str, ...] = ()
    """Patterns of files to compile, instead of the usual ones."""
    flags: tuple[str, ...] = ()
    """For the compiler, after weft's own, which they may override."""
    defines: tuple[str, ...] = ()
    """``NAME`` or ``NAME=value``."""
    symbols: Literal["names", "full", "none"] = "names"
    """What the module keeps for backtraces: names of functions, all debug information (which has paths of
    this machine in it), nothing."""
    abi: Literal["0.2.1", "0.2.0", "0.1.0"] = "0.2.1"


class Cpp:
    """Implements ``Language`` for C++."""

    name: str = "cpp"
    tools: tuple[str, ...] = ("zig",)

    async def build(self, job: Job) -> None:
        """Compile and link the project; raises ``UsageError`` for options, ``BuildFailed`` for source."""
        options = _read_options(job)
        sources = _find_sources(job.source, options.sources)
        flags = (*(f"-D{define}" for define in options.defines), *options.flags)
        zig = Zig(job, options.abi, flags, debug=options.symbols == "full")
        try:
            objects = [await zig.compile(source) for source in sources]
        except BuildFailed as error:
            error.hint = error.hint or _advise(sources)
            raise
        module = await zig.link(objects)
        atomic_write(job.output, _trimmed(module, options.symbols))


def _read_options(job: Job) -> _Options:
    try:
        return msgspec.convert(dict(job.options), _Options)
    except msgspec.ValidationError as error:
        raise UsageError(f"weft.toml: [build]: {error}", hint=near_key(error, _Options)) from error


def _find_sources(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    """The files to compile, in an order that does not depend on the disk."""
    if patterns:
        return list(dict.fromkeys(path for pattern in patterns for path in _matching(folder, pattern)))
    found = [*folder.iterdir(), *(folder / "src").rglob("*")]
    sources = sorted(path for path in found if path.suffix in _SUFFIXES and path.is_file())
    if not sources:
        raise UsageError(
            f"{folder}: no C++ source",
            hint=f"files ending in {', '.join(_SUFFIXES)} here and in src/ are compiled",
        )
    return sources


def _matching(folder: Path, pattern: str) -> list[Path]:
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise UsageError(f"weft.toml: [build]: sources: {pattern!r} leads out of the project")
    found = sorted(path for path in folder.glob(pattern) if path.is_file())
    if not found:
        raise UsageError(f"weft.toml: [build]: sources: {pattern!r} matches no file")
    for path in found:
        if path.suffix not in _SUFFIXES:
            raise UsageError(
                f"weft.toml: [build]: sources: {path.name} is not a source file",
                hint=f"source files end in {', '.join(_SUFFIXES)}",
            )
    return found


def _advise(sources: list[Path]) -> str | None:
    """What helps most with a filter that was written for another build."""
    if any(_PROTOBUF.search(path.read_text(encoding="utf-8", errors="replace")) for path in sources):
        return "there is no protobuf here; read the config with weft::Config of weft_config.h"
    return None


def _trimmed(module: bytes, symbols: str) -> bytes:
    """``module`` without the custom sections that ``symbols`` does not ask for; the rest stays as it is."""
    end = _PREAMBLE_BYTES
    kept = [module[:end]]
    for section in read_module(module).sections:
        start, end = end, section.offset + section.size
        debug = section.custom and section.name.startswith(".debug_")
        named = section.custom and section.name == "name"
        if not (debug and symbols != "full") and not (named and symbols == "none"):
            kept.append(module[start:end])
    return b"".join(kept)
