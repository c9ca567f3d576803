"""zig as the compiler of C++ filters: one file, the SDK, the link.

What every project needs alike is made once on a machine and kept under a name that says what it was made
of: the SDK's readers as a library, and the SDK parsed, as a precompiled header, since parsing it and the
standard library is half of what a build takes.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from weft.base.files import atomic_write
from weft.toolchains.language import Job

__all__ = ["CPP_SUFFIXES", "Zig"]

CPP_SUFFIXES = (".cc", ".cpp", ".cxx")

_SDK = Path(__file__).parent / "sdk" / "cpp"
_PRECOMPILED = "weft_config.h"  # and with it proxy_wasm_intrinsics.h
_LIBRARY = ("weft_config.cc", "weft_json.cc", "weft_regex.cc")
_KEPT_VERSIONS = 8
"""Of what is made once: other flags and other versions of weft have their own."""

_TARGET = ("-target", "wasm32-wasi", "-mexec-model=reactor")
_COMPILE = ("-O2", "-Wall", "-fno-exceptions")
_CPP = ("-std=c++20", "-fno-rtti")
# zig's default is 16 MiB, which every VM of every worker would get; 1 MiB is what Rust gives its modules.
_LINK = ("-O2", "-g0", "-Wl,-z,stack-size=1048576")

# Nothing but comments and other includes before the SDK: then it may as well come first, precompiled.
_BEGINS_WITH_SDK = re.compile(
    r"""(?: \s++ | //[^\n]*+ | /\*(?:[^*]|\*(?!/))*+\*/ | \#[ ]*include\s*["<](?!proxy_wasm_intr)[^\n]*+ )*+
        \#[ ]*include\s*["<]proxy_wasm_intrinsics\.h[">]""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Zig:
    """zig, for one job."""

    job: Job
    abi: str
    flags: Sequence[str]
    """The user's, for what is compiled from the project."""
    debug: bool = False

    async def compile(self, source: Path) -> Path:
        """One file of the project into an object file in the scratch folder."""
        name = source.relative_to(self.job.source)
        target = self.job.scratch / f"{str(name).replace('/', '+')}.o"
        is_cpp = source.suffix in CPP_SUFFIXES
        words = [*self._flags(is_cpp=is_cpp), f"-ffile-prefix-map={self.job.source}=."]
        if is_cpp and _begins_with_sdk(source):
            words += ["-include-pch", str(await self._precompiled())]
        await self._run("c++" if is_cpp else "cc", *_TARGET, *words, "-c", str(name), "-o", str(target))
        return target

    async def link(self, objects: Sequence[Path]) -> bytes:
        """The module, with all debug information. The output's name becomes part of it."""
        target = self.job.scratch / "filter.wasm"
        parts = [*map(str, objects), str(await self._library())]
        await self._run("c++", *_TARGET, *_LINK, *parts, "-o", str(target))
        return target.read_bytes()

    def _flags(self, *, is_cpp: bool = True, of_project: bool = True) -> Iterator[str]:
        yield from _COMPILE
        # One of them only: zig takes a -g0 before -g for the last word.
        yield "-g" if self.debug and of_project else "-g0"
        yield from _CPP if is_cpp else ()
        # The last that fits wins: the SDK may lie in a folder above or below zig's.
        yield f"-ffile-prefix-map={self.job.tools['zig'].parent}=zig"
        yield f"-ffile-prefix-map={_SDK}=weft"
        yield from ("-isystem", str(_SDK))
        if self.abi != "0.2.1":
            yield f"-DPROXY_WASM_ABI_{self.abi.replace('.', '_')}"
        if of_project:
            yield from (flag for flag in self.flags if is_cpp or not flag.startswith("-std="))

    async def _precompiled(self) -> Path:
        """The SDK, parsed with this project's flags."""
        flags = [*self._flags()]
        target = self._kept("precompiled", ".pch", flags)
        if not target.exists():
            made = self.job.scratch / "sdk.pch"
            words = [*_TARGET, *flags, "-x", "c++-header", str(_SDK / _PRECOMPILED)]
            await self._run("c++", *words, "-o", str(made))
            _keep(made, target)
        return target

    async def _library(self) -> Path:
        """What the SDK's headers only declare. The linker takes what a filter uses of it."""
        flags = [*self._flags(of_project=False)]
        target = self._kept("readers", ".a", flags)
        if not target.exists():
            objects = [self.job.scratch / f"{name}.o" for name in _LIBRARY]
            for name, made in zip(_LIBRARY, objects, strict=True):
                await self._run("c++", *_TARGET, *flags, "-c", str(_SDK / name), "-o", str(made))
            made = self.job.scratch / "readers.a"
            await self._run("ar", "rcs", str(made), *map(str, objects))
            _keep(made, target)
        return target

    def _kept(self, kind: str, suffix: str, flags: Sequence[str]) -> Path:
        """Where something made of the SDK is, or goes.

        The compiler takes a precompiled header only while all that went into it has its old time stamp.
        """
        inputs = [*sorted(_SDK.iterdir()), self.job.tools["zig"]]
        made_of = [(str(path), path.stat().st_mtime_ns) for path in inputs]
        key = hashlib.sha256(repr((made_of, flags)).encode()).hexdigest()[:16]
        target = (self.job.shared or self.job.cache) / f"{kind}-{key}{suffix}"
        if target.exists():
            os.utime(target)  # in use: not the next to go
        return target

    async def _run(self, *words: str) -> None:
        await self.job.execute([self.job.tools["zig"], *words], cwd=self.job.source)


def _begins_with_sdk(source: Path) -> bool:
    return _BEGINS_WITH_SDK.match(source.read_text(encoding="utf-8", errors="replace")) is not None


def _keep(made: Path, target: Path) -> None:
    """Put what was made where others find it, and drop what nobody used for longest."""
    atomic_write(target, made.read_bytes())
    kind = target.name.partition("-")[0]
    by_age = sorted(target.parent.glob(f"{kind}-*{target.suffix}"), key=lambda path: path.stat().st_mtime_ns)
    for old in by_age[:-_KEPT_VERSIONS]:
        old.unlink(missing_ok=True)
