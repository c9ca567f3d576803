"""Header and trailer maps as Envoy keeps them, and what it writes into them itself.

``HeaderMap`` and its kinds differ in what they join; ``local_response`` is what becomes of a local reply.

May import: ``weft.testhost.abi``, ``weft.testhost.engine``, ``weft.errors``.
"""

from weft.testhost.headers.local import grpc_status_of, local_response
from weft.testhost.headers.maps import (
    Fields,
    HeaderMap,
    RequestHeaders,
    ResponseHeaders,
    ResponseTrailers,
)

__all__ = [
    "Fields",
    "HeaderMap",
    "RequestHeaders",
    "ResponseHeaders",
    "ResponseTrailers",
    "grpc_status_of",
    "local_response",
]
