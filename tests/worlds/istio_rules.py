"""What Istio 1.30 demands of the objects it is told, as its CRDs say: shapes and rules.

Written down from the CRDs of 1.30.3, field by field, for the three kinds that weft makes; every mapping is
closed, where Kubernetes would silently drop what it does not know.
"""

from collections.abc import Iterator
from typing import Any

import jsonschema

__all__ = ["complaints"]


def _closed(required: tuple[str, ...] = (), /, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items: Any, most: int | None = None) -> dict[str, Any]:
    return {"type": "array", "items": items, **({} if most is None else {"maxItems": most})}


def _word(*words: str) -> dict[str, Any]:
    return {"enum": list(words)}


_TEXT = {"type": "string"}
_INT32 = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
_LABELS = {
    "type": "object",
    "maxProperties": 4096,
    "additionalProperties": {"type": "string", "maxLength": 63},
}
_REF = _closed(
    ("kind", "name"),
    group={
        "type": "string",
        "maxLength": 253,
        "pattern": r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    },
    kind={
        "type": "string",
        "minLength": 1,
        "maxLength": 63,
        "pattern": "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$",
    },
    name={"type": "string", "minLength": 1, "maxLength": 253},
)
_PORTS = _list(_closed(("number",), number={"type": "integer", "minimum": 1, "maximum": 65535}))
_MATCH = _list(_closed(mode=_word("UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"), ports=_PORTS))
_ENV = _closed(
    ("name",),
    name={"type": "string", "minLength": 1, "maxLength": 256},
    value={"type": "string", "maxLength": 2048},
    valueFrom=_word("INLINE", "HOST"),
)
_WASM = {
    "url": {"type": "string", "minLength": 1, "pattern": "^(https?|file|oci)://"},
    "sha256": {"type": "string", "pattern": "(^$|^[a-f0-9]{64}$)"},
    "imagePullPolicy": _word("UNSPECIFIED_POLICY", "IfNotPresent", "Always"),
    "imagePullSecret": {"type": "string", "minLength": 1, "maxLength": 253},
    "pluginConfig": {"type": "object"},
    "pluginName": {"type": "string", "minLength": 1, "maxLength": 256},
    "failStrategy": _word("FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"),
    "vmConfig": _closed(env=_list(_ENV, 256)),
    "type": _word("UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"),
}
_PLACE = {
    "selector": _closed(matchLabels=_LABELS),
    "targetRefs": _list(_REF, 16),
    "priority": {"anyOf": [_INT32, {"type": "null"}]},
    "match": _MATCH,
}
_FILTER = _closed(name=_TEXT, subFilter=_closed(name=_TEXT))
_UINT32 = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
_LISTENER = _closed(portNumber=_UINT32, name=_TEXT, filterChain=_closed(name=_TEXT, filter=_FILTER))
_PATCH = _closed(
    applyTo=_word("HTTP_FILTER"),
    match=_closed(context=_word("ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY"), listener=_LISTENER),
    patch=_closed(operation=_word("ADD", "INSERT_BEFORE", "INSERT_FIRST"), value={"type": "object"}),
)
_SPECS = {
    "WasmPlugin": _closed(
        ("url",), phase=_word("UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"), **_PLACE, **_WASM
    ),
    "TrafficExtension": _closed(
        ("wasm",),
        phase=_word("UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"),
        **_PLACE,
        wasm=_closed(("url",), **_WASM),
    ),
    "EnvoyFilter": _closed(
        configPatches=_list(_PATCH),
        priority=_INT32,
        targetRefs=_list(_REF, 16),
        workloadSelector=_closed(labels={**_LABELS, "maxProperties": 256}),
    ),
}


def complaints(held: Any) -> list[str]:
    """What Kubernetes would say of an object of one of the three kinds."""
    checker = jsonschema.Draft202012Validator(_SPECS[held["kind"]])
    spec = held["spec"]
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(spec)] + list(_rules(spec))


def _rules(spec: Any) -> Iterator[str]:
    """The CEL rules."""
    if sum(name in spec for name in ("selector", "workloadSelector", "targetRefs")) > 1:
        yield "only one of targetRefs or selector can be set"
    labels = spec.get("selector", {}).get("matchLabels", {}) | spec.get("workloadSelector", {}).get(
        "labels", {}
    )
    for key, value in labels.items():
        if "*" in key or "*" in value or not key:
            yield f"wildcard or nothing in the label {key}={value}"
    wasm = spec.get("wasm", spec)
    names = [one["name"] for one in wasm.get("vmConfig", {}).get("env", [])]
    if len(names) != len(set(names)):
        yield "Duplicate value in vmConfig.env"
    for one in wasm.get("vmConfig", {}).get("env", []):
        if one.get("valueFrom") == "HOST" and "value" in one:
            yield "value may only be set when valueFrom is INLINE"
    for match in spec.get("match", []):
        ports = [port["number"] for port in match.get("ports", [])]
        if len(ports) != len(set(ports)):
            yield "Duplicate value in match.ports"
