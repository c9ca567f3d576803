"""C++ filters: ``zig c++`` with weft's own SDK (``toolchains/sdk/cpp``).

Every ``.cc``, ``.cpp``, ``.cxx`` and ``.c`` file beside ``weft.toml`` and under ``src/`` is compiled, then
all are linked. The rules:

* each file is a step of its own, so zig's cache skips those that did not change;
* the SDK is parsed once per project and read back as a precompiled header: parsing it and the standard
  library is half of what a build takes;
* the user's flags reach only what is compiled from the project; the C++ library that is linked is always
  the same, because zig builds another, for a minute, for each level of optimization;
* paths do not reach the module; of the debug information only the names of functions stay, for backtraces.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from weft.base.files import atomic_write
from weft.errors import BuildFailed, UsageError
from weft.toolchains.language import Job
from weft.wasm import read_module

__all__ = ["Cpp"]

_SDK = Path(__file__).parents[1] / "sdk" / "cpp"
_HEADERS = [_SDK / name for name in ("weft_config.h", "weft_json.h", "proxy_wasm_intrinsics.h")]
"""What is precompiled: the first includes the others."""

_TARGET = ("-target", "wasm32-wasi", "-mexec-model=reactor")
_COMPILE = ("-O2", "-g0", "-Wall", "-fno-exceptions")
_CPP = ("-std=c++20", "-fno-rtti")
# zig's default is 16 MiB, which every VM of every worker would get; 1 MiB is what Rust gives its modules.
_LINK = ("-O2", "-g0", "-Wl,-z,stack-size=1048576")

_CPP_SUFFIXES = (".cc", ".cpp", ".cxx")
_SUFFIXES = (*_CPP_SUFFIXES, ".c")

# Nothing but comments and other includes before the SDK: then it may as well come first, precompiled.
_BEGINS_WITH_SDK = re.compile(
    r"""(?: \s++ | //[^\n]*+ | /\*(?:[^*]|\*(?!/))*+\*/ | \#[ ]*include\s*["<](?!proxy_wasm_intr)[^\n]*+ )*+
        \#[ ]*include\s*["<]proxy_wasm_intrinsics\.h[">]""",
    re.VERBOSE,
)
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
        compiler = _Compiler(job, options)
        try:
            objects = [await compiler.compile(source) for source in sources]
        except BuildFailed as error:
            error.hint = error.hint or _advise(sources)
            raise
        module = await compiler.link(objects)
        atomic_write(job.output, _trimmed(module, options.symbols))


def _read_options(job: Job) -> _Options:
    try:
        return msgspec.convert(dict(job.options), _Options)
    except msgspec.ValidationError as error:
        raise UsageError(f"weft.toml: [build]: {error}") from error


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
    if any(_PROTOBUF.search(_text(path)) for path in sources):
        return "there is no protobuf here; read the config with weft::Config of weft_config.h"
    return None


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


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


@dataclass(frozen=True, slots=True)
class _Compiler:
    """zig, for one job."""

    job: Job
    options: _Options

    async def compile(self, source: Path) -> Path:
        """One file into an object file in the scratch folder."""
        name = source.relative_to(self.job.source)
        target = self.job.scratch / f"{str(name).replace('/', '+')}.o"
        is_cpp = source.suffix in _CPP_SUFFIXES
        flags = [*self._flags(is_cpp=is_cpp)]
        if is_cpp and _BEGINS_WITH_SDK.match(_text(source)):
            flags += ["-include-pch", str(await self._precompiled())]
        await self._zig("c++" if is_cpp else "cc", [*flags, "-c", str(name), "-o", str(target)])
        return target

    async def link(self, objects: list[Path]) -> bytes:
        """The module, with all debug information. The file's name becomes part of it."""
        target = self.job.scratch / "filter.wasm"
        await self._zig("c++", [*_LINK, *map(str, objects), "-o", str(target)])
        return target.read_bytes()

    def _flags(self, *, is_cpp: bool) -> Iterator[str]:
        yield from _COMPILE
        if is_cpp:
            yield from _CPP
        if self.options.symbols == "full":
            yield "-g"
        yield from ("-isystem", str(_SDK))
        # The last one that fits wins: the SDK may lie inside the project.
        for path, short in ((self.job.source, "."), (self.job.tools["zig"].parent, "zig"), (_SDK, "weft")):
            yield f"-ffile-prefix-map={path}={short}"
        if self.options.abi != "0.2.1":
            yield f"-DPROXY_WASM_ABI_{self.options.abi.replace('.', '_')}"
        yield from (f"-D{define}" for define in self.options.defines)
        yield from (flag for flag in self.options.flags if is_cpp or not flag.startswith("-std="))

    async def _precompiled(self) -> Path:
        """The SDK, parsed with this project's flags. The compiler wants all it was made of unchanged."""
        flags = [*self._flags(is_cpp=True)]
        made_of = [(str(path), path.stat().st_mtime_ns) for path in (*_HEADERS, self.job.tools["zig"])]
        key = hashlib.sha256(repr((flags, made_of)).encode()).hexdigest()[:16]
        target = self.job.cache / f"sdk-{key}.pch"
        if not target.exists():
            for old in self.job.cache.glob("sdk-*.pch*"):
                old.unlink()
            temporary = target.with_suffix(".pch.new")
            await self._zig("c++", [*flags, "-x", "c++-header", str(_HEADERS[0]), "-o", str(temporary)])
            temporary.replace(target)
        return target

    async def _zig(self, command: str, words: list[str]) -> None:
        await self.job.execute([self.job.tools["zig"], command, *_TARGET, *words], cwd=self.job.source)
