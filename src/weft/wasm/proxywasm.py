"""What a module says about itself as a proxy-wasm plugin."""

import re
from dataclasses import dataclass

from weft.wasm.callbacks import ALLOCATORS, CALLBACKS
from weft.wasm.hostcalls import ABI_VERSIONS, WASI_MODULES
from weft.wasm.module import Module
from weft.wasm.signatures import Kind

__all__ = ["ProxyWasm", "describe"]

_MARKER = re.compile(r"proxy_abi_version_([0-9]+(?:_[0-9]+)*)")


@dataclass(frozen=True, slots=True)
class ProxyWasm:
    """The facts Envoy decides by."""

    abi_markers: tuple[str, ...]
    """Versions the module claims, in the order of its exports; none before 0.1.0 and in what is no filter."""
    abi_version: str | None
    """The version Envoy takes: the first marker it knows."""
    entry_point: str | None
    """``_initialize`` or ``_start``."""
    allocators: tuple[str, ...]
    """What is there of ``malloc`` and ``proxy_on_memory_allocate``; Envoy uses the first."""
    wasi: tuple[str, ...]
    """The WASI modules it imports from."""
    host_functions: dict[str, tuple[str, ...]]
    """Module → the functions imported from it."""
    callbacks: tuple[str, ...]
    """The exports Envoy calls under that version."""

    @property
    def is_filter(self) -> bool:
        """Whether anything here has to do with proxy-wasm."""
        return bool(self.abi_markers or self.callbacks)

    @property
    def abi(self) -> str:
        """``0.2.1``; ``0.3.0 (unknown to Envoy)``; ``none (before 0.1.0)``; ``none (not a filter)``."""
        if self.abi_version is not None:
            return self.abi_version
        if self.abi_markers:
            return f"{', '.join(self.abi_markers)} (unknown to Envoy)"
        return "none (before 0.1.0)" if self.is_filter else "none (not a filter)"


def describe(module: Module) -> ProxyWasm:
    """Read the proxy-wasm facts off a module's imports and exports."""
    exports = module.exported(Kind.FUNC)
    markers = tuple(
        found.group(1).replace("_", ".") for name in exports if (found := _MARKER.fullmatch(name)) is not None
    )
    version = next((version for version in markers if version in ABI_VERSIONS), None)
    called = {row.name for row in CALLBACKS if version is None or version in row.abis}
    return ProxyWasm(
        abi_markers=markers,
        abi_version=version,
        entry_point=next((name for name in ("_initialize", "_start") if name in exports), None),
        allocators=tuple(row.name for row in ALLOCATORS if row.name in exports),
        wasi=tuple(name for name in WASI_MODULES if any(item.module == name for item in module.imports)),
        host_functions=_host_functions(module),
        callbacks=tuple(name for name in exports if name in called),
    )


def _host_functions(module: Module) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for item in module.imports:
        if item.kind is Kind.FUNC:
            found.setdefault(item.module, []).append(item.name)
    return {name: tuple(dict.fromkeys(functions)) for name, functions in found.items()}
