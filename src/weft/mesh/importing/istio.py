"""Istio's ``WasmPlugin`` and ``TrafficExtension`` as intents."""

from typing import Any, Literal

import msgspec

from weft.errors import UsageError
from weft.mesh.importing.imported import Imported, new_intent
from weft.mesh.importing.istio_fields import Agent, Place, agent_fields, place_fields
from weft.mesh.intent.intent import Metadata
from weft.mesh.intent.reading import LineOf, nowhere, read_struct

__all__ = ["TRAFFIC_EXTENSION", "WASM_PLUGIN", "from_traffic_extension", "from_wasm_plugin"]

WASM_PLUGIN = ("extensions.istio.io/v1alpha1", "WasmPlugin")
TRAFFIC_EXTENSION = ("extensions.istio.io/v1alpha1", "TrafficExtension")


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    metadata: Metadata
    spec: dict[str, Any]


def from_wasm_plugin(document: Any, *, where: str, line_of: LineOf = nowhere) -> Imported:
    """Raises ``UsageError`` for what an intent cannot say."""
    read = read_struct(document, _Document, where=where, line_of=line_of)
    spec = dict(read.spec)
    if (single := spec.pop("targetRef", None)) is not None:
        spec["targetRefs"] = spec.get("targetRefs") or [single]
    placed = {name: spec.pop(name) for name in _PLACE if name in spec}
    return _imported(read.metadata, spec, placed, "wasmplugin", where, line_of)


def from_traffic_extension(document: Any, *, where: str, line_of: LineOf = nowhere) -> Imported:
    """Raises ``UsageError`` for Lua, and for what an intent cannot say."""
    read = read_struct(document, _Document, where=where, line_of=line_of)
    spec = dict(read.spec)
    if "lua" in spec or "wasm" not in spec:
        raise UsageError(f"{where}: spec.wasm is not there; weft deploys wasm filters only")
    wasm = spec.pop("wasm")
    return _imported(read.metadata, wasm, spec, "trafficextension", where, line_of)


_PLACE = ("selector", "targetRefs", "phase", "priority", "match")


def _imported(
    metadata: Metadata,
    wasm: Any,
    placed: Any,
    mode: Literal["wasmplugin", "trafficextension"],
    where: str,
    line_of: LineOf,
) -> Imported:
    agent = read_struct(wasm, Agent, where=f"{where}: spec")
    place = read_struct(placed, Place, where=f"{where}: spec")
    fields, notes = agent_fields(agent, where=where)
    more, istio = place_fields(place, where=where)
    spec = {**fields, **more, "target": {"istio": {"mode": mode, **istio}}}
    intent = new_intent(msgspec.to_builtins(metadata), spec, where=where, line_of=line_of)
    return Imported(intent, tuple(notes))
