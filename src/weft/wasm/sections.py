"""What stands in each section that the specification numbers.

One function a section: it reads its whole payload into the draft, and checks what later parts of weft rely on
(numbers point at something, names are text). Bodies are stepped over; element and data segments are counted
only (Go writes forty thousand of them). Whether the program is valid is for an engine to say. https://webassembly.github.io/spec/core/binary/modules.html
"""

from collections.abc import Callable
from typing import NamedTuple

from weft.wasm import limits
from weft.wasm.draft import Draft
from weft.wasm.expressions import skip_expression
from weft.wasm.module import Body, Export, ExternType, Import
from weft.wasm.reader import Reader
from weft.wasm.signatures import (
    FuncType,
    Kind,
    function_type,
    global_type,
    memory_type,
    mutability,
    storage_type,
    table_type,
)

__all__ = ["SECTIONS", "Decoder"]

_REC, _SUB, _SUB_FINAL = 0x4E, 0x50, 0x4F
_FUNC, _STRUCT, _ARRAY = 0x60, 0x5F, 0x5E
_KINDS = tuple(Kind)
_TABLE_WITH_VALUE = 0x40


def _types(r: Reader, draft: Draft) -> None:
    for _ in range(r.count("types", limits.MAX_TYPES)):
        if r.left and r.data[r.pos] == _REC:
            r.pos += 1
            for _ in range(r.count("types", limits.MAX_TYPES)):
                _type(r, draft)
        else:
            _type(r, draft)


def _type(r: Reader, draft: Draft) -> None:
    start = r.pos
    if len(draft.types) >= limits.MAX_TYPES:
        raise r.invalid(f"more than the {limits.MAX_TYPES} types allowed")
    form = r.byte()
    if form in {_SUB, _SUB_FINAL}:
        for _ in range(r.count("supertypes", limits.MAX_TYPES)):
            r.u32()
        form = r.byte()
    if form == _FUNC:
        draft.types.append(function_type(r))
    elif form == _STRUCT:
        for _ in range(r.count("fields", limits.MAX_TYPES)):
            storage_type(r)
            mutability(r)
        draft.types.append("struct")
    elif form == _ARRAY:
        storage_type(r)
        mutability(r)
        draft.types.append("array")
    else:
        raise r.invalid(f"unknown form of type {form:#04x}", at=start)


def _imports(r: Reader, draft: Draft) -> None:
    for _ in range(r.count("imports", limits.MAX_IMPORTS)):
        module, name = r.name("module name"), r.name("import name")
        kind = _kind(r)
        found = _IMPORTED[kind](r, draft)
        draft.space(kind).append(found)
        draft.imports.append(Import(module, name, kind, found))


def _kind(r: Reader) -> Kind:
    start = r.pos
    number = r.byte()
    if number >= len(_KINDS):
        raise r.invalid(f"unknown kind {number:#04x}", at=start)
    return _KINDS[number]


def _functions(r: Reader, draft: Draft) -> None:
    draft.defined = r.count("functions", limits.MAX_FUNCTIONS)
    draft.functions += [draft.function_type(r) for _ in range(draft.defined)]


def _tables(r: Reader, draft: Draft) -> None:
    for _ in range(r.count("tables", limits.MAX_TABLES)):
        if r.data[r.pos : r.pos + 2] == bytes((_TABLE_WITH_VALUE, 0)):
            r.skip(2, "table")
            draft.tables.append(table_type(r))
            skip_expression(r)
        else:
            draft.tables.append(table_type(r))


def _memories(r: Reader, draft: Draft) -> None:
    draft.memories += [memory_type(r) for _ in range(r.count("memories", limits.MAX_MEMORIES))]


def _tags(r: Reader, draft: Draft) -> None:
    draft.tags += [_tag(r, draft) for _ in range(r.count("tags", limits.MAX_TYPES))]


def _tag(r: Reader, draft: Draft) -> FuncType:
    start = r.pos
    if r.byte() != 0:
        raise r.invalid("unknown attribute of a tag", at=start)
    return draft.function_type(r)


def _globals(r: Reader, draft: Draft) -> None:
    for _ in range(r.count("globals", limits.MAX_GLOBALS)):
        draft.globals.append(global_type(r))
        skip_expression(r)


def _exports(r: Reader, draft: Draft) -> None:
    seen: set[str] = set()
    for _ in range(r.count("exports", limits.MAX_EXPORTS)):
        start = r.pos
        name = r.name("export name")
        if name in seen:
            raise r.invalid(f"{name!r} is exported twice", at=start)
        seen.add(name)
        kind = _kind(r)
        draft.exports.append(Export(name, kind, draft.index(r, kind)))


def _start(r: Reader, draft: Draft) -> None:
    at = r.pos
    index = draft.index(r, Kind.FUNC)
    if draft.functions[index] != FuncType():
        raise r.invalid(f"start function is of type {draft.functions[index]}", at=at)
    draft.start = index


def _elements(r: Reader, draft: Draft) -> None:  # noqa: ARG001 - counted, not kept
    r.count("element segments", limits.MAX_TYPES)
    r.skip(r.left, "element segments")


def _data_count(r: Reader, draft: Draft) -> None:
    at = r.pos
    draft.announced_data = r.u32()
    if draft.announced_data > limits.MAX_DATA_SEGMENTS:
        raise r.invalid(
            f"{draft.announced_data} data segments are more than the {limits.MAX_DATA_SEGMENTS} allowed",
            at=at,
        )


def _code(r: Reader, draft: Draft) -> None:
    draft.code_offset = at = r.pos
    count = r.count("function bodies", limits.MAX_FUNCTIONS)
    if count != draft.defined:
        raise r.invalid(f"{count} function bodies for {draft.defined} functions", at=at)
    keep, most = draft.bodies.append, limits.MAX_FUNCTION_BYTES
    for _ in range(count):
        at = r.pos
        size = r.u32()
        if size > most:
            raise r.invalid(f"function body of {size} bytes is larger than the {most} allowed", at=at)
        keep(Body(r.skip(size, "function body", at=at), size))


def _data(r: Reader, draft: Draft) -> None:
    at = r.pos
    draft.data_count = r.count("data segments", limits.MAX_DATA_SEGMENTS)
    if draft.announced_data not in {None, draft.data_count}:
        raise r.invalid(f"{draft.data_count} data segments, but {draft.announced_data} were announced", at=at)
    r.skip(r.left, "data segments")


_IMPORTED: dict[Kind, Callable[[Reader, Draft], ExternType]] = {
    Kind.FUNC: lambda r, draft: draft.function_type(r),
    Kind.TABLE: lambda r, _: table_type(r),
    Kind.MEMORY: lambda r, _: memory_type(r),
    Kind.GLOBAL: lambda r, _: global_type(r),
    Kind.TAG: _tag,
}


class Decoder(NamedTuple):
    """How a section is called and read; sections come in the order of this table."""

    name: str
    read: Callable[[Reader, Draft], None]


SECTIONS: dict[int, Decoder] = {
    1: Decoder("type", _types),
    2: Decoder("import", _imports),
    3: Decoder("function", _functions),
    4: Decoder("table", _tables),
    5: Decoder("memory", _memories),
    13: Decoder("tag", _tags),
    6: Decoder("global", _globals),
    7: Decoder("export", _exports),
    8: Decoder("start", _start),
    9: Decoder("element", _elements),
    12: Decoder("data count", _data_count),
    10: Decoder("code", _code),
    11: Decoder("data", _data),
}
