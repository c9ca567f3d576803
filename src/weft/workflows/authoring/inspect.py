"""What ``weft inspect`` shows: everything known about a module, as one document.

The document is an API: keys are only ever added.
"""

import hashlib
from typing import Any

from weft.wasm import Module, describe
from weft.workflows.authoring.modules import LoadedModule

__all__ = ["inspection"]


def inspection(loaded: LoadedModule) -> dict[str, Any]:
    """All that is known about a module, ready for JSON."""
    module = loaded.module
    return {
        "what": loaded.what,
        "size": module.size,
        "digest": f"sha256:{hashlib.sha256(loaded.data).hexdigest()}",
        "name": module.name,
        "proxy_wasm": _proxy_wasm(module),
        "functions": {
            "imported": module.imported_functions,
            "defined": len(module.bodies),
            "named": len(module.function_names),
        },
        "memories": [
            {"minimum": m.minimum, "maximum": m.maximum, "shared": m.shared, "memory64": m.wide}
            for m in module.memories
        ],
        "data_segments": module.data_count,
        "imports": [
            {"module": item.module, "name": item.name, "kind": item.kind.value, "type": str(item.type)}
            for item in module.imports
        ],
        "exports": [
            {"name": item.name, "kind": item.kind.value, "type": str(module.type_of(item))}
            for item in module.exports
        ],
        "sections": [section._asdict() for section in module.sections],
        "producers": {
            field: [{"name": name, "version": version} for name, version in tools]
            for field, tools in module.producers.items()
        },
        "target_features": list(module.target_features),
        "notes": dict(module.notes),
    }


def _proxy_wasm(module: Module) -> dict[str, Any]:
    described = describe(module)
    return {
        "abi": described.abi,
        "abi_version": described.abi_version,
        "abi_markers": list(described.abi_markers),
        "entry_point": described.entry_point,
        "allocators": list(described.allocators),
        "wasi": list(described.wasi),
        "host_functions": {name: list(names) for name, names in described.host_functions.items()},
        "callbacks": list(described.callbacks),
    }
