"""The tools of one machine and user: what is here, what is missing, how to get it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from weft.base.files import os_errors_as
from weft.base.paths import Places
from weft.errors import NotFound, PartMissing
from weft.toolchains.named import named
from weft.toolchains.search import Absent, Found, look_for
from weft.toolchains.tool import TOOLS

__all__ = ["Toolbox"]


class Toolbox:
    """Finds tools, remembering what it found; fetches those that can be fetched."""

    def __init__(self, places: Places, env: Mapping[str, str]) -> None:
        self.places = places
        self.env = env
        self._known: dict[str, Found | Absent] = {}

    def look(self, name: str) -> Found | Absent:
        """The tool, or why it is not here. Raises ``NotFound`` for a name that is no tool."""
        if name not in TOOLS:
            raise NotFound(f"there is no tool {name!r}", hint=f"tools: {', '.join(TOOLS)}")
        if name not in self._known:
            self._known[name] = look_for(TOOLS[name], self.places.tools.resolve(), self.env)
        return self._known[name]

    def find(self, name: str) -> Found | None:
        """The tool, or ``None``."""
        outcome = self.look(name)
        return outcome if isinstance(outcome, Found) else None

    def named(self, name: str, wanted: str, *, by: str) -> Path:
        """The program that ``by``, a flag or a variable, names by path or version. Raises ``PartMissing``."""
        return named(TOOLS[name], self.places.tools.resolve(), wanted, by=by)

    def missing(self, names: Iterable[str]) -> list[Absent]:
        """Those of ``names``, and of what they need, that are not here; what must come first is first."""
        wanted = dict.fromkeys(need for name in names for need in (*TOOLS[name].needs, name))
        return [outcome for name in wanted if isinstance(outcome := self.look(name), Absent)]

    def require(self, names: Iterable[str]) -> dict[str, Path]:
        """Name → program of each tool. Raises ``PartMissing`` that names all that are not here."""
        names = list(names)
        if absent := self.missing(names):
            raise _parts_missing(absent)
        return {name: found.path for name in names if (found := self.find(name))}

    async def install(self, name: str, say: Callable[[str], None]) -> Found:
        """Fetch the tool, and what it needs, unless it is here; ``say`` is told how far that is.

        Raises ``PartMissing`` for a tool weft cannot fetch, ``WeftError`` when fetching fails.
        """
        from weft.toolchains.fetch import fetch

        for absent in self.missing([name]):
            if absent.tool.package is None:
                raise _parts_missing([absent])
            node = self.find("node") if "node" in absent.tool.needs else None
            path = node.path if node else None
            with os_errors_as(f"cannot fetch {absent.tool.name}", name_file=True):
                await fetch(absent.tool, self.places.tools, self.env, say, node=path)
            del self._known[absent.tool.name]
        found = self.look(name)
        assert isinstance(found, Found)  # noqa: S101 - it was just put there
        return found


def _parts_missing(absent: Sequence[Absent]) -> PartMissing:
    """One error for all of them, with one command for those that weft can fetch."""
    steps = [one.remedy for one in absent if not one.tool.package]
    if fetchable := [one.tool.name for one in absent if one.tool.package]:
        steps.append(f"weft toolchain install {' '.join(fetchable)}")
    return PartMissing("; ".join(one.reason for one in absent), hint="; ".join(steps))
