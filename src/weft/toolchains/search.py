"""Look for one tool on this machine: beside weft, on PATH, among what weft fetched.

The first that will do is taken, in that order, so what a user installed by choice wins over what weft
brought; Envoy is the exception, see ``Tool.own_first``. A program is asked for its version only when it is
a stranger: a fetched folder carries the version in its name.
"""

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from weft.toolchains.tool import OnPath, Tool, read_version

__all__ = ["Absent", "Found", "beside_weft", "look_for", "run_quietly"]

_ASK_SECONDS = 20.0  # rustup may be starting a toolchain on a cold disk


@dataclass(frozen=True, slots=True)
class Found:
    """A tool that will do."""

    tool: Tool
    path: Path
    """The program, absolute."""
    version: str
    origin: str
    """``PATH``, ``python`` (installed beside weft) or ``weft`` (fetched)."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A tool that is not here."""

    tool: Tool
    refused: tuple[str, ...]
    """What is here of that name, and why it will not do."""

    @property
    def reason(self) -> str:
        """One line for people."""
        return "; ".join(self.refused) or f"{self.tool.name} is not on this machine"

    @property
    def remedy(self) -> str:
        """What to type."""
        if self.tool.package or not self.tool.advice:
            return f"weft toolchain install {self.tool.name}"
        return self.tool.advice if self.refused else f"put {self.tool.name} on PATH, then {self.tool.advice}"


def look_for(tool: Tool, folder: Path, env: Mapping[str, str]) -> Found | Absent:
    """Find ``tool``; ``folder`` is where weft keeps tools it fetched, ``env`` the user's environment."""
    if own := beside_weft(tool) or (_fetched(tool, folder) if tool.own_first else None):
        return own
    refused: list[str] = []
    if tool.on_path:
        by_hand = sorted((folder / tool.name).glob("*/bin"))
        for candidate, origin in _candidates(tool.on_path, env, by_hand):
            verdict = _judge(tool, tool.on_path, candidate, env, origin)
            if isinstance(verdict, Found):
                return verdict
            refused.append(verdict)
    return _fetched(tool, folder) or Absent(tool, tuple(refused))


def run_quietly(command: list[str | Path], env: Mapping[str, str]) -> str | None:
    """What a program answers, or ``None`` when it does not run."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ASK_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace")


def _candidates(
    wanted: OnPath, env: Mapping[str, str], by_hand: Iterable[Path]
) -> Iterator[tuple[Path, str]]:
    """Programs in PATH's folders, each folder once, then in folders that were put among weft's tools."""
    path = [Path(name) for name in env.get("PATH", "").split(os.pathsep) if name]
    seen: set[Path] = set()
    for folder, origin in [*((each, "PATH") for each in path), *((each, "weft") for each in by_hand)]:
        programs = [folder / program for program in wanted.programs]
        if not all(program.is_file() and os.access(program, os.X_OK) for program in programs):
            continue
        if (real := folder.resolve()) not in seen:
            seen.add(real)
            yield programs[0].absolute(), origin


def _judge(tool: Tool, wanted: OnPath, program: Path, env: Mapping[str, str], origin: str) -> Found | str:
    answer = run_quietly([program, *tool.ask_version], env)
    version = read_version(answer) if answer is not None else None
    if version is None:
        return f"{program} does not tell its version"
    text = ".".join(str(part) for part in version)
    if refusal := wanted.refuse(version):
        return f"{program} is {text}; {refusal}"
    if wanted.targets and not _has_target(wanted, program.parent, env):
        return f"{program} {text} has neither {' nor '.join(wanted.targets)}"
    return Found(tool, program, text, origin)


def _has_target(wanted: OnPath, folder: Path, env: Mapping[str, str]) -> bool:
    for target in wanted.targets:
        answer = run_quietly([folder / "rustc", "--print", "target-libdir", "--target", target], env)
        if answer and any(Path(answer.strip()).glob("libstd-*.rlib")):
            return True
    return False


def beside_weft(tool: Tool) -> Found | None:
    """A Python distribution's program, by its file list: other distributions may claim its import name."""
    if tool.distribution is None or tool.package is None:
        return None
    from importlib import metadata

    try:
        distribution = metadata.distribution(tool.distribution)
    except metadata.PackageNotFoundError:
        return None
    path = Path(str(distribution.locate_file(tool.package.program)))
    return Found(tool, path, distribution.version, "python") if path.is_file() else None


def _fetched(tool: Tool, folder: Path) -> Found | None:
    if tool.package is None:
        return None
    path = folder / tool.name / tool.package.version / tool.package.program
    return Found(tool, path.absolute(), tool.package.version, "weft") if path.is_file() else None
