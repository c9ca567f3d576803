"""What Envoy knows about a request and its response, as far as one filter alone can tell.

https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
"""

from weft.testhost.direction import Direction
from weft.testhost.headers import HeaderMap

__all__ = ["stream_property"]

_REQUEST = {
    "path": ":path",
    "method": ":method",
    "host": ":authority",
    "scheme": ":scheme",
    "useragent": "user-agent",
    "referer": "referer",
    "id": "x-request-id",
}


def stream_property(
    path: tuple[str, ...], request: HeaderMap | None, response: Direction, now: int
) -> object:
    """The value of ``("request", "path")`` and the like; ``None`` for what is not known here."""
    match path:
        case ("request", *rest):
            return _of_request(request, rest, now)
        case ("response", *rest):
            return _of_response(response.headers, response.trailers, rest)
        case _:
            return None


def _of_request(headers: HeaderMap | None, rest: list[str], now: int) -> object:
    if headers is None:
        return None
    path, _, query = (headers.get(":path") or "").partition("?")
    known: dict[str, object] = {
        **{name: headers.get(header) for name, header in _REQUEST.items()},
        "headers": dict(headers),
        "url_path": path,
        "query": query,
        "protocol": "HTTP/1.1",
        "time": now,
    }
    return _of_headers(headers, rest) or (known.get(rest[0]) if len(rest) == 1 else None)


def _of_headers(headers: HeaderMap, rest: list[str]) -> str | None:
    return headers.get(rest[1]) if len(rest) == 2 and rest[0] == "headers" else None  # noqa: PLR2004 - a name


def _of_response(headers: HeaderMap | None, trailers: HeaderMap | None, rest: list[str]) -> object:
    if headers is None:
        return None
    match rest:
        case ["code"]:
            return int(headers.get(":status") or 0)
        case ["headers"]:
            return dict(headers)
        case ["headers", name]:
            return headers.get(name)
        case ["trailers", name] if trailers is not None:
            return trailers.get(name)
        case _:
            return None
