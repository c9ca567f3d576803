"""The CRDs of the kinds that came before: wasme's and ASM's, as permissive as theirs and with their status.

wasme's had no schema at all, so objects of any shape may be there already: known fields have their types,
unknown ones stay. What ASM's status holds was never published; it is served in wasme's shape.
"""

from typing import Any

from weft.installing.definitions import definition
from weft.installing.installation import Object
from weft.mesh import KINDS

__all__ = ["foreign_definitions"]

_ANYTHING = {"x-kubernetes-preserve-unknown-fields": True}
_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_COLUMNS = [
    {"name": "Image", "type": "string", "jsonPath": ".spec.filter.image"},
    {"name": "Reason", "type": "string", "jsonPath": ".status.reason"},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]


def _loose(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **_ANYTHING}


_LABELS = {"type": "object", "additionalProperties": _TEXT}
_STATUS = _loose(
    # wasme writes this number as text.
    observedGeneration={"x-kubernetes-int-or-string": True},
    workloads={
        "type": "object",
        "additionalProperties": _loose(
            state={"type": "string", "description": "Pending, Succeeded or Failed."}, reason=_TEXT
        ),
    },
    reason=_TEXT,
)


def _filter(**properties: Any) -> dict[str, Any]:
    return _loose(id=_TEXT, image=_TEXT, rootID=_TEXT, patchContext=_TEXT, **properties)


def foreign_definitions() -> tuple[Object, ...]:
    """The CRDs of wasme's ``FilterDeployment`` and of ASM's ``ASMFilterDeployment``, in both spellings."""
    pull = _loose(pullSecret=_TEXT, insecureSkipVerify=_FLAG, plainHttp=_FLAG)
    istio = _loose(kind=_TEXT, labels=_LABELS, istioNamespace=_TEXT)
    wasme = _loose(filter=_filter(config=_ANYTHING, imagePullOptions=pull), deployment=_loose(istio=istio))
    pods = _loose(kind=_TEXT, labels=_LABELS)
    asm = _loose(
        filter=_filter(parameters=_TEXT, imagePullOptions=_loose(pullSecret=_TEXT)),
        workload=pods,
        deployment=pods,
    )
    _, theirs, asms, misspelt = KINDS
    kinds = (
        (theirs, wasme, "A filter on Istio, as wasme has it."),
        (asms, asm, "A filter on Istio, as ASM has it."),
        (misspelt, asm, "ASMFilterDeployment, as it is also spelt."),
    )
    return tuple(
        definition(
            kind,
            description=description,
            short=[],
            properties={"spec": spec, "status": _STATUS},
            columns=_COLUMNS,
        )
        for kind, spec, description in kinds
    )
