"""Which real parts this machine has, asked once a run.

A part is a name a test can need; its probe gives ``None`` when it is there, or why it is not.
"""

import os
import shutil
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from weft.base.paths import Places


def tool(name: str, program: str) -> Path | None:
    """A program in weft's tools folder, of whatever version is there."""
    found = sorted((Places.from_env(os.environ).tools / name).glob(f"*/{program}"))
    return found[-1] if found else None


def _openssl() -> str | None:
    return None if shutil.which("openssl") else "openssl is not on PATH"


def _registry(name: str) -> Callable[[], str | None]:
    return lambda: None if tool(name, "registry") else "scripts/registry-parts has not fetched it"


PROBES: dict[str, Callable[[], str | None]] = {
    "distribution": _registry("distribution"),
    "docker-registry": _registry("docker-registry"),
    "openssl": _openssl,
}


@cache
def _why_missing(part: str) -> str | None:
    return PROBES[part]()


def missing_parts(parts: Iterable[str]) -> dict[str, str]:
    """Part → reason, for those of ``parts`` that are not here."""
    return {part: why for part in parts if (why := _why_missing(part)) is not None}
