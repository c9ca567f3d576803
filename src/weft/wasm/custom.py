"""Custom sections that say something about a module: ``name``, ``producers``, ``target_features``.

They are no part of the program, so what is wrong in them becomes a note and never an error. Formats:
https://webassembly.github.io/spec/core/appendix/custom.html#name-section and the WebAssembly
tool-conventions (ProducersSection.md, Linking.md).
"""

from collections.abc import Callable

from weft.wasm.draft import Draft
from weft.wasm.invalid import ModuleInvalid
from weft.wasm.limits import MAX_FUNCTIONS
from weft.wasm.reader import Reader

__all__ = ["read_custom"]

_MODULE_NAME, _FUNCTION_NAMES = 0, 1
# Real ones have three fields and a handful of tools or features.
_MAX_ITEMS = 10_000


def read_custom(title: str, r: Reader, draft: Draft) -> None:
    """Take from the section ``title`` what we understand. Of several with one title the first counts."""
    decode = _KNOWN.get(title)
    if decode is None or title in draft.understood:
        return
    draft.understood.add(title)
    try:
        decode(r, draft)
    except ModuleInvalid as flaw:
        draft.notes[title] = f"byte {flaw.offset} ({flaw.offset:#x}): {flaw.problem}"


def _names(r: Reader, draft: Draft) -> None:
    while r.left:
        kind = r.byte()
        at = r.pos
        size = r.u32()
        start = r.skip(size, "subsection", at=at)
        inner = Reader(r.data, start, r.pos, r.section)
        if kind == _MODULE_NAME:
            draft.name = inner.raw_name("module name").decode(errors="replace")
        elif kind == _FUNCTION_NAMES:
            _function_names(inner, draft.function_names)


def _function_names(r: Reader, names: dict[int, str]) -> None:
    """Numbers beyond the functions and names that are not text are taken as they come, as Envoy does."""
    data, end = r.data, r.end
    for _ in range(r.count("function names", MAX_FUNCTIONS)):
        index, at = r.u32(), r.pos
        size = r.u32()
        start = r.pos
        r.pos = stop = start + size
        if stop > end:
            r.pos = start
            raise r.invalid(f"function name of {size} bytes, but only {r.left} are left", at=at)
        names.setdefault(index, data[start:stop].decode(errors="replace"))
    r.finish()


def _producers(r: Reader, draft: Draft) -> None:
    for _ in range(r.count("fields", _MAX_ITEMS)):
        field = r.name("field")
        tools = range(r.count("tools", _MAX_ITEMS))
        draft.producers[field] = tuple([(r.name("tool"), r.name("version")) for _ in tools])


def _target_features(r: Reader, draft: Draft) -> None:
    features = range(r.count("features", _MAX_ITEMS))
    draft.target_features = tuple([chr(r.byte()) + r.name("feature") for _ in features])


_KNOWN: dict[str, Callable[[Reader, Draft], None]] = {
    "name": _names,
    "producers": _producers,
    "target_features": _target_features,
}
