"""Regular expressions that RE2 takes: Envoy turns down a whole listener for one that it does not."""

import re
import warnings

__all__ = ["why_not_re2"]

# What Python has and RE2 has not: looking around, references back, atomic groups, conditions, comments.
_FOREIGN = re.compile(r"\(\?(?:<?[=!]|>|\(|P[=>]|#)|\\[1-9]|[*+?}]\+")
# What RE2 has and Python has not: classes of Unicode, \z, \Q..\E.
_ITS_OWN = re.compile(r"\\[pP](?:\{\^?\w+\}|\w)|\\[zCQE]|\[\[:\^?\w+:\]\]")
_MAX = 1000


def why_not_re2(pattern: str) -> str | None:
    """Why RE2 would not take ``pattern``, or ``None``; a hint, not RE2's own verdict."""
    if len(pattern) > _MAX:
        return f"is longer than {_MAX} characters"
    plain = _ITS_OWN.sub("x", pattern)
    if found := _FOREIGN.search(re.sub(r"\\\\", "", plain)):
        return f"RE2, which Envoy uses, has no {found.group()!r}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(plain)
    except (re.error, OverflowError, RecursionError) as error:
        return f"{pattern!r} is no regular expression: {error}"
    return None
