"""Which real parts this machine has, asked once a run.

A part is a name a test can need; its probe gives ``None`` when it is there, or why it is not.
"""

import os
import shutil
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from weft.base.paths import Places
from weft.wasm import ENVOY_VERSION


def envoy_binary() -> Path | None:
    """The Envoy that ``weft toolchain install`` brought, in the version the ABI tables were measured on."""
    path = Places.from_env(os.environ).tools / "envoy" / ENVOY_VERSION / "envoy" / "_bin" / "envoy"
    return path if path.is_file() else None


def _why_no_envoy() -> str | None:
    return None if envoy_binary() else f"Envoy {ENVOY_VERSION} among weft's tools"


PROBES: dict[str, Callable[[], str | None]] = {"envoy": _why_no_envoy}


def tool(name: str, program: str) -> Path | None:
    """A program in weft's tools folder, of whatever version is there."""
    found = sorted((Places.from_env(os.environ).tools / name).glob(f"*/{program}"))
    return found[-1] if found else None


def _why_no_registry(name: str) -> Callable[[], str | None]:
    return lambda: None if tool(name, "registry") else "scripts/registry-parts has not fetched it"


PROBES |= {
    "distribution": _why_no_registry("distribution"),
    "docker-registry": _why_no_registry("docker-registry"),
    "openssl": lambda: None if shutil.which("openssl") else "openssl is not on PATH",
}


@cache
def _why_missing(part: str) -> str | None:
    return PROBES[part]()


def missing_parts(parts: Iterable[str]) -> dict[str, str]:
    """Part → reason, for those of ``parts`` that are not here."""
    return {part: why for part in parts if (why := _why_missing(part)) is not None}
