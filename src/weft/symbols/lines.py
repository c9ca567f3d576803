"""Files and lines of one unit of debug information."""

import contextlib
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from elftools.dwarf.die import DIE
    from elftools.dwarf.dwarfinfo import DWARFInfo

__all__ = ["FIRST_DEAD", "NOWHERE", "Files", "Row", "Spot", "decoded", "number_of", "spot_at"]

FIRST_DEAD = 0xFFFF_FFF0
"""From here on, and at 0, the linker puts what it dropped."""
_ZERO_BASED = 5  # from this version on files count from 0


class Spot(NamedTuple):
    """A place in the source; line 0 is nowhere in particular."""

    file: str | None
    line: int
    column: int


NOWHERE = Spot(None, 0, 0)
Row = tuple[int, Spot | None]
"""From this address on; ``None`` where a stretch of code ends."""


class Files:
    """The files and lines of one unit."""

    def __init__(self, info: "DWARFInfo", unit: Any) -> None:
        top = unit.get_top_DIE().attributes
        self._folder = decoded(top["DW_AT_comp_dir"].value) if "DW_AT_comp_dir" in top else ""
        self._program: Any = info.line_program_for_CU(unit)
        self._known: dict[int, str | None] = {}

    def call_site(self, entry: "DIE") -> Spot:
        """Where the code that an entry is a copy of was called."""
        number = number_of(entry, "DW_AT_call_file")
        if number is None:
            return NOWHERE
        line, column = number_of(entry, "DW_AT_call_line"), number_of(entry, "DW_AT_call_column")
        return Spot(self.path(number), line or 0, column or 0)

    def rows(self) -> list[Row]:
        """Lines by address, in the order of addresses; dead stretches are left out."""
        stretches: list[list[Row]] = [[]]
        for step in self._program.get_entries() if self._program else ():
            state = step.state
            if state is None:
                continue
            spot = None if state.end_sequence else Spot(self.path(state.file), state.line, state.column)
            stretches[-1].append((state.address, spot))
            if state.end_sequence:
                stretches.append([])
        alive = [rows for rows in stretches if rows and 0 < rows[0][0] < FIRST_DEAD]
        return [row for rows in sorted(alive, key=lambda rows: rows[0][0]) for row in rows]

    def path(self, number: int) -> str | None:
        """A file's name, relative to where the compiler ran where it lies under it."""
        if number not in self._known:
            self._known[number] = self._path(number)
        return self._known[number]

    def _path(self, number: int) -> str | None:
        if self._program is None:
            return None
        header = self._program.header
        zero_based = header["version"] >= _ZERO_BASED
        with contextlib.suppress(IndexError):
            entry = header["file_entry"][number if zero_based else number - 1]
            folders = header["include_directory"]
            if zero_based:
                folder = decoded(folders[entry.dir_index])
            else:
                folder = decoded(folders[entry.dir_index - 1]) if entry.dir_index else ""
            return _joined(self._folder, folder, decoded(entry.name))
        return None


def _joined(here: str, folder: str, name: str) -> str:
    """Relative to ``here``, unless that is relative itself: then the compiler was told to hide it."""
    path = PurePosixPath(here, folder, name)
    return str(path.relative_to(here) if here.startswith("/") and path.is_relative_to(here) else path)


def spot_at(rows: Sequence[Row], address: int) -> Spot:
    """Where the code at an address comes from."""
    place = bisect_right(rows, address, key=lambda row: row[0]) - 1
    return (rows[place][1] if place >= 0 else None) or NOWHERE


def decoded(value: Any) -> str:
    """Text, of whatever an attribute holds."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def number_of(entry: "DIE", attribute: str) -> int | None:
    """An attribute that is a number; ``None`` where there is none."""
    found = entry.attributes.get(attribute)
    return found.value if found is not None and isinstance(found.value, int) else None
