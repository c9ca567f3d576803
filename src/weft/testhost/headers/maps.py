"""Header and trailer maps as Envoy keeps them.

The rules: names are lower case; order is kept, pseudo headers before all others; a name may occur several
times, except those that a map of its kind joins (``headers.joined``). Reading gives the first value;
replacing removes all and adds one at the end.
"""

from bisect import insort
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import ClassVar

from weft.errors import WeftError
from weft.testhost.abi import Pairs
from weft.testhost.engine import Trapped
from weft.testhost.headers import joined

__all__ = [
    "Fields",
    "HeaderMap",
    "HeaderTooLong",
    "RequestHeaders",
    "ResponseHeaders",
    "ResponseTrailers",
]

Fields = Iterable[tuple[str, str]]

_MOST_JOINED = 1 << 16


class HeaderTooLong(Trapped, WeftError):
    """Values were joined to one that no proxy would take; each joining copies all of it.

    The end of a guest that did it, and an error of whoever wrote it into a test.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"stopped by weft: all values of {name} together exceed {_MOST_JOINED} bytes")


class HeaderMap:
    """Names and values; changed in place by host functions. This kind joins nothing: a request's trailers."""

    __slots__ = ("items",)

    joined: ClassVar[frozenset[str]] = frozenset()
    host: ClassVar[str] = "host"
    """What ``host`` is called here."""

    def __init__(self, items: Fields = ()) -> None:
        self.items = made = list(items)
        """Names and values, to look at."""
        if not _are_in_form(tuple([name for name, _ in made])):
            self.items = []
            for name, value in made:
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
        name = self._known(name)
        for known, value in self.items:
            if known == name:
                return value
        return None

    def add(self, name: str, value: str) -> None:
        """One more entry; joined where only one can be. Raises ``HeaderTooLong`` when that grows too long."""
        name = self._known(name)
        old = self.get(name) if name in self.joined else None
        if old is None:
            self._put(name, value)
        elif value:
            if len(old) + len(value) > _MOST_JOINED:
                raise HeaderTooLong(name)
            self.set(name, f"{old},{value}" if old else value)

    def set(self, name: str, value: str) -> None:
        """The value of a name that is there once at most: where it stands, or at the end."""
        for index, (known, _) in enumerate(self.items):
            if known == name:
                self.items[index] = name, value
                return
        self.add(name, value)

    def replace(self, name: str, value: str) -> None:
        """One entry instead of all of that name."""
        name = self._known(name)
        self.items = [item for item in self.items if item[0] != name]
        self._put(name, value)

    def remove(self, name: str) -> None:
        """No entry of that name."""
        name = self._known(name)
        self.items = [item for item in self.items if item[0] != name]

    def assign(self, items: Fields) -> None:
        """These entries instead of what was there."""
        self.items = type(self)(items).items

    def _put(self, name: str, value: str) -> None:
        if name[:1] == ":":
            insort(self.items, (name, value), key=_is_no_pseudo)
        else:
            self.items.append((name, value))

    def _known(self, name: str) -> str:
        name = name.lower()
        return self.host if name == "host" else name


class RequestHeaders(HeaderMap):
    """A request's headers: ``host`` is another word for ``:authority``."""

    __slots__ = ()

    joined = joined.REQUEST
    host = ":authority"


class ResponseHeaders(HeaderMap):
    """A response's headers."""

    __slots__ = ()

    joined = joined.RESPONSE


class ResponseTrailers(HeaderMap):
    """A response's trailers."""

    __slots__ = ()

    joined = joined.RESPONSE_TRAILERS


@lru_cache(maxsize=64)
def _are_in_form(names: tuple[str, ...]) -> bool:
    """Whether ``add`` would keep entries of these names as they come: most maps have the names of another."""
    pseudo = True
    for name in names:
        if name[:1] != ":":
            pseudo = False
        elif not pseudo:
            return False
        if name != name.lower() or name == "host":
            return False
    return len(set(names)) == len(names)


def _is_no_pseudo(item: tuple[str, str]) -> bool:
    return item[0][:1] != ":"
