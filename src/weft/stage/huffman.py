"""The Huffman code of HTTP/2's headers, RFC 7541 §5.2 and appendix B, for reading.

The code is canonical: codes of a length follow one another in the order of their symbols, and the first of
a length follows the last of the length before. So how long each symbol's code is says everything.
"""

from functools import cache

__all__ = ["unpack"]

_END = 256
# How long the code of each symbol is, as (length, how many symbols in a row), from symbol 0 to 256.
_LENGTHS = (
    "13 23 28*7 24 30 28*2 30 28*8 30 28*9 6 10*2 12 13 6 8 11 10*2 8 11 8 6*3 5*3 6*7 7 8 15 6 12 10 13 6 "
    "7*22 8 7 8 13 19 13 14 6 15 5 6 5 6 5 6*3 5 7*2 6*3 5 6 7 6 5*2 6 7*5 15 11 14 13 28 20 22 20*2 22*3 "
    "23 22 23*5 24 23 24*2 22 23 24 23*4 21 22 23 22 23*2 24 22 21 20 22*2 23*2 21 23 22*2 24 21 22 23*2 "
    "21*2 22 21 23 22 23*2 20 22*3 23 22*2 23 26*2 20 19 22 23 22 25 26*3 27*2 26 24 25 19 21 26 27*2 26 "
    "27 24 21*2 26*2 28 27*3 20 24 20 21 22 21*2 23 22*2 25*2 24*2 26 23 26 27 26*2 27*5 28 27*5 26 30"
)


def unpack(data: bytes) -> bytes:
    """The text behind ``data``; raises ``ValueError`` for what is no such code."""
    codes = _codes()
    text = bytearray()
    code = length = 0
    for byte in data:
        for place in range(7, -1, -1):
            code, length = code << 1 | byte >> place & 1, length + 1
            symbol = codes.get((length, code))
            if symbol == _END:
                raise ValueError("the end of a text within it")
            if symbol is not None:
                text.append(symbol)
                code = length = 0
    if length > 7 or code != (1 << length) - 1:  # noqa: PLR2004 - less than a byte of ones fills it up
        raise ValueError("not a Huffman code")
    return bytes(text)


@cache
def _codes() -> dict[tuple[int, int], int]:
    """(length, code) → symbol."""
    lengths: list[int] = []
    for word in _LENGTHS.split():
        size, _, count = word.partition("*")
        lengths += [int(size)] * int(count or 1)
    made: dict[tuple[int, int], int] = {}
    code = previous = 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(lengths)):
        code <<= length - previous
        made[length, code] = symbol
        code, previous = code + 1, length
    return made
