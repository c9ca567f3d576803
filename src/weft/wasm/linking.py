"""Do a module's imports fit what Envoy offers."""

from collections.abc import Iterator

from weft.wasm.hostcalls import served
from weft.wasm.module import Export, ExternType, Import, Module
from weft.wasm.problems import Effect, Problem
from weft.wasm.proxywasm import ProxyWasm
from weft.wasm.signatures import FuncType, GlobalType, Kind, TableType

__all__ = ["check_imports", "check_types"]

# The C interface of V8 that Envoy uses has words for these; it aborts on any other.
_SPEAKABLE = {"i32", "i64", "f32", "f64", "funcref", "externref", "(ref func)", "(ref extern)"}

_WORDS = {Kind.FUNC: "function"}

# Why people meet an import that no proxy has, by how its name begins.
_WHY_MISSING = (
    ("env.abort", "AssemblyScript: compile with --use abort=<a function of your own>"),
    ("env.__cxa_", "C++ exceptions: compile with -fno-exceptions"),
    ("env._Unwind_", "C++ exceptions: compile with -fno-exceptions"),
    ("env.invoke_", "Emscripten's exceptions or setjmp: compile with -fno-exceptions"),
    ("wasi_snapshot_preview1.proc_raise", "wasi-libc's raise() and abort(): call __builtin_trap() instead"),
    ("wasi:", "a WASI 0.2 import: build for wasm32-wasip1, not wasm32-wasip2"),
    ("__wbindgen", "wasm-bindgen needs JavaScript: build without it"),
    ("wbg.", "wasm-bindgen needs JavaScript: build without it"),
    ("gojs.", "Go for the browser: build with GOOS=wasip1 -buildmode=c-shared"),
    ("go.", "Go for the browser: build with GOOS=wasip1 -buildmode=c-shared"),
    ("env.proxy_", "no released ABI version has it; check the name and the SDK's version"),
    ("env.", "a function that was declared but never linked in"),
)


def check_imports(module: Module, described: ProxyWasm) -> Iterator[Problem]:
    """Imports that Envoy does not serve, or serves with another type."""
    for item in dict.fromkeys(module.imports):
        if item.kind is Kind.FUNC:
            yield from _check_function(item, described)
        elif item.kind is Kind.GLOBAL:
            yield _missing(item, "a global, and Envoy offers none")
    if sum(item.kind is Kind.TABLE for item in module.imports) > 1:
        message = "imports several tables; Envoy gives one"
        yield Problem("imports", Effect.REFUSED, message, "Failed to create new Wasm instance")


def _check_function(item: Import, described: ProxyWasm) -> Iterator[Problem]:
    row = served(item.module, item.name)
    abi = described.abi_version
    if row is None:
        label = f"{item.module}.{item.name}"
        why = next((why for start, why in _WHY_MISSING if label.startswith(start)), None)
        yield _missing(item, "which Envoy does not have", why)
    elif abi is not None and abi not in row.abis:
        only = ", ".join(row.abis)
        yield _missing(item, f"which Envoy has only for ABI {only}; the module claims {abi}")
    elif item.type != row.signature:
        label = f"{item.module}.{item.name}"
        yield Problem(
            "imports",
            Effect.REFUSED,
            f"imports {label} as {item.type}, Envoy has {row.signature}",
            f"Failed to load Wasm module due to an import type mismatch: {label}, "
            f"want: {item.type}, but host exports: {row.signature}",
        )


def _missing(item: Import, why: str, hint: str | None = None) -> Problem:
    label = f"{item.module}.{item.name}"
    said = f"Failed to load Wasm module due to a missing import: {label}"
    return Problem("imports", Effect.REFUSED, f"imports {label}, {why}", said, hint)


def check_types(module: Module, _described: ProxyWasm) -> Iterator[Problem]:
    """Imports and exports whose mere presence aborts Envoy."""
    hint = "keep it inside the module"
    for item in module.imports:
        if unspeakable := _unspeakable(item, item.type):
            message = f"imports {item.module}.{item.name}, {unspeakable}"
            yield Problem("types", Effect.CRASHES, message, hint=hint)
    for export in module.exports:
        if unspeakable := _unspeakable(export, module.type_of(export)):
            yield Problem("types", Effect.CRASHES, f"exports {export.name}, {unspeakable}", hint=hint)


def _unspeakable(item: Import | Export, kind: ExternType) -> str | None:
    """What V8's C interface has no word for in ``item``."""
    if item.kind is Kind.TAG:
        return "an exception tag"
    found: tuple[str, ...] = ()
    if isinstance(kind, FuncType):
        found = kind.params + kind.results
    elif isinstance(kind, GlobalType):
        found = (kind.type,)
    elif isinstance(kind, TableType):
        found = (kind.element,)
    odd = sorted(set(found) - _SPEAKABLE)
    return f"a {_WORDS.get(item.kind, item.kind)} of {', '.join(odd)}" if odd else None
