"""Would Envoy load this module, and why not.

Each rule is one look at the module, in the order Envoy takes them; Envoy stops at the first import it does
not like, the rules find all. Instructions are not validated: only an engine can, so "no problems" means
"everything that can be known without one is right". Envoy's words were measured on ``ENVOY_VERSION``.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from weft.wasm.callbacks import ALLOCATORS, CALLBACKS, ENTRY_POINTS, SDK_EXPORTS
from weft.wasm.hostcalls import ABI_VERSIONS
from weft.wasm.linking import check_imports, check_types
from weft.wasm.module import Module
from weft.wasm.problems import Effect, Problem
from weft.wasm.proxywasm import ProxyWasm, describe
from weft.wasm.signatures import FuncType, Kind, MemoryType

__all__ = ["RULES", "Rule", "loadability"]

# Envoy gives V8 at most 1 GiB a memory, and V8 knows no memory64 beyond 16 GiB, in pages of 64 KiB.
_MAX_INITIAL_PAGES = 16_384
_MAX_WIDE_PAGES = 262_144

_CORRUPTED = "Failed to parse corrupted Wasm module"
_NO_BYTECODE = "Failed to load Wasm bytecode"
_NO_MEMORY = "Failed to initialize Wasm code"
_NO_INSTANCE = "Failed to create new Wasm instance"


class Rule(NamedTuple):
    """One thing Envoy asks of a module."""

    name: str
    promise: str
    """What holds when the rule finds nothing."""
    check: Callable[[Module, ProxyWasm], Iterator[Problem]]


def loadability(module: Module) -> list[Problem]:
    """Everything that keeps Envoy from running ``module``, in the order of ``RULES``; empty: it loads."""
    described = describe(module)
    return [problem for rule in RULES for problem in rule.check(module, described)]


def _check_abi(_module: Module, described: ProxyWasm) -> Iterator[Problem]:
    if described.abi_version is None:
        claims = ", ".join(described.abi_markers)
        yield Problem(
            "abi",
            Effect.REFUSED,
            f"claims ABI {claims}, which Envoy does not know" if claims else "exports no proxy_abi_version_*",
            "Missing or unknown Proxy-Wasm ABI version",
            f"Envoy knows {', '.join(ABI_VERSIONS)}: build with a current proxy-wasm SDK",
        )
    elif len(described.abi_markers) > 1:
        claims = ", ".join(described.abi_markers)
        yield Problem("abi", Effect.WARNING, f"claims ABI {claims}; Envoy takes {described.abi_version}")


def _check_names(module: Module, _described: ProxyWasm) -> Iterator[Problem]:
    if flaw := module.notes.get("name"):
        yield Problem(
            "names",
            Effect.REFUSED,
            f"the name section is broken: {flaw}",
            _CORRUPTED,
            "strip it, for example with wasm-strip",
        )


def _check_memory(module: Module, described: ProxyWasm) -> Iterator[Problem]:
    imported = [item.type for item in module.imports if isinstance(item.type, MemoryType)]
    for index, memory in enumerate(module.memories):
        yield from _check_size(memory, imported=index < len(imported))
    if any(memory.shared or memory.wide for memory in imported):
        message = "imports a shared or 64-bit memory; the one Envoy gives is neither"
        yield Problem("memory", Effect.REFUSED, message, _NO_INSTANCE)
    if len(imported) > 1:
        yield Problem("memory", Effect.REFUSED, "imports several memories; Envoy gives one", _NO_INSTANCE)
    if described.host_functions and not imported and not module.exported(Kind.MEMORY):
        message = "calls the host but exports no memory: the first call kills Envoy"
        yield Problem("memory", Effect.CRASHES, message, hint="link with --export-memory")


def _check_size(memory: MemoryType, *, imported: bool) -> Iterator[Problem]:
    if memory.wide and max(memory.minimum, memory.maximum or 0) > _MAX_WIDE_PAGES:
        message = f"has a memory64 of more than {_MAX_WIDE_PAGES} pages (16 GiB)"
        yield Problem("memory", Effect.REFUSED, message, _NO_BYTECODE)
    elif memory.minimum > _MAX_INITIAL_PAGES:
        message = f"starts with {memory.minimum} pages of memory; Envoy allows {_MAX_INITIAL_PAGES} (1 GiB)"
        yield Problem("memory", Effect.REFUSED, message, _NO_MEMORY if imported else _NO_INSTANCE)


def _check_allocator(module: Module, described: ProxyWasm) -> Iterator[Problem]:
    exports = module.exported_functions()
    for row in ALLOCATORS:
        if exports.get(row.name) == row.signature:
            return  # Envoy does not look at the next
        yield from _check_signature("allocator", row.name, row.signature, exports)
    message = "exports neither malloc nor proxy_on_memory_allocate"
    if described.allocators:
        message = "exports no allocator that Envoy can call"
    said = "Wasm module is missing malloc function."
    hint = "the host asks the module for memory to write into: export malloc(size)"
    yield Problem("allocator", Effect.REFUSED, message, said, hint)


def _check_entry(module: Module, _described: ProxyWasm) -> Iterator[Problem]:
    exports = module.exported_functions()
    initialize, *reactor = ENTRY_POINTS["_initialize"]
    yield from _check_signature("entry", initialize.name, initialize.signature, exports)
    is_reactor = exports.get(initialize.name) == initialize.signature
    for row in reactor if is_reactor else ENTRY_POINTS["_start"]:
        yield from _check_signature("entry", row.name, row.signature, exports)


def _check_callbacks(module: Module, described: ProxyWasm) -> Iterator[Problem]:
    abi = described.abi_version
    if abi is None:
        return  # without a version there is no telling which signature is right
    exports = module.exported_functions()
    for row in CALLBACKS:
        if abi in row.abis:
            yield from _check_signature("callbacks", row.name, row.signature, exports)
    known = {row.name for row in CALLBACKS} | SDK_EXPORTS
    for name in exports:
        if name.startswith("proxy_on_") and name not in known:
            yield Problem("callbacks", Effect.WARNING, f"exports {name}, which Envoy never calls")
    if not described.callbacks:
        yield Problem("callbacks", Effect.WARNING, "exports no callback: Envoy runs it and nothing happens")


def _check_signature(
    rule: str, name: str, wanted: FuncType, exports: dict[str, FuncType]
) -> Iterator[Problem]:
    found = exports.get(name)
    if found is not None and found != wanted:
        said = f"Bad function signature for: {name}, want: {wanted}, but the module exports: {found}"
        yield Problem(rule, Effect.REFUSED, f"{name} is {found}, Envoy wants {wanted}", said)


RULES: tuple[Rule, ...] = (
    Rule("abi", "claims an ABI version Envoy knows", _check_abi),
    Rule("names", "the name section can be read", _check_names),
    Rule("types", "imports and exports are of types Envoy's V8 can hand over", check_types),
    Rule("imports", "Envoy serves every import, with that type", check_imports),
    Rule("memory", "memory is within Envoy's limits and exported", _check_memory),
    Rule("entry", "entry points have the right signature", _check_entry),
    Rule("allocator", "the host can allocate in the module", _check_allocator),
    Rule("callbacks", "callbacks have the signatures of the ABI version", _check_callbacks),
)
