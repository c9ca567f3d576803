"""Filters with a fault in them, assembled: what ``weft test --fuzz`` has to find."""

from modules.guests import HEAP, TEXT, answering, calling, const, data, row, running
from modules.wasm_encoder import body, name_section, proxy_module, u

__all__ = [
    "ENDLESS",
    "GROWING",
    "HOLDING",
    "METRIC_EACH_TIME",
    "SOUND",
    "TIRING",
    "growing_to",
    "trapping_on_body",
    "trapping_on_header",
]

_SIZE, _COUNT = 64, 128
_UNREACHABLE, _END, _IF, _GREATER, _DROP, _EQUAL = b"\0", b"\x0b", b"\x04\x40", b"\x4b", b"\x1a", b"\x46"
_LOOP = b"\x03\x40\x0c\0\x0b"
_COUNTED = const(_COUNT) + b"\x28\x02\0"
_COUNT_ON = const(_COUNT) + _COUNTED + const(1) + b"\x6a" + b"\x36\x02\0"

SOUND = answering(on_request_headers=0, on_response_headers=0)
HOLDING = answering(on_request_headers=1)
"""Stops at the headers, and that was it."""
ENDLESS = running(_LOOP + const(0), during="proxy_on_response_headers")
_NO_BIT = b"\x71\x45"
_GROW = const(1) + b"\x40\0" + _DROP
GROWING = running(_COUNT_ON + _COUNTED + const(63) + _NO_BIT + _IF + _GROW + _END + const(0))
"""Takes another page of memory for every 64 requests: a kilobyte each."""
TIRING = running(_COUNT_ON + _COUNTED + const(700) + _GREATER + _IF + _UNREACHABLE + _END + const(0))
"""Fails in the 701st request."""
METRIC_EACH_TIME = calling(
    ("proxy_define_metric", (0, TEXT, 1, 64)), during="proxy_on_request_headers", returns=0, text=b"m"
)


def growing_to(pages: int) -> bytes:
    """Takes one for every 128 requests until it has so many."""
    small = b"\x3f\0" + const(pages) + b"\x49" + _IF + _GROW + _END
    return running(_COUNT_ON + _COUNTED + const(127) + _NO_BIT + _IF + small + _END + const(0))


def trapping_on_header(name: str = "x", *, longer_than: int = 7) -> bytes:
    """Fails in a function of its own when a request's header is longer than that."""
    get = row("proxy_get_header_map_value")
    asked = b"".join(map(const, (0, TEXT, len(name), 68, _SIZE))) + b"\x10" + u(0) + b"\x45"
    long = const(_SIZE) + b"\x28\x02\0" + const(longer_than) + _GREATER
    looked = asked + long + b"\x71" + _IF + b"\x10" + u(4) + _END + const(0)
    return proxy_module(
        imports=[(get.module, get.name, str(get.signature))],
        exports={"proxy_on_request_headers": "i32 i32 i32 -> i32", "too_long": "void -> void"},
        bodies={
            "malloc": body(const(HEAP)),
            "proxy_on_request_headers": body(looked),
            "too_long": body(_UNREACHABLE),
        },
        tail=data((TEXT, name.encode())) + name_section({3: "on_request_headers", 4: "too_long"}),
    )


def trapping_on_body(size: int) -> bytes:
    """Fails when a piece of a request's body has exactly so many bytes."""
    looked = b"\x20\x01" + const(size) + _EQUAL + _IF + _UNREACHABLE + _END + const(0)
    return running(looked, during="proxy_on_request_body")
