"""What of a play nobody wants to see: a filter that fails, never ends, holds a stream for good, or differs.

A finding has a key: what has the same key has the same cause, as far as can be told. That is the words of a
failure and the places of its backtrace; of a failure that may come anywhere, such as the end of the stack,
only the words.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeGuard

from weft.scenario import Mismatch, Played
from weft.testhost import Probed
from weft.workflows.testing.on_both import compared

__all__ = ["Finding", "Kind", "differing", "failing", "found_on_host", "is_endless"]

_FAILED = re.compile(r"^Function: \w+ failed: .*", re.DOTALL | re.MULTILINE)
_FRAME = re.compile(r"^\s*\d+:\s+(0x[0-9a-f]+)", re.MULTILINE)
_NUMBER = re.compile(r"\d+")
_ANYWHERE = ("Maximum call stack size exceeded", "stopped by weft")
_STOPPED = ("stopped by weft", "without an end")
_LOUD = {"error", "critical"}
_MOST_LOGS = 5
_NOT_THE_SAME = " is not as on the host"


class Kind(StrEnum):
    """What went wrong."""

    TRAP = "trap"
    ENDLESS = "endless"
    HELD = "held"
    LEAK = "leak"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to repair."""

    kind: Kind
    title: str
    key: tuple[str, ...]
    detail: tuple[str, ...] = ()
    """What else is known, line by line."""


def found_on_host(probed: Probed) -> Finding | None:
    """What the test host saw, the worst of it."""
    if (found := failing(probed.played)) is not None:
        return found
    if not probed.held:
        return None
    sides = tuple(dict.fromkeys(one.partition(" ")[0] for one in probed.held))
    title = f"the filter holds a {' and a '.join(sides)} for good"
    return Finding(Kind.HELD, title, (Kind.HELD, *sides), probed.held)


def failing(played: Played) -> Finding | None:
    """How the filter failed, if it did."""
    words = _failure(played)
    if words is None:
        return None
    first, _, rest = words.partition("\n")
    kind = Kind.ENDLESS if any(text in first for text in _STOPPED) else Kind.TRAP
    places = () if any(text in first for text in _ANYWHERE) else tuple(dict.fromkeys(_FRAME.findall(rest)))
    detail = (*_loud(played), *rest.splitlines())
    return Finding(kind, first.removeprefix("Function: "), (kind, _NUMBER.sub("0", first), *places), detail)


def differing(host: Played, envoy: Played) -> Finding | None:
    """The first thing that was not the same on both."""
    [result] = compared([host], [envoy])
    found = _first_of(result)
    if found is None:
        return None
    here = _first_of(host)
    if here is None or here.what != found.what:
        expected = found.expected
    elif found.what == "refused" or _head(here.got) == _head(found.got):
        return None  # each in its own words
    else:
        expected = here.got
    title = f"{found.what.removesuffix(_NOT_THE_SAME)}{_NOT_THE_SAME}"
    detail = (*_side("host ", expected), *_side("envoy", found.got))
    return Finding(Kind.DIFFERS, title, (Kind.DIFFERS, _NUMBER.sub("0", title)), detail)


def is_endless(finding: Finding | None) -> TypeGuard[Finding]:
    """Whether there is one, of a callback that runs on."""
    return finding is not None and finding.kind is Kind.ENDLESS


def _first_of(played: Played) -> Mismatch | None:
    return next((one for step in played.steps for one in step.mismatches), None)


def _head(text: str) -> str:
    return text.partition("\n")[0]


def _side(name: str, text: str) -> list[str]:
    first, *rest = text.splitlines() or [""]
    return [f"{name}  {first}", *(f"       {line}" for line in rest)]


def _failure(played: Played) -> str | None:
    """A proxy's words for a failure, also for one while the filter was started."""
    for step in played.steps:
        for found in step.mismatches:
            if found.what == "crash":
                return found.got
            if found.what == "refused" and (said := _FAILED.search(found.got)) is not None:
                return said[0]
    return None


def _loud(played: Played) -> list[str]:
    """The last the filter said before: the message of a panic is a line of its log."""
    lines = [line for step in played.steps if step.observed for line in step.observed.logs]
    return [f"{line.level}: {line.message}" for line in lines if line.level in _LOUD][-_MOST_LOGS:]
