"""What a registry wants to be shown: ``WWW-Authenticate`` as values (RFC 9110 §11.6.1). Pure.

Several challenges may stand in one header or in several; quoted values may hold commas.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Challenge", "parse_challenges"]

# A header has been limited by the HTTP client; this bounds what we make of it.
_MAX_CHALLENGES = 8
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PART = re.compile(
    rf"""\s*,?\s*
    (?:(?P<name>{_WORD})\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,"]+))
    |(?P<scheme>{_WORD})(?=\s|,|$))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """``scheme`` in lower case; parameter names too."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(headers: Sequence[str]) -> tuple[Challenge, ...]:
    """Read the headers; what cannot be read ends the header it stands in."""
    found: list[Challenge] = []
    for header in headers:
        found += _parse(header)
    return tuple(found[:_MAX_CHALLENGES])


def _parse(header: str) -> list[Challenge]:
    challenges: list[Challenge] = []
    parameters: dict[str, str] = {}
    position = 0
    while match := _PART.match(header, position):
        position = match.end()
        if match["scheme"]:
            parameters = {}
            challenges.append(Challenge(match["scheme"].lower(), parameters))
        elif challenges:
            quoted = match["quoted"]
            value = match["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            parameters.setdefault(match["name"].lower(), value)
    return challenges
