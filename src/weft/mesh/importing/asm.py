"""Alibaba ASM's ``ASMFilterDeployment`` (``istio.alibabacloud.com/v1beta1``) as an intent.

The kind is also printed ``ASMFiterDeployment``; workloads stand under ``spec.workload`` or
``spec.deployment``; the context is Istio's word. The folder and its name are ASM's own.
"""

from typing import Any

import msgspec

from weft.errors import UsageError
from weft.mesh.importing.imported import Imported, new_intent, workload_kind
from weft.mesh.intent.intent import Metadata
from weft.mesh.intent.reading import LineOf, nowhere, read_struct

__all__ = ["ASM_KINDS", "from_asm"]

_API = "istio.alibabacloud.com/v1beta1"
ASM_KINDS = ((_API, "ASMFilterDeployment"), (_API, "ASMFiterDeployment"))

_CONTEXTS = {
    "": "inbound",
    "ANY": "any",
    "SIDECAR_INBOUND": "inbound",
    "SIDECAR_OUTBOUND": "outbound",
    "GATEWAY": "gateway",
}
_VOLUME = {"name": "wasmfilters-dir", "path": "/var/local/lib/wasm-filters"}


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    pass


class _Pull(_Part, frozen=True, kw_only=True):
    pull_secret: str = ""


class _Filter(_Part, frozen=True, kw_only=True):
    id: str = ""
    image: str = ""
    parameters: str | None = None
    root_id: str = msgspec.field(name="rootID", default="")
    image_pull_options: _Pull = _Pull()
    patch_context: str = ""


class _Workload(_Part, frozen=True, kw_only=True):
    kind: str = "Deployment"
    labels: dict[str, str] = {}


class _Spec(_Part, frozen=True, kw_only=True):
    filter: _Filter | None = None
    workload: _Workload | None = None
    deployment: _Workload | None = None


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    metadata: Metadata
    spec: _Spec


def from_asm(document: Any, *, where: str, line_of: LineOf = nowhere) -> Imported:
    """Raises ``UsageError`` for what is missing or not known."""
    read = read_struct(document, _Document, where=where, line_of=line_of)
    held, place = read.spec.filter, read.spec.workload or read.spec.deployment
    if held is None:
        raise UsageError(f"{where}: must provide spec.filter")
    if place is None:
        raise UsageError(f"{where}: must provide spec.workload")
    if read.spec.workload is not None and read.spec.deployment is not None:
        raise UsageError(f"{where}: spec.workload and spec.deployment mean the same; keep one")
    context = _CONTEXTS.get(held.patch_context)
    if context is None:
        raise UsageError(
            f"{where}: spec.filter.patchContext: {held.patch_context!r} is not one of"
            f" {', '.join(filter(None, _CONTEXTS))}"
        )
    # ASM keeps its control planes in clusters of its own.
    istio = {"mode": "envoyfilter", "context": context, "volume": _VOLUME, "external": True}
    spec = {
        "image": held.image,
        "id": held.id,
        "pullSecret": held.image_pull_options.pull_secret,
        "rootId": held.root_id,
        "config": held.parameters,
        "workloads": {
            "kind": workload_kind(place.kind, where=f"{where}: the workload's kind"),
            "labels": place.labels,
        },
        "target": {"istio": istio},
    }
    return Imported(new_intent(msgspec.to_builtins(read.metadata), spec, where=where, line_of=line_of))
