"""What Envoy knows about a request and its response, as far as one filter alone can tell.

https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
"""

from weft.testhost.abi import MapType
from weft.testhost.headers import HeaderMap
from weft.testhost.vm import Context

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


def stream_property(path: tuple[str, ...], context: Context, response: HeaderMap | None, now: int) -> object:
    """The value of ``("request", "path")`` and the like; ``None`` for what is not known here.

    What is read from headers is known only while the filter could reach them itself; ``response`` are
    those the upstream sent, whose status stays known.
    """
    match path:
        case ("request", *rest):
            return _of_request(context.readable_map(MapType.REQUEST_HEADERS), rest, now)
        case ("response", "code") if response is not None:
            return int(response.get(":status") or 0)
        case ("response", "trailers", name):
            trailers = context.readable_map(MapType.RESPONSE_TRAILERS)
            return None if trailers is None else trailers.get(name)
        case ("response", *rest):
            headers = context.readable_map(MapType.RESPONSE_HEADERS)
            return None if headers is None else _of_headers(headers, rest)
        case _:
            return None


def _of_request(headers: HeaderMap | None, rest: list[str], now: int) -> object:
    known: dict[str, object] = {"protocol": "HTTP/1.1", "time": now}
    if headers is not None:
        path, _, query = (headers.get(":path") or "").partition("?")
        known |= {name: headers.get(header) for name, header in _REQUEST.items()}
        known |= {"url_path": path, "query": query}
        if rest and rest[0] == "headers":
            return _of_headers(headers, rest)
    return known.get(rest[0]) if len(rest) == 1 else None


def _of_headers(headers: HeaderMap, rest: list[str]) -> object:
    match rest:
        case ["headers"]:
            return dict(headers)
        case ["headers", name]:
            return headers.get(name)
        case _:
            return None
