"""A module while its sections are being read: lists that grow, then one frozen value."""

from dataclasses import dataclass, field
from typing import Any

from weft.wasm.module import Body, Export, Import, Module, Section, Type
from weft.wasm.reader import Reader
from weft.wasm.signatures import FuncType, GlobalType, Kind, MemoryType, TableType

__all__ = ["Draft"]


@dataclass
class Draft:
    """Everything ``Module`` holds, and what only matters until the end."""

    size: int
    sections: list[Section] = field(default_factory=list)
    types: list[Type] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    functions: list[FuncType] = field(default_factory=list)
    tables: list[TableType] = field(default_factory=list)
    memories: list[MemoryType] = field(default_factory=list)
    globals: list[GlobalType] = field(default_factory=list)
    tags: list[FuncType] = field(default_factory=list)
    exports: list[Export] = field(default_factory=list)
    start: int | None = None
    bodies: list[Body] = field(default_factory=list)
    code_offset: int | None = None
    announced_data: int | None = None
    """What the data count section promised."""
    data_count: int = 0
    name: str = ""
    function_names: dict[int, str] = field(default_factory=dict)
    producers: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    target_features: tuple[str, ...] = ()
    notes: dict[str, str] = field(default_factory=dict)
    understood: set[str] = field(default_factory=set)
    """Titles of custom sections that were taken: the first of each counts."""
    defined: int = 0
    """Functions whose code must follow."""

    def function_type(self, r: Reader) -> FuncType:
        """The function type whose number stands at the cursor."""
        at = r.pos
        index = r.u32()
        if index >= len(self.types):
            raise r.invalid(f"type {index}, but there are {len(self.types)}", at=at)
        found = self.types[index]
        if not isinstance(found, FuncType):
            raise r.invalid(f"type {index} is of a {found}, not of a function", at=at)
        return found

    def index(self, r: Reader, kind: Kind) -> int:
        """The number at the cursor, which must be of something that is there."""
        at = r.pos
        index = r.u32()
        there = len(self.space(kind))
        if index >= there:
            raise r.invalid(f"{kind} {index}, but there are {there}", at=at)
        return index

    def space(self, kind: Kind) -> list[Any]:
        """The index space of one kind; what is in it depends on the kind."""
        match kind:
            case Kind.FUNC:
                return self.functions
            case Kind.TABLE:
                return self.tables
            case Kind.MEMORY:
                return self.memories
            case Kind.GLOBAL:
                return self.globals
            case Kind.TAG:
                return self.tags

    def finish(self) -> Module:
        """The module, frozen."""
        return Module(
            size=self.size,
            sections=tuple(self.sections),
            types=tuple(self.types),
            imports=tuple(self.imports),
            functions=tuple(self.functions),
            tables=tuple(self.tables),
            memories=tuple(self.memories),
            globals=tuple(self.globals),
            tags=tuple(self.tags),
            exports=tuple(self.exports),
            start=self.start,
            bodies=tuple(self.bodies),
            code_offset=self.code_offset,
            data_count=self.data_count,
            name=self.name,
            function_names=self.function_names,
            producers=self.producers,
            target_features=self.target_features,
            notes=self.notes,
        )
