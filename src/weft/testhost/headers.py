"""Header and trailer maps as Envoy keeps them.

The rules: names are lower case; order is kept, pseudo headers before all others; a name may occur several
times, except those Envoy keeps in a field of its own (``_SINGLE``): a second value is joined to the first.
Reading gives the first value; replacing removes all and adds one at the end.
"""

from collections.abc import Iterable, Iterator

__all__ = ["HeaderMap", "Pairs"]

Pairs = tuple[tuple[str, str], ...]

_SINGLE = frozenset(
    [
        ":authority",
        ":method",
        ":path",
        ":protocol",
        ":scheme",
        ":status",
        "connection",
        "content-length",
        "content-type",
        "date",
        "expect",
        "grpc-message",
        "grpc-status",
        "grpc-timeout",
        "keep-alive",
        "proxy-connection",
        "server",
        "te",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-request-id",
    ]
)


class HeaderMap:
    """Names and values; changed in place by host functions."""

    __slots__ = ("_pseudo", "items")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        if isinstance(items, HeaderMap):  # it is in order already
            self.items: list[tuple[str, str]] = items.items[:]
            """Names and values, to look at."""
            self._pseudo: int = items._pseudo  # noqa: SLF001 - of another of its kind
            return
        self.items, self._pseudo = [], 0
        for name, value in items:
            self.add(name, value)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def pairs(self) -> Pairs:
        """All entries, in order."""
        return tuple(self.items)

    @property
    def size(self) -> int:
        """Bytes of all names and values."""
        return sum(
            len(name.encode("utf-8", "surrogateescape")) + len(value.encode("utf-8", "surrogateescape"))
            for name, value in self.items
        )

    def get(self, name: str) -> str | None:
        """The first value."""
        name = name.lower()
        for known, value in self.items:
            if known == name:
                return value
        return None

    def add(self, name: str, value: str) -> None:
        """One more entry; joined where only one can be."""
        name = name.lower()
        if name in _SINGLE:
            for index, (known, old) in enumerate(self.items):
                if known == name:
                    self.items[index] = (name, f"{old},{value}" if old else value)
                    return
        if name[:1] == ":":
            self.items.insert(self._pseudo, (name, value))
            self._pseudo += 1
        else:
            self.items.append((name, value))

    def replace(self, name: str, value: str) -> None:
        """One entry instead of all of that name."""
        self.remove(name)
        self.add(name, value)

    def remove(self, name: str) -> None:
        """No entry of that name."""
        name = name.lower()
        self.items = [item for item in self.items if item[0] != name]
        if name.startswith(":"):
            self._pseudo = sum(known.startswith(":") for known, _ in self.items)

    def assign(self, items: Iterable[tuple[str, str]]) -> None:
        """These entries instead of what was there."""
        self.items, self._pseudo = [], 0
        for name, value in items:
            self.add(name, value)
