"""Files out of layers: tar, gzipped or not, within limits.

A layer's media type says what it should be; its first bytes say what it is, and those are believed:
builders mix the types up, and the digest has already proved the bytes.
"""

import gzip
import io
import struct
import zlib
from collections.abc import Collection

from weft.image.errors import ImageInvalid
from weft.image.tar import Member, Read, walk

__all__ = [
    "MAX_MODULE_BYTES",
    "MAX_UNPACKED_BYTES",
    "files_in",
    "gzip_deterministic",
    "tar_deterministic",
]

# Istio's agent stops at the same number.
MAX_MODULE_BYTES = 256 * 1024 * 1024
# A layer may hold more than the module (a base system); beyond this it is a bomb, or the wrong image.
MAX_UNPACKED_BYTES = 1024 * 1024 * 1024

_TOO_LARGE = f"more than the {MAX_MODULE_BYTES >> 20} MiB that Istio takes"

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_FILE_MODE = 0o644


def files_in(layer: bytes, wanted: Collection[str], *, required: str) -> dict[str, bytes]:
    """Those files of a (gzipped) tar layer whose base name is ``wanted``; the first of each name counts.

    What comes after ``required`` was found may be damaged or missing: Istio never reads so far, and some
    builders leave the end out. Raises ``ImageInvalid`` for damage before it and at the limits.
    """
    found: dict[str, bytes] = {}
    read = _open(layer)
    try:
        for member in walk(read):
            if member.basename in wanted and member.basename not in found:
                found[member.basename] = _read_member(member)
            if len(found) == len(wanted):
                break
    except ImageInvalid:
        if required not in found:
            raise
    return found


def gzip_deterministic(data: bytes) -> bytes:
    """``data`` gzipped, with neither a date nor a system in the header.

    Python's own header differs between its versions, so it is written here (RFC 1952). The compressed
    bytes still depend on the zlib that is linked.
    """
    header = _GZIP + b"\x08\x00" + b"\0\0\0\0" + b"\x02\xff"  # deflate, no flags, no time, best, no system
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(data) + packer.flush()
    return header + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def tar_deterministic(files: dict[str, bytes]) -> bytes:
    """A ustar archive of ``files`` in the order given, owned by root, without dates."""
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mode = _FILE_MODE
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _open(layer: bytes) -> Read:
    if layer.startswith(_ZSTD):
        raise ImageInvalid("the layer is compressed with zstd", hint="push the image with gzip layers")
    return _open_gzip(layer) if layer.startswith(_GZIP) else io.BytesIO(layer).read


def _open_gzip(data: bytes) -> Read:
    """Read unpacked pieces; what goes wrong is ``ImageInvalid``, also a gzip bomb."""
    unpacked = gzip.GzipFile(fileobj=io.BytesIO(data))
    total = 0

    def read(size: int) -> bytes:
        nonlocal total
        try:
            piece = unpacked.read(size)
        except EOFError as error:
            raise ImageInvalid("the gzip data ends too early") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise ImageInvalid(f"the gzip data is damaged: {error}") from error
        total += len(piece)
        if total > MAX_UNPACKED_BYTES:
            raise ImageInvalid(
                f"{len(data)} bytes of gzip unpack to more than {MAX_UNPACKED_BYTES >> 20} MiB: a gzip bomb"
            )
        return piece

    return read


def _read_member(member: Member) -> bytes:
    if member.size > MAX_MODULE_BYTES:
        raise ImageInvalid(f"{member.basename} has {member.size} bytes, {_TOO_LARGE}")
    return member.read()
