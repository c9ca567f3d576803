"""Look a cluster over: what can be deployed there, by whom, and what is in the way."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum

from weft.base.clock import SystemClock
from weft.clusters import Nodes, State, control_planes, older_programs, read_records, standing
from weft.errors import WeftError
from weft.installing import OPERATOR, Right, operator_rights
from weft.kube import Denied, Kube, Object, Ref, open_kube
from weft.workflows.deploying.cluster import ClusterAccess

__all__ = ["Finding", "Health", "examine"]


class Health(StrEnum):
    """How bad a finding is."""

    GOOD = "ok"
    NOTE = "note"
    BAD = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    health: Health
    message: str
    hint: str = ""


# Kind, and what is possible where a cluster has it.
_TARGETS = (
    ("extensions.istio.io/v1alpha1", "WasmPlugin", "Istio, mode wasmplugin"),
    ("extensions.istio.io/v1alpha1", "TrafficExtension", "Istio, mode trafficextension"),
    ("networking.istio.io/v1alpha3", "EnvoyFilter", "Istio, modes envoyfilter and configmap"),
    ("gateway.solo.io/v1", "Gateway", "Gloo Edge"),
    ("gateway.envoyproxy.io/v1alpha1", "EnvoyExtensionPolicy", "Envoy Gateway"),
)
# What deploying to Istio writes: group, plural.
_RIGHTS = (
    ("extensions.istio.io", "wasmplugins"),
    ("networking.istio.io", "envoyfilters"),
    ("", "configmaps"),
    ("apps", "deployments"),
)
# Who builds without one has v0.0.0-master and a template that was not filled in.
_VERSION = re.compile(r"v?[1-9][0-9]*\.[0-9]+")
_INJECTION = ("istio-injection", "istio.io/rev")


async def examine(
    access: ClusterAccess, *, namespace: str = "", istio_namespace: str = "istio-system"
) -> list[Finding]:
    """Everything that was found; problems are findings, too.

    Raises ``UsageError`` where no cluster is named.
    """
    cluster = access.cluster
    async with open_kube(cluster, access.env) as kube:
        try:
            version = await kube.version()
        except WeftError as error:
            return [Finding("cluster", Health.BAD, str(error), error.hint or "")]
        said = f"Kubernetes {version}" if _VERSION.match(version) else "a Kubernetes of no known version"
        found = [Finding("cluster", Health.GOOD, f"{cluster.name}, {cluster.server}, {said}")]
        where = namespace or cluster.namespace
        looks: tuple[tuple[str, Callable[[], AsyncIterator[Finding]]], ...] = (
            ("targets", lambda: _targets(kube)),
            ("rights", lambda: _rights(kube, where)),
            ("control plane", lambda: _control_planes(kube, istio_namespace)),
            ("Gloo Edge", lambda: _gloo(kube)),
            ("Envoy Gateway", lambda: _envoy_gateway(kube)),
            (f"namespace {where}", lambda: _injection(kube, where)),
            ("node caches", lambda: _node_caches(kube, access.system)),
            ("operator", lambda: _operator(kube, access.system)),
            ("wasme", lambda: _older(kube)),
            ("filters", lambda: _filters(kube, access.system, namespace)),
        )
        for lot in await asyncio.gather(*(_all(what, look) for what, look in looks)):
            found += lot
        return found


async def _all(what: str, look: Callable[[], AsyncIterator[Finding]]) -> list[Finding]:
    try:
        return [finding async for finding in look()]
    except Denied as error:
        return [Finding(what, Health.NOTE, f"cannot be looked at: {error}")]
    except WeftError as error:
        return [Finding(what, Health.BAD, str(error), error.hint or "")]


async def _targets(kube: Kube) -> AsyncIterator[Finding]:
    there = [words for version, kind, words in _TARGETS if await kube.knows(version, kind)]
    if there:
        yield Finding("targets", Health.GOOD, "; ".join(there))
    else:
        yield Finding(
            "targets", Health.BAD, "no kind that weft deploys by is installed", "install a mesh first"
        )


async def _rights(kube: Kube, namespace: str) -> AsyncIterator[Finding]:
    lacking = [
        f"{plural}.{group}" if group else plural
        for group, plural in _RIGHTS
        if not await kube.allowed("patch", group, plural, namespace=namespace)
    ]
    if lacking:
        yield Finding("rights", Health.BAD, f"may not patch {', '.join(lacking)} in {namespace}")
    else:
        yield Finding("rights", Health.GOOD, f"may deploy in {namespace}")


async def _control_planes(kube: Kube, namespace: str) -> AsyncIterator[Finding]:
    found = await control_planes(kube, namespace)
    if not found:
        yield Finding("control plane", Health.NOTE, f"no istiod in {namespace}", "--istio-namespace names it")
    for revision, version in found:
        named = f"istiod of revision {revision or 'default'}"
        if version:
            yield Finding("control plane", Health.GOOD, f"{named}: Istio {version}")
        else:
            yield Finding(
                "control plane", Health.NOTE, f"{named}: nothing says its version", "--istio-version says it"
            )


async def _gloo(kube: Kube) -> AsyncIterator[Finding]:
    what, kind = "Gloo Edge", ("gateway.solo.io/v1", "Gateway")
    if not await kube.knows(*kind):
        return
    gateways = (await kube.list(*kind)).items
    said = [one for one in gateways if one.get("status")]
    if said:
        yield Finding(what, Health.GOOD, f"says something of {len(said)} of {len(gateways)} Gateways")
    else:
        yield Finding(what, Health.NOTE, "its kinds are there; it has said nothing of any Gateway")


async def _envoy_gateway(kube: Kube) -> AsyncIterator[Finding]:
    what, classes = "Envoy Gateway", ("gateway.networking.k8s.io/v1", "GatewayClass")
    if not await kube.knows("gateway.envoyproxy.io/v1alpha1", "EnvoyExtensionPolicy"):
        return
    held = (await kube.list(*classes)).items if await kube.knows(*classes) else ()
    taken = sorted(one["metadata"]["name"] for one in held if _is_taken(one))
    if taken:
        yield Finding(what, Health.GOOD, f"takes Gateways of class {', '.join(taken)}")
    else:
        yield Finding(what, Health.NOTE, "its kinds are there; it has taken no GatewayClass")


def _is_taken(gateway_class: Object) -> bool:
    controller = str((gateway_class.get("spec") or {}).get("controllerName", ""))
    conditions = (gateway_class.get("status") or {}).get("conditions") or ()
    accepted = any(one.get("type") == "Accepted" and one.get("status") == "True" for one in conditions)
    return controller.startswith("gateway.envoyproxy.io/") and accepted


async def _injection(kube: Kube, namespace: str) -> AsyncIterator[Finding]:
    held = await kube.find(Ref("v1", "Namespace", namespace))
    what = f"namespace {namespace}"
    if held is None:
        yield Finding(what, Health.BAD, "is not there")
        return
    labels = held["metadata"].get("labels") or {}
    marks = [f"{key}={labels[key]}" for key in _INJECTION if key in labels]
    if marks and "istio-injection=disabled" not in marks:
        yield Finding(what, Health.GOOD, f"gets sidecars: {', '.join(marks)}")
    else:
        hint = f"kubectl label namespace {namespace} istio-injection=enabled"
        yield Finding(what, Health.NOTE, "gets no sidecars by itself", hint)


async def _node_caches(kube: Kube, system: str) -> AsyncIterator[Finding]:
    nodes = Nodes(kube, system, SystemClock())
    caches, reports = await nodes.caches(), await nodes.reports()
    if not caches:
        hint = "`weft install` brings it; only mode envoyfilter of Istio needs it"
        yield Finding("node caches", Health.NOTE, f"none in {system}", hint)
        return
    yield Finding("node caches", Health.GOOD, f"on {len(caches)} nodes")
    for node in sorted(caches - reports.keys()):
        yield Finding("node caches", Health.BAD, f"{node} has not reported")
    for node in sorted(caches & reports.keys()):
        for image in reports[node].get("images") or ():
            if image.get("state") not in {"Ready", None}:
                said = f"{node}: {image.get('reference')}: {image.get('state')}: {image.get('message')}"
                yield Finding("node caches", Health.BAD, said)


async def _operator(kube: Kube, system: str) -> AsyncIterator[Finding]:
    lease = await kube.find(Ref("coordination.k8s.io/v1", "Lease", OPERATOR, system))
    holder = ((lease or {}).get("spec") or {}).get("holderIdentity")
    if holder:
        yield Finding("operator", Health.GOOD, f"{holder} is at work")
    else:
        yield Finding("operator", Health.NOTE, f"none at work in {system}")
    if await kube.find(Ref("apps/v1", "Deployment", OPERATOR, system)) is None:
        return
    account, rights = f"system:serviceaccount:{system}:{OPERATOR}", operator_rights(system)
    answers = await asyncio.gather(*(_has(kube, account, right) for right in rights))
    for right, has in zip(rights, answers, strict=True):
        if not has:
            yield Finding("operator", Health.BAD, f"may not {right}", "`weft install` gives it its rights")


async def _has(kube: Kube, user: str, right: Right) -> bool:
    return await kube.allowed(
        right.verb, right.group, right.resource, namespace=right.namespace, name=right.name, user=user
    )


async def _older(kube: Kube) -> AsyncIterator[Finding]:
    for ref, why, command in await older_programs(kube):
        yield Finding("wasme", Health.BAD, f"{ref} is there: {why}", command)


async def _filters(kube: Kube, system: str, namespace: str) -> AsyncIterator[Finding]:
    nodes = Nodes(kube, system, SystemClock())
    records = await read_records(kube, namespace)
    yield Finding("filters", Health.GOOD, f"{len(records)} deployed")
    for record in records:
        found = await standing(kube, nodes, record)
        for part in found.parts:
            if part.state is not State.READY:
                said = f"{record}: {part.what}: {part.state}: {part.message}"
                yield Finding("filters", Health.BAD, said, f"weft status {record.name} -n {record.namespace}")
