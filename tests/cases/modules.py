"""How ``cases.loadability`` writes its modules: a filter with one thing changed, and what follows from it."""

from dataclasses import dataclass, field
from typing import Any

from modules.wasm_encoder import body as code
from modules.wasm_encoder import function_type, limits, module, name, proxy_module, section, u, vec
from weft.wasm import Effect

__all__ = [
    "Case",
    "Found",
    "bad_signature",
    "exporting",
    "filter_with",
    "mismatched",
    "misshapen",
    "missing",
    "raw_imports",
    "refused",
]

TICK = {"proxy_on_tick": "i32 -> void"}  # so that there is a callback and no warning about it
Found = tuple[str, Effect, str]


@dataclass(frozen=True)
class Case:
    """One module: what weft finds, and Envoy's words for what it refuses (all it would say, in its order)."""

    title: str
    data: bytes
    problems: list[Found] = field(default_factory=list)
    envoy: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return self.title


def filter_with(*, exports: dict[str, str] | None = None, **changes: Any) -> bytes:
    """The smallest filter with a callback, changed."""
    return proxy_module(exports=TICK | (exports or {}), **changes)


def refused(title: str, rule: str, message: str, said: str, **changes: Any) -> Case:
    return Case(title, filter_with(**changes), [(rule, Effect.REFUSED, message)], [said])


def missing(
    title: str, label: str, message: str, *, abi: str = "0_2_1", signature: str = "i32 -> void"
) -> Case:
    host, _, function = label.rpartition(".")
    said = f"Failed to load Wasm module due to a missing import: {label}"
    return refused(title, "imports", message, said, abi=abi, imports=[(host, function, signature)])


def mismatched(title: str, label: str, wanted: str, offered: str) -> Case:
    host, function = label.split(".")
    said = (
        f"Failed to load Wasm module due to an import type mismatch: {label}, "
        f"want: {wanted}, but host exports: {offered}"
    )
    message = f"imports {label} as {wanted}, Envoy has {offered}"
    return refused(title, "imports", message, said, imports=[(host, function, wanted)])


def bad_signature(export: str, wanted: str, found: str) -> str:
    return f"Bad function signature for: {export}, want: {wanted}, but the module exports: {found}"


def misshapen(
    title: str,
    export: str,
    found: str,
    wanted: str,
    *,
    rule: str = "callbacks",
    abi: str = "0_2_1",
    **more: str,
) -> Case:
    said = bad_signature(export, wanted, found)
    message = f"{export} is {found}, Envoy wants {wanted}"
    return refused(title, rule, message, said, abi=abi, exports={**more, export: found})


def raw_imports(*imports: bytes) -> dict[str, Any]:
    return {"other_imports": list(imports)}


def exporting(*exports: bytes, types: bytes = b"", extra: bytes = b"", before: bytes = b"") -> bytes:
    """A filter by hand, for exports that ``Program`` cannot write."""
    signatures = ["void -> void", "i32 -> i32", "i32 -> void"]
    listed = [function_type(signature) for signature in signatures] + ([types] if types else [])
    own = [
        name("proxy_abi_version_0_2_1") + b"\0\0",
        name("malloc") + b"\0\1",
        name("proxy_on_tick") + b"\0\2",
        name("memory") + b"\2\0",
    ]
    return module(
        section(1, vec(listed)),
        section(3, vec(u(index) for index in range(len(listed)))),
        before,
        section(5, vec([limits(1)])),
        extra,
        section(7, vec([*own, *exports])),
        section(10, vec([code(b""), code(b"\x41\1"), code(b""), code(b"\0")][: len(listed)])),
    )
