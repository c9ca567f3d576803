"""HTTP/2's compression of headers: RFC 7541. What is written is not compressed; all that there is is read."""

from collections import deque
from collections.abc import Iterable, Iterator

from weft.stage.huffman import unpack

__all__ = ["Decoder", "Pairs", "encode"]

Pairs = tuple[tuple[str, str], ...]

# RFC 7541 appendix A, from index 1.
_STATIC = (
    ":authority", ":method GET", ":method POST", ":path /", ":path /index.html", ":scheme http",
    ":scheme https", ":status 200", ":status 204", ":status 206", ":status 304", ":status 400",
    ":status 404", ":status 500", "accept-charset", "accept-encoding gzip, deflate", "accept-language",
    "accept-ranges", "accept", "access-control-allow-origin", "age", "allow", "authorization",
    "cache-control", "content-disposition", "content-encoding", "content-language", "content-length",
    "content-location", "content-range", "content-type", "cookie", "date", "etag", "expect", "expires",
    "from", "host", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since",
    "last-modified", "link", "location", "max-forwards", "proxy-authenticate", "proxy-authorization",
    "range", "referer", "refresh", "retry-after", "server", "set-cookie", "strict-transport-security",
    "transfer-encoding", "user-agent", "vary", "via", "www-authenticate",
)  # fmt: skip

_ROOM, _OVERHEAD = 4096, 32
_INDEXED, _REMEMBERED, _RESIZED, _HUFFMAN = 0x80, 0x40, 0x20, 0x80


def encode(pairs: Iterable[tuple[str, str]]) -> bytes:
    """A block of headers, each written out."""
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in pairs)


class Decoder:
    """Reads the blocks of one connection, in order: each may refer to those before it."""

    def __init__(self) -> None:
        self._table: deque[tuple[str, str]] = deque()
        """The newest first."""
        self._most = self._room = _ROOM

    def decode(self, block: bytes) -> Pairs:
        """The headers of a block; raises ``ValueError`` for what is none."""
        try:
            return tuple(self._fields(_Reader(block)))
        except IndexError as error:
            raise ValueError("a block of headers ends too soon, or names no entry") from error

    def _fields(self, reader: "_Reader") -> Iterator[tuple[str, str]]:
        while reader.place < len(reader.block):
            kind = reader.block[reader.place]
            if kind & _INDEXED:
                yield self._entry(reader.number(7))
            elif kind & (_REMEMBERED | _RESIZED) == _RESIZED:
                self._resize(reader.number(5))
            else:
                index = reader.number(6 if kind & _REMEMBERED else 4)
                name = self._entry(index)[0] if index else reader.text()
                field = name, reader.text()
                if kind & _REMEMBERED:
                    self._remember(field)
                yield field

    def _entry(self, index: int) -> tuple[str, str]:
        if not index:
            raise IndexError
        if index > len(_STATIC):
            return self._table[index - len(_STATIC) - 1]
        name, _, value = _STATIC[index - 1].partition(" ")
        return name, value

    def _resize(self, most: int) -> None:
        self._room += most - self._most
        self._most = most
        self._forget()

    def _remember(self, field: tuple[str, str]) -> None:
        self._table.appendleft(field)
        self._room -= _cost(field)
        self._forget()

    def _forget(self) -> None:
        while self._room < 0 and self._table:
            self._room += _cost(self._table.pop())


class _Reader:
    """Takes numbers and texts off a block."""

    def __init__(self, block: bytes) -> None:
        self.block = block
        self.place = 0

    def number(self, bits: int) -> int:
        """An integer in the lower ``bits`` of this byte and, where they are all set, of those after it."""
        most = (1 << bits) - 1
        value = self.block[self.place] & most
        self.place += 1
        if value < most:
            return value
        shift = 0
        while True:
            byte = self.block[self.place]
            self.place += 1
            value += (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:  # noqa: PLR2004 - no more follow
                return value

    def text(self) -> str:
        """A text, packed or not."""
        packed = self.block[self.place] & _HUFFMAN
        length = self.number(7)
        data = self.block[self.place : self.place + length]
        if len(data) < length:
            raise IndexError
        self.place += length
        return (unpack(data) if packed else data).decode("utf-8", "surrogateescape")


def _cost(field: tuple[str, str]) -> int:
    return sum(len(text.encode("utf-8", "surrogateescape")) for text in field) + _OVERHEAD


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return _number(len(data), 7) + data


def _number(value: int, bits: int) -> bytes:
    most = (1 << bits) - 1
    if value < most:
        return bytes([value])
    made = bytearray([most])
    value -= most
    while value >= 0x80:  # noqa: PLR2004 - seven bits a byte
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)
