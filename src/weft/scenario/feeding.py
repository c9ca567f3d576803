"""What a scenario's words are on the wire, the same for every proxy."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from weft.scenario.document import Content, Request, content_bytes

__all__ = ["config_bytes", "grpc_ending", "header_pairs", "pieces", "request_headers"]

_DEFAULTS = ((":method", "GET"), (":scheme", "http"), (":authority", "example.com"), (":path", "/"))


def request_headers(request: Request) -> list[tuple[str, str]]:
    """The headers of a request; what every request has is there even where nothing is said."""
    given = header_pairs(request.headers)
    named = {name for name, _ in given}
    return [*((name, value) for name, value in _DEFAULTS if name not in named), *given]


def header_pairs(headers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names in lower case, and a pair for each value."""
    return [
        (name.lower(), str(value))
        for name, values in headers.items()
        for value in (values if isinstance(values, list) else [values])
    ]


def grpc_ending(status: int, message: str | None) -> list[tuple[str, str]]:
    """The trailers that end a gRPC call."""
    # https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: all but printable ASCII, and %.
    words = quote(message, safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~") if message else ""
    return [("grpc-status", str(status)), *([("grpc-message", words)] if words else [])]


def pieces(body: Content | None, chunks: list[Content] | None) -> list[bytes]:
    """A body as it comes: in its chunks, or whole; nothing where there is none."""
    if chunks is not None:
        return [content_bytes(chunk) for chunk in chunks]
    return [] if body is None else [content_bytes(body)]


def config_bytes(config: Any) -> bytes:
    """A configuration as a filter gets it: text as it is, all else as JSON."""
    return (config if isinstance(config, str) else json.dumps(config)).encode()
