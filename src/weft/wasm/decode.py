"""From bytes to a ``Module``: the header, then one section after the other."""

from weft.wasm.custom import read_custom
from weft.wasm.draft import Draft
from weft.wasm.invalid import ModuleInvalid
from weft.wasm.limits import MAX_MODULE_BYTES, MAX_SECTIONS
from weft.wasm.module import Module, Section
from weft.wasm.reader import Reader
from weft.wasm.sections import SECTIONS

__all__ = ["read_module"]

_MAGIC = b"\0asm"
_VERSION = b"\x01\0\0\0"
_HEADER_BYTES = 8
_COMPONENT_LAYER = b"\x01\0"
_CUSTOM = 0
_RANKS = {number: rank for rank, number in enumerate(SECTIONS)}

# What people hand over instead of a module, by its first bytes.
_MISTAKEN = {
    b"\x1f\x8b": "this is gzip: unpack it first, the module is the file plugin.wasm or filter.wasm inside",
    b"(module": "this is WebAssembly text: assemble it first, for example with wat2wasm",
    b"\x7fELF": "this is a native program: compile for a WebAssembly target",
    b"!<arch>": "this is a static library: link it into a module",
    b"<": "this is a web page: the download did not give the file",
}
_CORE_WANTED = "Envoy runs core modules: build for wasm32-wasip1 or wasm32-unknown-unknown, not wasm32-wasip2"


def read_module(data: bytes, *, what: str = "module") -> Module:
    """Read a core module; ``what`` is how errors call it.

    Raises ``ModuleInvalid`` with section and byte. Never runs or compiles anything: that the code itself is
    valid is not promised.
    """
    try:
        return _read(data)
    except ModuleInvalid as flaw:
        flaw.what = what
        raise


def _read(data: bytes) -> Module:
    r = Reader(data, 0, len(data), "header")
    _check_header(r)
    draft = Draft(size=len(data))
    rank = -1
    while r.left:
        r.section = "sections"
        if len(draft.sections) >= MAX_SECTIONS:
            raise r.invalid(f"more than the {MAX_SECTIONS} sections allowed")
        at = r.pos
        number = r.byte()
        inner = _payload(r)
        if number == _CUSTOM:
            _read_custom(inner, draft)
            continue
        rank = _check_order(r, number, rank, at)
        _read_numbered(number, inner, draft)
    _check_whole(r, draft)
    return draft.finish()


def _check_header(r: Reader) -> None:
    data = r.data
    if len(data) > MAX_MODULE_BYTES:
        raise r.invalid(f"{len(data)} bytes are more than the {MAX_MODULE_BYTES} allowed")
    if data[:4] != _MAGIC:
        hint = next((hint for start, hint in _MISTAKEN.items() if data.startswith(start)), None)
        raise r.invalid("not WebAssembly, which begins with \\0asm" if data else "empty", hint=hint)
    if len(data) < _HEADER_BYTES:
        raise r.invalid("ends too early", at=len(data))
    if data[6:8] == _COMPONENT_LAYER:
        raise r.invalid("a component, not a core module", at=4, hint=_CORE_WANTED)
    if data[4:8] != _VERSION:
        raise r.invalid(f"version {int.from_bytes(data[4:8], 'little')}, but only 1 is known", at=4)
    r.pos = _HEADER_BYTES


def _payload(r: Reader) -> Reader:
    """The section at the cursor; the cursor moves behind it."""
    at = r.pos
    size = r.u32()
    start = r.skip(size, "section", at=at)
    return Reader(r.data, start, start + size, "custom section")


def _read_custom(r: Reader, draft: Draft) -> None:
    start, end = r.pos, r.end
    title = r.name("name")
    r.section = f"custom section {title!r}"
    read_custom(title, r, draft)
    draft.sections.append(Section(title, start, end - start, custom=True))


def _check_order(r: Reader, number: int, rank: int, at: int) -> int:
    """The rank of section ``number``, which must be above the one before."""
    if number not in SECTIONS:
        raise r.invalid(f"unknown section {number}", at=at)
    if _RANKS[number] == rank:
        raise r.invalid(f"{SECTIONS[number].name} section twice", at=at)
    if _RANKS[number] < rank:
        raise r.invalid(f"{SECTIONS[number].name} section out of order", at=at)
    return _RANKS[number]


def _read_numbered(number: int, r: Reader, draft: Draft) -> None:
    name, read = SECTIONS[number]
    r.section = f"{name} section"
    draft.sections.append(Section(name, r.pos, r.left))
    read(r, draft)
    r.finish()


def _check_whole(r: Reader, draft: Draft) -> None:
    """What only the end of the file can tell."""
    if len(draft.bodies) != draft.defined:
        raise r.invalid(f"{draft.defined} functions, but no code section")
    if draft.announced_data and not draft.data_count:
        raise r.invalid(f"{draft.announced_data} data segments were announced, but there are none")
