"""Backtraces with functions, files and lines, from what a module knows of itself. Pure.

``Symbols`` answers what stands at an offset of a module: from its DWARF sections, inlined functions
included, else from its name section or exports; names of C++ and Rust are demangled. ``annotated`` puts
that into a log with backtraces of Envoy, wasmtime or V8, ``frames_in`` finds them.

What reads DWARF and names takes time to import, so it is imported when a module has some.

May import: ``weft.wasm``, ``weft.base``, ``weft.errors``.
"""

from weft.symbols.backtraces import Frame, annotated, frame_lines, frames_in
from weft.symbols.mangling import demangled
from weft.symbols.symbols import Function, Symbols

__all__ = ["Frame", "Function", "Symbols", "annotated", "demangled", "frame_lines", "frames_in"]
