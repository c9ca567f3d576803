"""Calls of functions beyond the ABI, for the test host and for Envoy: what is asked, and what it answers."""

import zlib
from typing import Any

import pytest

from modules.guests import TEXT
from weft.testhost.abi import Status

__all__ = ["FOREIGN_CALLS"]

_FAR, _AT, _SIZE = 0xFFFF_FFF0, 64, 68
_PRESSED, _NOTHING = zlib.compress(b"hello " * 30), zlib.compress(b"")
_OK, _MEMORY, _BROKEN = Status.OK, Status.INVALID_MEMORY_ACCESS, Status.SERIALIZATION_FAILURE


def _case(
    name: bytes,
    argument: bytes,
    status: Status,
    answer: bytes = b"",
    *,
    at: int = _AT,
    size: int = _SIZE,
    called: str,
) -> Any:
    numbers = (TEXT, len(name), TEXT + len(name), len(argument), at, size)
    return pytest.param(numbers, name + argument, status, answer, id=called)


FOREIGN_CALLS = [
    _case(b"compress", b"a" * 32, _OK, zlib.compress(b"a" * 32), called="compress"),
    _case(b"compress", b"", _OK, _NOTHING, called="compress nothing"),
    _case(b"compress", b"a" * 32, _OK, at=0, size=0, called="compress for nobody"),
    _case(b"compress", b"a" * 32, _MEMORY, at=_FAR, called="compress to nowhere"),
    _case(b"compress", b"a" * 32, _MEMORY, size=_FAR, called="say the size to nowhere"),
    _case(b"uncompress", _PRESSED, _OK, b"hello " * 30, called="uncompress"),
    _case(b"uncompress", _PRESSED + b"more", _OK, b"hello " * 30, called="uncompress with something behind"),
    _case(b"uncompress", _PRESSED[:-1], _BROKEN, called="uncompress what is cut off"),
    _case(b"uncompress", b"abcdefg", _BROKEN, called="uncompress what is not compressed"),
    _case(b"uncompress", b"", _BROKEN, called="uncompress nothing"),
    _case(b"uncompress", _NOTHING, _OK, called="uncompress to nothing"),
    _case(b"clear_route_cache", b"", _OK, called="clear the route"),
    _case(b"clear_route_cache", b"", _MEMORY, at=_FAR, size=_FAR, called="clear the route and hear nowhere"),
    _case(b"compres", b"a", Status.NOT_FOUND, called="no such function"),
]
"""The call's numbers, the text at ``TEXT``, the status, and what lies at the address that is told."""
