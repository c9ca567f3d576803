"""A module as a value: what its sections say, without the code.

Index spaces are whole: ``functions``, ``memories``, ``tables``, ``globals`` and ``tags`` begin with the
imported ones, as the format counts them. Offsets are absolute in the file, the numbers that stand in
Envoy's backtraces.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from weft.wasm.signatures import FuncType, GlobalType, Kind, MemoryType, TableType

__all__ = ["Body", "Export", "ExternType", "Import", "Module", "Section", "Type"]

ExternType = FuncType | TableType | MemoryType | GlobalType
"""What an import or export is; a tag is described by the function type of its parameters."""
Type = FuncType | Literal["struct", "array"]


class Section(NamedTuple):
    """One section: where its payload lies. ``custom`` ones carry a name of their own choice."""

    name: str
    offset: int
    size: int
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Import:
    """Something the module needs from its host."""

    module: str
    name: str
    kind: Kind
    type: ExternType


@dataclass(frozen=True, slots=True)
class Export:
    """Something the module offers; ``index`` counts in the space of its kind."""

    name: str
    kind: Kind
    index: int


class Body(NamedTuple):
    """Where a function's code lies: locals and instructions, without the size before them."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A module that has been read."""

    size: int
    sections: tuple[Section, ...] = ()
    types: tuple[Type, ...] = ()
    imports: tuple[Import, ...] = ()
    functions: tuple[FuncType, ...] = ()
    tables: tuple[TableType, ...] = ()
    memories: tuple[MemoryType, ...] = ()
    globals: tuple[GlobalType, ...] = ()
    tags: tuple[FuncType, ...] = ()
    exports: tuple[Export, ...] = ()
    start: int | None = None
    """The function that runs when the module is instantiated."""
    bodies: tuple[Body, ...] = ()
    """The code of function ``imported_functions + i``."""
    code_offset: int | None = None
    """Where the code section's payload begins: DWARF counts from here."""
    data_count: int = 0
    name: str = ""
    """The module's name in its name section."""
    function_names: Mapping[int, str]
    producers: Mapping[str, tuple[tuple[str, str], ...]]
    """``language``, ``processed-by``, ``sdk`` → (tool, version) pairs."""
    target_features: tuple[str, ...] = ()
    """``+simd128`` and the like."""
    notes: Mapping[str, str]
    """Custom sections that could not be read → why. They do not make a module invalid."""

    @property
    def imported_functions(self) -> int:
        """How many functions come from the host; the first defined one has this index."""
        return len(self.functions) - len(self.bodies)

    def exported(self, kind: Kind) -> dict[str, int]:
        """Name → index of the exports of one kind."""
        return {export.name: export.index for export in self.exports if export.kind is kind}

    def exported_functions(self) -> dict[str, FuncType]:
        """Name → signature of the exported functions."""
        return {name: self.functions[index] for name, index in self.exported(Kind.FUNC).items()}

    def type_of(self, export: Export) -> ExternType:
        """What an export is."""
        spaces: dict[Kind, tuple[ExternType, ...]] = {
            Kind.FUNC: self.functions,
            Kind.TABLE: self.tables,
            Kind.MEMORY: self.memories,
            Kind.GLOBAL: self.globals,
            Kind.TAG: self.tags,
        }
        return spaces[export.kind][export.index]
