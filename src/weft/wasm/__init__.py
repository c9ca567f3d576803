"""Read WebAssembly modules without an engine, and know what proxy-wasm and Envoy ask of them. Pure.

``read_module`` turns bytes into a ``Module`` or raises ``ModuleInvalid`` with section and byte, whatever the
bytes are: 4 MB take 13 ms of CPU. Function bodies are Envoy's to validate. ``describe`` reads the proxy-wasm
facts off it, ``loadability`` says what would keep Envoy from running it, in Envoy's own words.
``HOST_FUNCTIONS`` and ``CALLBACKS`` are the two sides of the ABI, measured on ``ENVOY_VERSION``. What stands
at an offset of a backtrace is said by ``weft.symbols``.

May import: ``weft.base``, ``weft.errors``.
"""

from weft.wasm.callbacks import ALLOCATORS, CALLBACKS, ENTRY_POINTS, Callback
from weft.wasm.decode import read_module
from weft.wasm.hostcalls import ABI_VERSIONS, ENVOY_VERSION, HOST_FUNCTIONS, WASI_MODULES, HostFunction
from weft.wasm.invalid import ModuleInvalid
from weft.wasm.limits import MAX_MODULE_BYTES
from weft.wasm.module import Body, Export, Import, Module, Section
from weft.wasm.problems import Effect, Problem
from weft.wasm.proxywasm import ProxyWasm, describe
from weft.wasm.rules import RULES, Rule, loadability
from weft.wasm.signatures import FuncType, GlobalType, Kind, MemoryType, TableType

__all__ = [
    "ABI_VERSIONS",
    "ALLOCATORS",
    "CALLBACKS",
    "ENTRY_POINTS",
    "ENVOY_VERSION",
    "HOST_FUNCTIONS",
    "MAX_MODULE_BYTES",
    "RULES",
    "WASI_MODULES",
    "Body",
    "Callback",
    "Effect",
    "Export",
    "FuncType",
    "GlobalType",
    "HostFunction",
    "Import",
    "Kind",
    "MemoryType",
    "Module",
    "ModuleInvalid",
    "Problem",
    "ProxyWasm",
    "Rule",
    "Section",
    "TableType",
    "describe",
    "loadability",
    "read_module",
]
