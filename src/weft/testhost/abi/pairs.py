"""Name-value pairs as they cross the border, all numbers u32, little endian.

``x-a: bc`` alone is::

    01 00 00 00   03 00 00 00 02 00 00 00   78 2d 61 00   62 63 00
    one pair      its two lengths           x - a NUL     b c NUL

All lengths come first, then all texts, each followed by a NUL that its length does not count.
"""

import struct
from collections.abc import Iterable

__all__ = ["MAX_PAIRS", "Pairs", "decode", "decode_pairs", "encode", "encode_pairs"]

Pairs = tuple[tuple[str, str], ...]

_MAX_BYTES = 1024 * 1024
MAX_PAIRS = 1024
_COUNT = struct.Struct("<I")


def encode(text: str) -> bytes:
    """Text as the guest has it; bytes that are not UTF-8 survive the way out and back."""
    return text.encode("utf-8", "surrogateescape")


def decode(data: bytes) -> str:
    """Bytes of the guest as text."""
    return data.decode("utf-8", "surrogateescape")


def encode_pairs(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Pairs for the guest; nothing at all for none."""
    texts = [text for pair in pairs for text in pair]
    if not texts:
        return b""
    together = "\0".join((*texts, ""))
    data = encode(together)
    sizes = map(len, texts if len(data) == len(together) else map(encode, texts))
    return struct.pack(f"<{len(texts) + 1}I", len(texts) // 2, *sizes) + data


def decode_pairs(data: bytes) -> Pairs:
    """Pairs of the guest. What is malformed or above the limits counts as none, as it does in Envoy."""
    if len(data) > _MAX_BYTES or len(data) < _COUNT.size:
        return ()
    (count,) = _COUNT.unpack_from(data)
    place = _COUNT.size * (1 + 2 * count)
    if count > MAX_PAIRS or place > len(data):
        return ()
    texts: list[str] = []
    size = len(data)
    for length in struct.unpack_from(f"<{2 * count}I", data, _COUNT.size):
        end = place + length
        if end >= size or data[end]:
            return ()
        texts.append(decode(data[place:end]))
        place = end + 1
    return tuple(zip(texts[::2], texts[1::2], strict=True)) if place == size else ()
