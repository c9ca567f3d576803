"""Walk a tar stream without trusting it: nothing is written, nothing is held but what is asked for.

POSIX ustar and pax, GNU long names and base-256 sizes, and plain old v7 are read. Rules:

* memory never follows a number in a header: sizes are checked before they are read;
* names are labels, never paths: nobody opens, joins or creates them;
* the end is two blocks of zeros, one, or simply the end of the stream: builders differ.

Python's ``tarfile`` allocates what a header claims, and fails on archives without an end, which Istio takes.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from weft.image.errors import ImageInvalid

__all__ = ["MAX_MEMBERS", "Member", "TarDamaged", "walk"]

# A distribution's base layer has some 10 000 files.
MAX_MEMBERS = 200_000
# Long names and pax records; Linux paths end at 4096 bytes.
_MAX_EXTENSION_BYTES = 64 * 1024

_BLOCK = 512
_CHUNK = 64 * 1024
_FILE_TYPES = frozenset(b"0\x007")
# Headers without data, whatever size they claim (as Go and GNU tar read them): links, devices, folders.
_NO_DATA_TYPES = frozenset(b"123456")
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK, _SPARSE = b"xgLKS"

Read = Callable[[int], bytes]


class TarDamaged(ImageInvalid):
    """The archive ends or breaks where it must not."""


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file; ``read`` gives its content once, before the walk goes on."""

    name: str
    size: int
    read: Callable[[], bytes]

    @property
    def basename(self) -> str:
        """What comes after the last slash."""
        return self.name.rpartition("/")[2]


@dataclass(slots=True)
class _Header:
    name: str
    size: int
    kind: int


class _Stream:
    """Counts what is taken from ``read``, so that skipping needs no seeking."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.offset = 0

    def take(self, size: int) -> bytes:
        """``size`` bytes, or fewer at the end of the stream."""
        parts = bytearray()
        while len(parts) < size and (part := self._read(min(_CHUNK, size - len(parts)))):
            parts += part
        self.offset += len(parts)
        return bytes(parts)

    def exactly(self, size: int) -> bytes:
        data = self.take(size)
        if len(data) < size:
            raise TarDamaged(f"the archive ends at byte {self.offset}, inside a file")
        return data

    def skip_to(self, offset: int) -> None:
        """Go forward; the end of the stream on the way is left for the next header to find."""
        while self.offset < offset and self.take(min(_CHUNK, offset - self.offset)):
            pass


def walk(read: Read) -> Iterator[Member]:
    """The regular files of the tar that ``read`` gives in pieces, in order.

    Raises ``TarDamaged`` with the offset, ``ImageInvalid`` at a limit.
    """
    stream = _Stream(read)
    name: str | None = None
    size: int | None = None
    for _ in range(MAX_MEMBERS):
        header = _next_header(stream)
        if header is None:
            return
        if header.kind in (_PAX, _LONG_NAME, _LONG_LINK, _PAX_GLOBAL):
            data = _extension(stream, header)
            if header.kind == _LONG_NAME:
                name = _text(data)
            elif header.kind == _PAX:
                records = _pax_records(data)
                name = records.get("path", name)
                size = _pax_size(records, stream.offset, size)
            continue
        length = header.size if size is None else size
        end = stream.offset + (0 if header.kind in _NO_DATA_TYPES else length)
        name = name or header.name
        if header.kind in _FILE_TYPES and not name.endswith("/"):
            yield Member(name, length, partial(stream.exactly, length))
        stream.skip_to(-(-end // _BLOCK) * _BLOCK)
        name = size = None
    raise ImageInvalid(f"the archive has more than {MAX_MEMBERS} entries")


def _next_header(stream: _Stream) -> _Header | None:
    start = stream.offset
    block = stream.take(_BLOCK)
    if not block.strip(b"\0"):  # nothing left, or the zeros that end an archive
        return None
    if len(block) < _BLOCK:
        raise TarDamaged(f"the archive ends at byte {stream.offset}, inside a header")
    if not _checksum_is_right(block):
        raise TarDamaged(f"there is no tar header at byte {start}")
    size = _number(block[124:136])
    if size is None or size < 0:
        raise TarDamaged(f"the tar header at byte {start} has no size")
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and (prefix := _text(block[345:500])):
        name = f"{prefix}/{name}"
    kind = block[156]
    if kind == _SPARSE:
        raise ImageInvalid(f"the archive holds a sparse file, {name[:100]!r}; pack it again without holes")
    return _Header(name, size, kind)


def _checksum_is_right(block: bytes) -> bool:
    """The sum of the bytes, the field itself counting as blanks; signed bytes in some old writers."""
    rest = block[:148] + b" " * 8 + block[156:]
    written = _number(block[148:156])
    return written == sum(rest) or written == sum(struct.unpack("512b", rest))


def _number(field: bytes) -> int | None:
    """Octal text, or GNU's base 256 when the first bit is set."""
    if field[0] & 0x80:
        value = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
        return None if field[0] & 0x40 else value  # negative
    text = field.split(b"\0", 1)[0].strip(b" ")
    if not text:
        return 0
    return int(text, 8) if text.isdigit() and not set(text) & set(b"89") else None


def _extension(stream: _Stream, header: _Header) -> bytes:
    if header.size > _MAX_EXTENSION_BYTES:
        raise ImageInvalid(f"the archive has an extended header of {header.size} bytes")
    end = stream.offset + header.size
    data = stream.exactly(header.size)
    stream.skip_to(-(-end // _BLOCK) * _BLOCK)
    return data


def _pax_records(data: bytes) -> dict[str, str]:
    """Lines of ``<length> <key>=<value>``, each as long as it says."""
    records = {}
    while data.strip(b"\0"):
        digits, _, _ = data.partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) < len(str(_MAX_EXTENSION_BYTES)) + 1 else 0
        record = data[len(digits) + 1 : length]
        if not record.endswith(b"\n") or length > len(data):
            raise TarDamaged("the archive has an extended header that is not pax")
        key, _, value = record[:-1].partition(b"=")
        records[key.decode(errors="replace")] = _text(value)
        data = data[length:]
    if any(key.startswith("GNU.sparse") for key in records):
        raise ImageInvalid("the archive holds a sparse file; pack it again without holes")
    return records


def _pax_size(records: dict[str, str], offset: int, size: int | None) -> int | None:
    if "size" not in records:
        return size
    text = records["size"]
    if not (text.isascii() and text.isdigit() and len(text) < 20):  # noqa: PLR2004 - 64 bits
        raise TarDamaged(f"the extended tar header before byte {offset} has no size")
    return int(text)


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode(errors="replace")
