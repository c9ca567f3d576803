"""Which real parts this machine has, asked once a run.

A part is a name a test can need; its probe gives ``None`` when it is there, or why it is not.
"""

import os
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


@cache
def _why_missing(part: str) -> str | None:
    return PROBES[part]()


def missing_parts(parts: Iterable[str]) -> dict[str, str]:
    """Part → reason, for those of ``parts`` that are not here."""
    return {part: why for part in parts if (why := _why_missing(part)) is not None}
