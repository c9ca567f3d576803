"""Does a text look as it should."""

import re

from weft.scenario.document import Match, Matcher

__all__ = ["described", "matches"]


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
        )
        if text is not None
    ]
    return " and ".join(words) or "anything"
