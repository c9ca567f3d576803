"""Which packages a lock file pins: Cargo's, Go's and npm's."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from weft.attachments.origin import Part
from weft.errors import UsageError

__all__ = ["LOCK_FILES", "read_locked"]

_REQUIRE = re.compile(r"^\s*(?:require\s+)?([^\s()/]+(?:/[^\s()]+)*)\s+(v\S+)", re.MULTILINE)
_NOT_REQUIRED = re.compile(r"^\s*(?:replace|exclude|retract)\s*(?:\([^)]*\)|.*)$", re.MULTILINE)
_COMMENT = re.compile(r"//.*")


def _cargo(text: str) -> Iterator[Part]:
    for package in tomllib.loads(text).get("package", ()):
        if package.get("source"):  # the rest is the project itself
            yield Part("cargo", package["name"], package["version"], package.get("checksum", ""))


def _go(text: str) -> Iterator[Part]:
    required = _NOT_REQUIRED.sub("", _COMMENT.sub("", text))
    for name, version in _REQUIRE.findall(required):
        yield Part("golang", name, version)


def _npm(text: str) -> Iterator[Part]:
    packages: dict[str, Any] = json.loads(text).get("packages", {})
    for where, package in packages.items():
        _, folder, name = where.rpartition("node_modules/")
        if folder and not package.get("link"):
            yield Part("npm", package.get("name", name), package["version"])


_READERS: Mapping[str, Callable[[str], Iterator[Part]]] = MappingProxyType(
    {"Cargo.lock": _cargo, "go.mod": _go, "package-lock.json": _npm}
)
LOCK_FILES = tuple(_READERS)
"""The file names that ``read_locked`` knows."""


def read_locked(name: str, text: str) -> tuple[Part, ...]:
    """The packages in the lock file ``name``, each once, sorted. Raises ``UsageError`` for what is none."""
    try:
        return tuple(sorted(set(_READERS[name](text))))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{name} cannot be read: {' '.join(str(error).split())[:200]}") from error
