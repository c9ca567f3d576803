"""Run WebAssembly: the only place that knows which engine does it.

``compile_module`` gives a ``Program`` (compiled once, kept on disk where a folder is given); ``Machine`` is
one instance of it with its memory, its limits and its imports. A failing guest raises ``Trapped``; a host
function that raises stops the guest and reappears, unchanged, where the guest was called.

May import: ``weft.base``, ``weft.errors``, ``weft.wasm``.
"""

from weft.testhost.engine.compiling import Program, compile_module
from weft.testhost.engine.memory import BadAddress, Memory
from weft.testhost.engine.running import Import, Limits, Machine
from weft.testhost.engine.traps import Site, Trapped

__all__ = [
    "BadAddress",
    "Import",
    "Limits",
    "Machine",
    "Memory",
    "Program",
    "Site",
    "Trapped",
    "compile_module",
]
