"""Numbers of the proxy-wasm ABI, under the names of its specification.

https://github.com/proxy-wasm/spec/tree/main/abi-versions
"""

from enum import IntEnum

__all__ = [
    "BODY_ACTIONS",
    "HEADER_ACTIONS",
    "LEVELS",
    "TRAILER_ACTIONS",
    "Action",
    "Buffer",
    "MapType",
    "MetricType",
    "Status",
    "Stream",
]


class Status(IntEnum):
    """What a host function answers."""

    OK = 0
    NOT_FOUND = 1
    BAD_ARGUMENT = 2
    SERIALIZATION_FAILURE = 3
    PARSE_FAILURE = 4
    INVALID_MEMORY_ACCESS = 6
    EMPTY = 7
    CAS_MISMATCH = 8
    INTERNAL_FAILURE = 10
    BROKEN_CONNECTION = 11
    UNIMPLEMENTED = 12


class MapType(IntEnum):
    """Which headers or trailers."""

    REQUEST_HEADERS = 0
    REQUEST_TRAILERS = 1
    RESPONSE_HEADERS = 2
    RESPONSE_TRAILERS = 3
    GRPC_INITIAL_METADATA = 4
    GRPC_TRAILING_METADATA = 5
    CALL_HEADERS = 6
    CALL_TRAILERS = 7


class Buffer(IntEnum):
    """Which bytes."""

    REQUEST_BODY = 0
    RESPONSE_BODY = 1
    DOWNSTREAM_DATA = 2
    UPSTREAM_DATA = 3
    CALL_BODY = 4
    GRPC_MESSAGE = 5
    VM_CONFIG = 6
    PLUGIN_CONFIG = 7
    CALL_DATA = 8


class Stream(IntEnum):
    """Which direction to continue or to close."""

    REQUEST = 0
    RESPONSE = 1
    DOWNSTREAM = 2
    UPSTREAM = 3


class MetricType(IntEnum):
    """What a metric does."""

    COUNTER = 0
    GAUGE = 1
    HISTOGRAM = 2


class Action(IntEnum):
    """What a filter wants to happen next, as Envoy calls it."""

    CONTINUE = 0
    STOP = 1
    STOP_ALL_BUFFER = 2
    STOP_ALL_WATERMARK = 3
    BUFFER = 4
    WATERMARK = 5
    NO_BUFFER = 6


# What the number that a callback returned means. StopIteration after headers stops bodies too: that is
# how Envoy reads it unless allow_on_headers_stop_iteration is set. Greater numbers mean the last.
HEADER_ACTIONS = (
    Action.CONTINUE,
    Action.STOP_ALL_WATERMARK,
    Action.STOP_ALL_BUFFER,
    Action.STOP_ALL_WATERMARK,
)
BODY_ACTIONS = (Action.CONTINUE, Action.BUFFER, Action.WATERMARK, Action.NO_BUFFER)
TRAILER_ACTIONS = (Action.CONTINUE, Action.STOP)

LEVELS = ("trace", "debug", "info", "warn", "error", "critical")
