"""One place in the chain, another plugin for each kind of request.

Envoy has no config of a wasm filter per route: as per-route config it is refused, or taken and ignored. What
works (measured on 1.40) is a filter that is chosen when the request's headers are there: a matcher
(``ExtensionWithMatcher``) around a ``Composite`` filter whose action carries the whole wasm filter. Requests
that nothing matches run the plugin of all requests; disabled routes run none.

The path is matched without its query, the host without port and in any case of letters.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from weft.mesh.intent.intent import Match, Text
from weft.mesh.intent.plugin import Plugin

__all__ = ["Routed", "by_route", "matching_type"]

_TYPE = "type.googleapis.com/"
_MATCHING = _TYPE + "envoy.extensions.common.matching.v3.ExtensionWithMatcher"
_COMPOSITE = _TYPE + "envoy.extensions.filters.http.composite.v3.Composite"
_EXECUTE = _TYPE + "envoy.extensions.filters.http.composite.v3.ExecuteFilterAction"
_SKIP = _TYPE + "envoy.extensions.filters.common.matcher.action.v3.SkipFilter"
_HEADER = _TYPE + "envoy.type.matcher.v3.HttpRequestHeaderMatchInput"

_QUERY = r"(\?.*)?"
_PORT = r"(:[0-9]+)?"


@dataclass(frozen=True, slots=True)
class Routed:
    """What matching requests get; without a plugin they pass."""

    match: Match
    plugin: Plugin | None


def matching_type() -> str:
    """The type of a filter with routes."""
    return _MATCHING


def by_route(
    plugin: Plugin, routes: Sequence[Routed], typed_config: Callable[[Plugin], dict[str, Any]]
) -> dict[str, Any]:
    """The ``typed_config`` of a filter that is ``plugin``, save for requests that one of ``routes`` takes."""

    def action(chosen: Plugin | None) -> dict[str, Any]:
        if chosen is None:
            return {"action": {"name": "skip", "typed_config": {"@type": _SKIP}}}
        inner = {"name": chosen.id, "typed_config": typed_config(chosen)}
        return {"action": {"name": chosen.id, "typed_config": {"@type": _EXECUTE, "typed_config": inner}}}

    matchers = [
        {"predicate": _predicate(list(_conditions(route.match))), "on_match": action(route.plugin)}
        for route in routes
    ]
    return {
        "@type": _MATCHING,
        "extension_config": {"name": "composite", "typed_config": {"@type": _COMPOSITE}},
        "xds_matcher": {"matcher_list": {"matchers": matchers}, "on_no_match": action(plugin)},
    }


def _predicate(conditions: list[dict[str, Any]]) -> dict[str, Any]:
    return conditions[0] if len(conditions) == 1 else {"and_matcher": {"predicate": conditions}}


def _conditions(match: Match) -> Iterator[dict[str, Any]]:
    if match.host is not None:
        labels, below = (r"[^:]+\.", match.host[2:]) if match.host.startswith("*.") else ("", match.host)
        yield _condition(":authority", _regex(f"(?i){labels}{_literal(below)}{_PORT}"))
    if match.path is not None:
        yield _condition(":path", _path(Text(**_fields(match.path))))
    for name, value in match.headers.items():
        yield _condition(name.lower(), _text(Text(exact=value) if isinstance(value, str) else value))


def _fields(match: Any) -> dict[str, Any]:
    return {name: getattr(match, name) for name in ("exact", "prefix", "regex")}


def _path(text: Text) -> dict[str, Any]:
    if text.prefix is not None:
        return {"prefix": text.prefix}
    pattern = f"(?:{text.regex})" if text.regex is not None else _literal(text.exact or "")
    return _regex(f"{pattern}{_QUERY}")


def _text(text: Text) -> dict[str, Any]:
    if text.regex is not None:
        return _regex(text.regex)
    return {"prefix": text.prefix} if text.prefix is not None else {"exact": text.exact or ""}


def _condition(header: str, how: dict[str, Any]) -> dict[str, Any]:
    source = {"name": header, "typed_config": {"@type": _HEADER, "header_name": header}}
    return {"single_predicate": {"input": source, "value_match": how}}


def _regex(pattern: str) -> dict[str, Any]:
    return {"safe_regex": {"google_re2": {}, "regex": pattern}}


def _literal(text: str) -> str:
    """``text`` as a regular expression of RE2; Python also escapes what RE2 does not let escape."""
    return re.sub(r"([.+*?()|\[\]{}^$\\])", r"\\\1", text)
