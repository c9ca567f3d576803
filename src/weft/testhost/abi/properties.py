"""Values of properties as the guest gets them.

Whole numbers have eight bytes, little endian; truth has one; text and bytes are themselves; a mapping is a
list of pairs.
"""

import struct
from collections.abc import Mapping

from weft.testhost.abi.pairs import encode, encode_pairs

__all__ = ["found_in", "serialized"]


def serialized(value: object) -> bytes | None:
    """The bytes of a value; ``None`` for what has none."""
    made: bytes | None = None
    match value:
        case bytes():
            made = value
        case str():
            made = encode(value)
        case bool():
            made = bytes([value])
        case int():
            made = struct.pack("<q", value)
        case float():
            made = struct.pack("<d", value)
        case Mapping():
            made = encode_pairs((str(key), str(item)) for key, item in value.items())
    return made


def found_in(known: Mapping[str, object], path: tuple[str, ...]) -> object:
    """What ``known`` has under a path: ``{"a.b": 1}`` and ``{"a": {"b": 1}}`` both hold ``("a", "b")``."""
    dotted = ".".join(path)
    if dotted in known:
        return known[dotted]
    place: object = known
    for part in path:
        if not isinstance(place, Mapping) or part not in place:
            return None
        place = place[part]
    return place
