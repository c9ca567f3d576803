"""wasme's ``FilterDeployment`` (``wasme.io/v1``) as an intent.

The intent keeps wasme's way to the proxies, name for name: the same EnvoyFilters, the same folder, so that
nothing restarts when weft takes over.
"""

from typing import Any

import msgspec

from weft.errors import UsageError
from weft.mesh.importing.imported import Imported, config_text, new_intent, workload_kind
from weft.mesh.intent.intent import Metadata
from weft.mesh.intent.reading import LineOf, nowhere, read_struct

__all__ = ["WASME_KIND", "from_wasme"]

WASME_KIND = ("wasme.io/v1", "FilterDeployment")

_CONTEXTS = ("any", "inbound", "outbound", "gateway")


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    pass


class _Pull(_Part, frozen=True, kw_only=True):
    pull_secret: str = ""
    insecure_skip_verify: bool = False
    plain_http: bool = False


class _Filter(_Part, frozen=True, kw_only=True):
    id: str = ""
    image: str = ""
    config: Any = None
    root_id: str = msgspec.field(name="rootID", default="")
    image_pull_options: _Pull = _Pull()
    patch_context: str = ""


class _Istio(_Part, frozen=True, kw_only=True):
    kind: str = "Deployment"
    labels: dict[str, str] = {}
    istio_namespace: str = ""


class _Deployment(_Part, frozen=True, kw_only=True):
    istio: _Istio | None = None


class _Spec(_Part, frozen=True, kw_only=True):
    filter: _Filter | None = None
    deployment: _Deployment | None = None


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    metadata: Metadata
    spec: _Spec


def from_wasme(document: Any, *, where: str, line_of: LineOf = nowhere) -> Imported:
    """Raises ``UsageError`` with wasme's own words where it had some."""
    read = read_struct(document, _Document, where=where, line_of=line_of)
    held, place = read.spec.filter, read.spec.deployment
    if held is None:
        raise UsageError(f"{where}: must provide spec.filter")
    if place is None or place.istio is None:
        raise UsageError(f"{where}: must provide spec.deployment", hint="spec.deployment.istio")
    context = (held.patch_context or "inbound").lower()
    if context not in _CONTEXTS:
        raise UsageError(
            f"{where}: spec.filter.patchContext: unknown patch context {held.patch_context}, must be one of"
            f" the following values: {', '.join(_CONTEXTS)}"
        )
    istio = {"mode": "envoyfilter", "context": context}
    if place.istio.istio_namespace:
        istio["namespace"] = place.istio.istio_namespace
    pull = held.image_pull_options
    registry = {"plainHttp": pull.plain_http, "insecureSkipVerify": pull.insecure_skip_verify}
    spec = {
        "image": held.image,
        "id": held.id,
        "pullSecret": pull.pull_secret,
        "registry": {key: value for key, value in registry.items() if value},
        "rootId": held.root_id,
        "config": config_text(held.config, where=f"{where}: spec.filter.config"),
        "workloads": {
            "kind": workload_kind(place.istio.kind, where=f"{where}: spec.deployment.istio.kind"),
            "labels": place.istio.labels,
        },
        "target": {"istio": istio},
    }
    return Imported(new_intent(msgspec.to_builtins(read.metadata), spec, where=where, line_of=line_of))
