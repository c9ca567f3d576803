"""Files and lines: what the compiler noted in the ``.debug_*`` sections of a module (DWARF 4 and 5).

Addresses in DWARF count from the payload of the code section
(https://yurydelendik.github.io/webassembly-dwarf/). Code that the linker dropped keeps its entries, at
address 0 or near the end of all addresses; nothing is looked up there.

The sections are no part of the program, so what is wrong in them is never an error: it says nothing then.
Units are read when an address of theirs is asked for, the rest never.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from weft.symbols.lines import FIRST_DEAD, NOWHERE, Files, Row, Spot, decoded, number_of, spot_at
from weft.wasm import Module

if TYPE_CHECKING:
    from elftools.dwarf.die import DIE
    from elftools.dwarf.dwarfinfo import DWARFInfo

__all__ = ["DebugInfo", "Place", "debug_sections"]

_FUNCTIONS = frozenset({"DW_TAG_subprogram", "DW_TAG_inlined_subroutine"})
_ORIGINS = ("DW_AT_abstract_origin", "DW_AT_specification")
_LINKAGE_NAMES = ("DW_AT_linkage_name", "DW_AT_MIPS_linkage_name")
_MOST_ORIGINS = 8


class Place(NamedTuple):
    """A function, and where in its source; ``name`` may be mangled, ``line`` 0 is nowhere in particular."""

    name: str | None
    file: str | None
    line: int
    column: int


class _Function(NamedTuple):
    """A function's code, or a copy of it inside another one."""

    ranges: tuple[tuple[int, int], ...]
    name: str | None
    called_from: Spot
    """Where the function around it calls it, when it is a copy."""

    def holds(self, address: int) -> bool:
        return any(start <= address < end for start, end in self.ranges)


@dataclass(frozen=True, slots=True)
class _Unit:
    """What one compilation left: its functions, outer ones first, and its lines by address."""

    functions: Sequence[_Function]
    rows: Sequence[Row]


def debug_sections(data: bytes, module: Module) -> dict[str, bytes]:
    """Title without its dot → content of the ``.debug_*`` sections."""
    found: dict[str, bytes] = {}
    for section in module.sections:
        if section.custom and section.name.startswith(".debug_"):
            # The payload begins with the title and, padded or not, its length: the title ends it.
            title = section.name.encode()
            start = data.index(title, section.offset) + len(title)
            found.setdefault(section.name[1:], data[start : section.offset + section.size])
    return found


class DebugInfo:
    """The debug information of one module; ``sections`` is what ``debug_sections`` gives."""

    def __init__(self, sections: dict[str, bytes]) -> None:
        self._sections = sections
        self._read: dict[int, _Unit] = {}

    def places(self, address: int) -> tuple[Place, ...]:
        """Where ``address`` is in the source, innermost first: code that was inlined has several."""
        if not 0 < address < FIRST_DEAD:
            return ()
        try:
            return self._places(address)
        except Exception:  # noqa: BLE001 - damaged information is as good as none, however it fails
            return ()

    def _places(self, address: int) -> tuple[Place, ...]:
        unit = next((unit for unit in self._units if _contains(_ranges(self._info, unit), address)), None)
        if unit is None:
            return ()
        known = self._read.get(unit.offset)
        if known is None:
            known = self._read[unit.offset] = self._unit(unit)
        around = [function for function in known.functions if function.holds(address)]
        spot = spot_at(known.rows, address)
        if not around:
            return (Place(None, *spot),) if spot is not NOWHERE else ()
        made = []
        for function in reversed(around):
            made.append(Place(function.name, *spot))
            spot = function.called_from
        return tuple(made)

    @cached_property
    def _info(self) -> "DWARFInfo":
        return _opened(self._sections)

    @cached_property
    def _units(self) -> list["DIE"]:
        """The first entry of each unit that has code."""
        tops = (unit.get_top_DIE() for unit in self._info.iter_CUs())
        return [top for top in tops if _ranges(self._info, top)]

    def _unit(self, top: "DIE") -> _Unit:
        files = Files(self._info, top.cu)
        entries = (entry for entry in top.cu.iter_DIEs() if entry.tag in _FUNCTIONS)
        functions = [
            _Function(tuple(ranges), _name(entry), files.call_site(entry))
            for entry in entries
            if (ranges := _ranges(self._info, entry))
        ]
        return _Unit(functions, files.rows())


def _opened(sections: dict[str, bytes]) -> "DWARFInfo":
    import inspect

    from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo

    given: dict[str, Any] = dict.fromkeys(
        name for name in inspect.signature(DWARFInfo).parameters if name.endswith("_sec")
    )
    for title, content in sections.items():
        if f"{title}_sec" in given:
            stream = io.BytesIO(content)
            given[f"{title}_sec"] = DebugSectionDescriptor(stream, title, 0, len(content), 0)
    return DWARFInfo(config=DwarfConfig(True, "wasm", 4), **given)


def _ranges(info: "DWARFInfo", entry: "DIE") -> list[tuple[int, int]]:
    """Where the code of an entry lies, without what the linker dropped."""
    start, end = number_of(entry, "DW_AT_low_pc"), number_of(entry, "DW_AT_high_pc")
    if start is not None and end is not None:
        relative = entry.attributes["DW_AT_high_pc"].form != "DW_FORM_addr"
        return _alive([(start, start + end if relative else end)])
    if "DW_AT_ranges" not in entry.attributes:
        return []
    return _alive(list(_listed(info, entry)))


def _listed(info: "DWARFInfo", entry: "DIE") -> Iterator[tuple[int, int]]:
    from elftools.dwarf.ranges import BaseAddressEntry, RangeEntry

    lists: Any = info.range_lists()
    if lists is None:
        return
    base = number_of(entry.cu.get_top_DIE(), "DW_AT_low_pc") or 0
    for item in lists.get_range_list_at_offset(entry.attributes["DW_AT_ranges"].value, entry.cu):
        if isinstance(item, BaseAddressEntry):
            base = item.base_address
        elif isinstance(item, RangeEntry):
            shift = 0 if item.is_absolute else base
            yield item.begin_offset + shift, item.end_offset + shift


def _alive(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(start, end) for start, end in ranges if 0 < start < end and start < FIRST_DEAD]


def _contains(ranges: Sequence[tuple[int, int]], address: int) -> bool:
    return any(start <= address < end for start, end in ranges)


def _name(entry: "DIE") -> str | None:
    """The name that linkers know, else the one in the source; of what it is a copy of, if it is one."""
    plain = None
    for _ in range(_MOST_ORIGINS):
        for attribute in _LINKAGE_NAMES:
            if attribute in entry.attributes:
                return decoded(entry.attributes[attribute].value)
        if plain is None and "DW_AT_name" in entry.attributes:
            plain = decoded(entry.attributes["DW_AT_name"].value)
        origin = next((name for name in _ORIGINS if name in entry.attributes), None)
        if origin is None:
            break
        entry = entry.get_DIE_from_attribute(origin)
    return plain
