"""What Envoy knows about a request and its response, as far as one filter alone can tell.

https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
"""

from typing import TYPE_CHECKING

from weft.testhost.headers import HeaderMap

if TYPE_CHECKING:
    from weft.testhost.stream import HttpStream

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


def stream_property(stream: "HttpStream", path: tuple[str, ...], now: int) -> object:
    """The value of ``("request", "path")`` and the like; ``None`` for what is not known here."""
    match path:
        case ("request", *rest):
            return _of_request(stream.request.headers, rest, now)
        case ("response", *rest):
            return _of_response(stream.response.headers, stream.response.trailers, rest)
        case _:
            return None


def _of_request(headers: HeaderMap | None, rest: list[str], now: int) -> object:
    if headers is None:
        return None
    match rest:
        case ["headers"]:
            return dict(headers)
        case ["headers", name]:
            return headers.get(name)
        case ["url_path"]:
            return (headers.get(":path") or "").partition("?")[0]
        case ["query"]:
            return (headers.get(":path") or "").partition("?")[2]
        case ["protocol"]:
            return "HTTP/1.1"
        case ["time"]:
            return now
        case [name] if name in _REQUEST:
            return headers.get(_REQUEST[name])
        case _:
            return None


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
