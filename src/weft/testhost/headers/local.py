"""The response Envoy makes of a local reply."""

from urllib.parse import quote_from_bytes

from weft.testhost.abi import Pairs
from weft.testhost.headers.maps import HeaderMap, ResponseHeaders

__all__ = ["grpc_status_of", "local_response"]

_OK = 200
# HTTP status → gRPC status, https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
_GRPC_OF = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
_UNKNOWN = 2
# Beside letters and digits; gRPC itself would also leave ~ as it is.
_PLAIN_IN_MESSAGE = " !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}"


def grpc_status_of(status: int) -> int:
    """The status of a gRPC call that is answered with this one of HTTP."""
    return _GRPC_OF.get(status, _UNKNOWN)


def local_response(
    request: HeaderMap | None, status: int, body: bytes, headers: Pairs, grpc_status: int | None
) -> tuple[HeaderMap, bytes]:
    """Headers and body. A gRPC request gets headers only, with its status in them; HEAD gets no body."""
    made = ResponseHeaders([(":status", str(status)), *(field for field in headers if field[0] != ":status")])
    kind = (request.get("content-type") or "") if request is not None else ""
    is_head = request is not None and request.get(":method") == "HEAD"
    if kind == "application/grpc" or kind.startswith("application/grpc+"):
        code = grpc_status_of(status) if grpc_status is None else grpc_status
        _fill_grpc(made, code, b"" if is_head else body)
        return made, b""
    if not body:
        made.remove("content-length")
        made.remove("content-type")
        return made, b""
    made.set("content-length", str(len(body)))
    if made.get("content-type") is None:
        made.add("content-type", "text/plain")
    return made, b"" if is_head else body


def _fill_grpc(made: HeaderMap, code: int, message: bytes) -> None:
    """A status that the filter gave itself stays."""
    made.remove("content-length")
    made.set(":status", str(_OK))
    made.set("content-type", "application/grpc")
    if not made.get("grpc-status"):
        made.set("grpc-status", str(code))
    if message:
        text = quote_from_bytes(message, safe=_PLAIN_IN_MESSAGE).replace("~", "%7E")
        made.set("grpc-message", text)
