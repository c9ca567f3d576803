"""A suite's expectation of a text as a scenario's: all that is asked for at once becomes one ``Match``.

Regular expressions are RE2's and match the whole text; a dot is no line end, unless ``(?s)`` says so.
"""

import re
import warnings
from collections.abc import Callable, Sequence

from weft.scenario.document import Match
from weft.scenario.suites.fields import Part
from weft.scenario.suites.tree import Place

__all__ = ["Read", "exact_text", "match"]

Read = Callable[[str, Place], bytes]
"""The content of a file that a suite names there; raises ``UsageError``."""

_FLAGS = re.compile(r"\(\?([imsU]+)\)")
_UNKNOWN = re.compile(r"(?<!\\)(?:\\\\)*(\\[CpPQ]|\[\[:)")
_END = r"\Z"


def match(matchers: Sequence[Part], read: Read, before: str | None = "") -> Match:
    """What a text must be for all ``matchers``, when ``before`` stands in front of it; ``None`` for anything.

    Raises ``UsageError`` with the line of one that is not to be had.
    """
    (only, *others) = matchers
    if not others and before is not None and not only.truth("invert"):
        exact = _exact(only, read)
        if exact is not None:
            return Match(exact=before + exact)
        if not before:
            return Match(regex=_translated(only))
    parts = [_pattern(matcher, read) for matcher in matchers]
    front = r"(?s:.*)" if before is None else re.escape(before)
    return Match(regex=front + "".join(parts) + r"(?s:.*)")


def exact_text(matchers: Sequence[Part], read: Read) -> str | None:
    """The only text that fits; ``None`` where several do."""
    fixed = [_exact(matcher, read) for matcher in matchers if not matcher.truth("invert")]
    return next((text for text in fixed if text is not None), None)


def _pattern(matcher: Part, read: Read) -> str:
    """A look ahead to the end of the text."""
    exact = _exact(matcher, read)
    inner = _translated(matcher) if exact is None else re.escape(exact)
    return f"(?{'!' if matcher.truth('invert') else '='}{inner}{_END})"


def _exact(matcher: Part, read: Read) -> str | None:
    given = [name for name in ("exact", "regex", "file") if matcher.has(name)]
    if len(given) != 1:
        raise matcher.place.wrong("a StringMatcher has one of exact, regex and file")
    if matcher.has("exact"):
        return _shown(matcher.text("exact").encode("utf-8", "surrogateescape"))
    return _shown(read(matcher.text("file"), matcher.at("file"))) if matcher.has("file") else None


def _shown(data: bytes) -> str:
    """Bytes as the judge sees them."""
    return data.decode("utf-8", "backslashreplace")


def _translated(matcher: Part) -> str:
    pattern, place = matcher.text("regex"), matcher.at("regex")
    flags = ""
    if found := _FLAGS.match(pattern):
        flags, pattern = found[1], pattern[found.end() :]
    unknown = "U" if "U" in flags else (other[1] if (other := _UNKNOWN.search(pattern)) else None)
    if unknown:
        raise place.wrong(f"{unknown} of RE2 cannot be translated")
    pattern = re.sub(r"(?<!\\)((?:\\\\)*)\\z", r"\1\\Z", pattern)
    on = "".join(sorted(set(flags)))
    made = f"(?{on}{'' if 's' in on else '-s'}:{pattern})"
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(made)
    except re.error as error:
        raise place.wrong(f"{pattern!r} cannot be translated: {error.msg}") from error
    return made
