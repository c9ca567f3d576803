"""What stands at an offset of a module: functions, and their files and lines where the module knows them."""

from dataclasses import dataclass
from functools import cached_property

from weft.symbols.dwarf import DebugInfo, Place, debug_sections
from weft.symbols.functions import function_at, function_name
from weft.symbols.mangling import demangled
from weft.wasm import Module, read_module

__all__ = ["Function", "Symbols"]


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a backtrace, its name demangled."""

    name: str
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """``price(int) at src/shop.cc:16:7``."""
        if self.file is None:
            return self.name
        numbers = "".join(f":{number}" for number in (self.line, self.column) if number)
        return f"{self.name} at {self.file}{numbers}"


class Symbols:
    """The functions of one module. Debug information is read when it is first asked for."""

    def __init__(self, data: bytes, module: Module | None = None) -> None:
        """``module`` is ``data`` read, where that was done already; else raises ``ModuleInvalid``."""
        self._data = data
        self._module = read_module(data) if module is None else module

    @property
    def exist(self) -> bool:
        """Whether the module keeps names or debug information."""
        return bool(self._module.function_names) or self._debug is not None

    def at(self, file_offset: int) -> tuple[Function, ...]:
        """The functions at an offset in the file, innermost first; none where no code is.

        More than one: the code of each but the last was inlined into the next.
        """
        index = function_at(self._module, file_offset)
        if index is None:
            return ()
        own = demangled(function_name(self._module, index))
        places = self._debug.places(file_offset - (self._module.code_offset or 0)) if self._debug else ()
        if not places:
            return (Function(own),)
        return tuple(_function(place, own) for place in places)

    def offset_of(self, index: int) -> int:
        """Where the code of a function begins that is not imported."""
        return self._module.bodies[index - self._module.imported_functions].offset

    @cached_property
    def _debug(self) -> DebugInfo | None:
        sections = debug_sections(self._data, self._module)
        return DebugInfo(sections) if "debug_info" in sections else None


def _function(place: Place, own: str) -> Function:
    name = demangled(place.name) if place.name else own
    return Function(name, place.file, place.line or None, place.column or None)
