"""Requests and responses as a test sees them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Headers", "HeadersLike", "Message", "pairs_of"]

HeadersLike = Mapping[str, str | int | Sequence[str | int]] | Iterable[tuple[str, str | int]]
"""Name → value or values, or pairs; names in any case, numbers as they are written."""


class Headers(Mapping[str, str]):
    """Headers by name, whatever its case; the first value where there are several."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs: tuple[tuple[str, str], ...] = tuple(pairs)
        """All of them, in order."""

    def __getitem__(self, name: str) -> str:
        found = self.all(name)
        if not found:
            raise KeyError(name)
        return found[0]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.pairs))

    def __len__(self) -> int:
        return len(dict(self.pairs))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.all(name))

    def __eq__(self, other: object) -> bool:
        """Another ``Headers`` with the same pairs, or a mapping with the same first values."""
        if isinstance(other, Headers):
            return self.pairs == other.pairs
        return dict(self) == other

    def __hash__(self) -> int:
        return hash(self.pairs)

    def __repr__(self) -> str:
        return f"Headers({list(self.pairs)!r})"

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for key, value in self.pairs if key == name.lower()]


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response, as far as it went."""

    headers: Headers
    body: bytes = b""
    trailers: Headers | None = None
    ended: bool = False
    """Whether it is whole."""

    @property
    def status(self) -> int:
        """Of a response; raises ``KeyError`` for a request."""
        return int(self.headers[":status"])

    @property
    def path(self) -> str:
        """Of a request; raises ``KeyError`` for a response."""
        return self.headers[":path"]

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


def pairs_of(headers: HeadersLike) -> list[tuple[str, str]]:
    """Pairs with names in lower case."""
    if not isinstance(headers, Mapping):
        return [(name.lower(), str(value)) for name, value in headers]
    return [
        (name.lower(), str(value))
        for name, values in headers.items()
        for value in ([values] if isinstance(values, str | int) else values)
    ]
