"""Label selectors in the API's own form, as far as weft writes them: ``a=b``, ``a``, ``a in (b, c)``."""

import re
from collections.abc import Mapping
from functools import lru_cache

__all__ = ["matches"]

_TERM = re.compile(r"\s*([^\s=!,()]+)\s*(?:=\s*([^\s=!,()]*)|\s+in\s*\(([^)]*)\))?\s*(?:,|$)")


def matches(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether ``labels`` are what ``selector`` wants; raises ``ValueError`` for a form not known here."""
    return all(
        key in labels and (wanted is None or labels[key] in wanted) for key, wanted in _terms(selector)
    )


@lru_cache(maxsize=256)
def _terms(selector: str) -> tuple[tuple[str, frozenset[str] | None], ...]:
    terms, place = [], 0
    while place < len(selector):
        found = _TERM.match(selector, place)
        if found is None:
            raise ValueError(f"{selector!r} is not understood from {selector[place:]!r} on")
        key, value, values = found.groups()
        wanted = (
            None if value is None and values is None else {value} if values is None else values.split(",")
        )
        terms.append((key, None if wanted is None else frozenset(one.strip() for one in wanted)))
        place = found.end()
    return tuple(terms)
