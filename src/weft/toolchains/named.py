"""A tool that the user names: by its path, or by the beginning of the version of one that is here."""

import os
import re
from pathlib import Path

from weft.errors import PartMissing
from weft.toolchains.search import beside_weft
from weft.toolchains.tool import Tool

__all__ = ["named"]

_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)")


def named(tool: Tool, folder: Path, wanted: str, *, by: str) -> Path:
    """The program; ``folder`` is where weft keeps tools it fetched, ``by`` is where the user named it.

    Raises ``PartMissing`` that says what is wrong with it.
    """
    if version := _VERSION.fullmatch(wanted):
        numbers = _numbers(version[1])
        for program in _of_version(tool, folder, numbers):
            return program
        hint = (
            f"name the program's path; weft fetches no other than {tool.package.version}"
            if tool.package
            else None
        )
        if tool.package and _numbers(tool.package.version)[: len(numbers)] == numbers:
            hint = f"weft toolchain install {tool.name}"
        raise PartMissing(f"{by}: {tool.name} {version[1]} is not here", hint=hint)
    path = Path(wanted).expanduser()
    if not path.exists():
        raise PartMissing(f"{by}: {wanted} does not exist")
    if not _runs(path):
        raise PartMissing(f"{by}: {wanted} is not a program", hint=f"chmod +x {wanted}")
    return path.absolute()


def _of_version(tool: Tool, folder: Path, wanted: tuple[int, ...]) -> list[Path]:
    """The one beside weft, then what weft fetched, newest first."""
    inside = tool.package.program if tool.package else tool.name
    here = [(_numbers(place.name), place / inside) for place in (folder / tool.name).glob("[0-9]*")]
    here.sort(reverse=True)
    if found := beside_weft(tool):
        here.insert(0, (_numbers(found.version), found.path))
    return [path for version, path in here if version[: len(wanted)] == wanted and _runs(path)]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
