"""Which cluster a gRPC call goes to: the little that a host must read of a ``GrpcService`` message.

https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator

from weft.testhost.engine import Trapped

__all__ = ["named_cluster"]

_VARINT, _I64, _LEN, _I32 = 0, 1, 2, 5
_SIZES = {_I64: 8, _I32: 4}
_ENVOY_GRPC, _GOOGLE_GRPC, _CLUSTER_NAME = 1, 2, 1
_LONGEST = 10
"""Bytes of a varint."""


def named_cluster(service: bytes) -> str | None:
    """The cluster that a message names; ``None`` for bytes that are no such message.

    Raises ``Trapped`` for a message that names none: Envoy would die of it.
    """
    try:
        targets = [(number, value) for number, value in _fields(service) if number in {1, 2}]
        if targets and targets[-1][0] == _ENVOY_GRPC:
            names = [value for number, value in _fields(targets[-1][1]) if number == _CLUSTER_NAME]
            return names[-1].decode() if names else ""
    except ValueError:
        return None
    if targets:
        raise Trapped("stopped by weft: of gRPC services only those of envoy_grpc can be played")
    raise Trapped("stopped by weft: a gRPC service that names no target kills Envoy")


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of the fields that have a length. Raises ``ValueError`` where it is malformed."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            _, at = _varint(message, at)
            continue
        size = _SIZES.get(kind, 0)
        if kind == _LEN:
            size, at = _varint(message, at)
        elif not size:
            raise ValueError(message)
        if not number or at + size > len(message):
            raise ValueError(message)
        if kind == _LEN:
            yield number, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(message[at : at + _LONGEST]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the last one
            return value, at + place + 1
    raise ValueError(message)
