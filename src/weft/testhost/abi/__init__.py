"""What crosses the border between a filter and its host, as bytes and numbers.

The enumerations have the names of the specification; ``encode`` and ``decode`` are for text, ``encode_pairs``
and ``decode_pairs`` for header maps, ``serialized`` is for the values of properties.

May import: the standard library.
"""

from weft.testhost.abi.numbers import (
    BODY_ACTIONS,
    HEADER_ACTIONS,
    LEVELS,
    TRAILER_ACTIONS,
    Action,
    Buffer,
    MapType,
    MetricType,
    Status,
    Stream,
)
from weft.testhost.abi.pairs import MAX_PAIRS, Pairs, decode, decode_pairs, encode, encode_pairs
from weft.testhost.abi.properties import found_in, serialized

__all__ = [
    "BODY_ACTIONS",
    "HEADER_ACTIONS",
    "LEVELS",
    "MAX_PAIRS",
    "TRAILER_ACTIONS",
    "Action",
    "Buffer",
    "MapType",
    "MetricType",
    "Pairs",
    "Status",
    "Stream",
    "decode",
    "decode_pairs",
    "encode",
    "encode_pairs",
    "found_in",
    "serialized",
]
