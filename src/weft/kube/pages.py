"""A page of a list, whose members are read one after the other.

A list of a thousand objects is a few megabytes of text and ten times that as objects; so they stay text until
their turn comes, and nothing but what the caller keeps of each outlives it.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from weft.net import HttpFailure

__all__ = ["Page"]


class _Metadata(msgspec.Struct, frozen=True, rename={"version": "resourceVersion", "rest": "continue"}):
    version: str = ""
    rest: str = ""


class _Answer(msgspec.Struct, frozen=True):
    metadata: _Metadata | None = None
    items: list[msgspec.Raw] | None = None


_ANSWER = msgspec.json.Decoder(_Answer)
_MEMBER = msgspec.json.Decoder(dict[str, Any])
_WRONG = (msgspec.DecodeError, ValueError, RecursionError)


class Page:
    """What one request of a list gave; ``what`` it was is for people."""

    def __init__(self, text: bytes, what: str) -> None:
        """Raises ``HttpFailure`` for what is no list."""
        try:
            answer = _ANSWER.decode(text)
        except _WRONG as error:
            raise _no_list(what) from error
        metadata = answer.metadata or _Metadata()
        self.version = metadata.version
        """The collection's ``resourceVersion``."""
        self.rest = metadata.rest
        """What to ask the next page with; empty on the last."""
        self._items = answer.items or []
        self._what = what

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The members, each read when it is asked for; raises ``HttpFailure`` for one that is no object."""
        for text in self._items:
            try:
                yield _MEMBER.decode(text)
            except _WRONG as error:
                raise _no_list(self._what) from error


def _no_list(what: str) -> HttpFailure:
    return HttpFailure(f"{what}: the answer is no list", temporary=False)
