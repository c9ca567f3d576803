"""Which real parts this machine has, asked once a run.

A part is a name a test can need; its probe gives ``None`` when it is there, or why it is not.
"""

from collections.abc import Callable, Iterable
from functools import cache

PROBES: dict[str, Callable[[], str | None]] = {}


@cache
def _why_missing(part: str) -> str | None:
    return PROBES[part]()


def missing_parts(parts: Iterable[str]) -> dict[str, str]:
    """Part → reason, for those of ``parts`` that are not here."""
    return {part: why for part in parts if (why := _why_missing(part)) is not None}
