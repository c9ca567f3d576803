"""Does a text look as it should."""

import re
from base64 import b64decode

from weft.scenario.document import Match, Matcher

__all__ = ["decoded", "described", "matches"]


def decoded(data: bytes) -> str:
    """Bytes as a matcher sees them."""
    return data.decode("utf-8", "backslashreplace")


def matches(matcher: Matcher, text: str | None) -> bool:
    """Whether ``text`` (``None``: there is none) is what is meant."""
    if not isinstance(matcher, Match):
        return text == str(matcher)
    if matcher.absent or text is None:
        return matcher.absent and text is None
    return (
        (matcher.exact is None or text == matcher.exact)
        and (matcher.regex is None or re.fullmatch(matcher.regex, text, re.DOTALL) is not None)
        and (matcher.contains is None or matcher.contains in text)
        and (matcher.base64 is None or text == decoded(b64decode(matcher.base64)))
    )


def described(matcher: Matcher) -> str:
    """The matcher in a few words."""
    if not isinstance(matcher, Match):
        return str(matcher)
    if matcher.absent:
        return "(nothing)"
    words = [
        f"{word}{text}"
        for word, text in (
            ("", matcher.exact),
            ("matching ", matcher.regex),
            ("containing ", matcher.contains),
            ("the bytes ", matcher.base64),
        )
        if text is not None
    ]
    return " and ".join(words) or "anything"
