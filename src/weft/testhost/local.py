"""The response Envoy makes of a local reply."""

from urllib.parse import quote

from weft.testhost.headers import HeaderMap, Pairs
from weft.testhost.pairs import decode

__all__ = ["local_response"]

_OK = 200
# HTTP status → gRPC status, https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
_GRPC_OF = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
_UNKNOWN = 2


def local_response(
    request: HeaderMap | None, status: int, body: bytes, headers: Pairs, grpc_status: int | None
) -> tuple[HeaderMap, bytes]:
    """Headers and body. A gRPC request gets headers only, with its status in them; HEAD gets no body."""
    made = HeaderMap([(":status", str(status)), *headers])
    kind = (request.get("content-type") or "") if request is not None else ""
    if kind == "application/grpc" or kind.startswith("application/grpc+"):
        code = _GRPC_OF.get(status, _UNKNOWN) if grpc_status is None else grpc_status
        made.replace(":status", str(_OK))
        made.replace("content-type", "application/grpc")
        made.replace("grpc-status", str(code))
        if body:
            made.replace("grpc-message", quote(decode(body), safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"))
        return made, b""
    if not body:
        made.remove("content-length")
        made.remove("content-type")
        return made, b""
    made.replace("content-length", str(len(body)))
    if made.get("content-type") is None:
        made.add("content-type", "text/plain")
    is_head = request is not None and request.get(":method") == "HEAD"
    return made, b"" if is_head else body
