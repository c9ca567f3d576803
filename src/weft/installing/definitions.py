"""The CRD of weft's own intent, made from its types."""

from typing import Any

from weft.installing.installation import PROGRAM, Object, made
from weft.installing.intent_rules import INTENT_EXTRAS
from weft.installing.structural import structural
from weft.mesh import KINDS, Kind, intent_schema

__all__ = ["definition", "intent_definition"]

_DESCRIPTION = "What is wanted of one filter: which image and config, on which workloads and routes."

_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "format": "int64"}

_CONDITION = {
    "type": "object",
    "required": ["type", "status"],
    "properties": {
        "type": {"type": "string", "maxLength": 316},
        "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
        "reason": {"type": "string", "maxLength": 1024},
        "message": {"type": "string", "maxLength": 32768},
        "lastTransitionTime": {"type": "string", "format": "date-time"},
        "observedGeneration": _NUMBER,
    },
}
_WORKLOAD = {
    "type": "object",
    "required": ["kind", "name"],
    "properties": {"kind": _TEXT, "name": _TEXT, "state": _TEXT, "digest": _TEXT, "message": _TEXT},
}
_STATUS = {
    "description": "What stands, as the operator last saw it.",
    "type": "object",
    "properties": {
        "observedGeneration": _NUMBER,
        "resolvedImage": {"type": "string", "description": "The image by digest."},
        "conditions": {
            "description": "Resolved, Verified, Compatible, Distributed, Programmed, Ready.",
            "type": "array",
            "items": _CONDITION,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
        "rollout": {
            "description": "How far a version is that is rolled out step by step.",
            "type": "object",
            "properties": {
                "revision": _TEXT,
                "stage": _NUMBER,
                "since": _TEXT,
                "state": {"type": "string", "description": "RollingOut, Done or CalledOff."},
                "message": _TEXT,
            },
        },
        "workloads": {
            "type": "array",
            "items": _WORKLOAD,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["kind", "name"],
        },
    },
}
_READY = '.status.conditions[?(@.type=="Ready")]'
_COLUMNS: list[dict[str, Any]] = [
    {"name": "Image", "type": "string", "jsonPath": ".spec.image"},
    {"name": "Ready", "type": "string", "jsonPath": f"{_READY}.status"},
    {"name": "Reason", "type": "string", "jsonPath": f"{_READY}.reason"},
    {"name": "Message", "type": "string", "jsonPath": f"{_READY}.message", "priority": 1},
    {"name": "Resolved", "type": "string", "jsonPath": ".status.resolvedImage", "priority": 1},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]


def intent_definition() -> Object:
    """The CRD of ``FilterDeployment.weft.dev``."""
    schema = intent_schema()
    spec = structural({**schema["$defs"]["Spec"], "$defs": schema["$defs"]}, INTENT_EXTRAS)
    return definition(
        KINDS[0],
        description=_DESCRIPTION,
        short=["wfd"],
        properties={"spec": spec, "status": _STATUS},
        columns=_COLUMNS,
    )


def definition(
    kind: Kind,
    *,
    description: str,
    properties: dict[str, Any],
    columns: list[dict[str, Any]],
    short: list[str],
) -> dict[str, Any]:
    """A CRD of a namespaced kind with a status subresource and one version."""
    names: dict[str, Any] = {"kind": kind.name, "listKind": f"{kind.name}List", "plural": kind.plural}
    names |= {"singular": kind.name.lower(), "categories": ["weft"]}
    names |= {"shortNames": short} if short else {}
    schema = {
        "description": description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": _TEXT,
            "kind": _TEXT,
            "metadata": {"type": "object"},
            **properties,
        },
    }
    held = made(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        f"{kind.plural}.{kind.group}",
        part=PROGRAM,
        spec={
            "group": kind.group,
            "names": names,
            "scope": "Namespaced",
            "versions": [
                {
                    "name": kind.version,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": columns,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    )
    # A chart that is removed must not take every filter deployment with it.
    held["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
    return held
