"""The facts that a cluster knows: workloads, values of Secrets, Gloo's Gateways, Istio's version."""

import asyncio
import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from weft.errors import UsageError
from weft.kube import Denied, Kube, Missing, Object, Ref
from weft.mesh import Facts, Intent, Workload, config_refs

__all__ = ["WORKLOADS", "ControlPlane", "control_planes", "look"]

WORKLOADS = ("Deployment", "DaemonSet", "StatefulSet")
_APPS = "apps/v1"
_ISTIOD = "app in (istiod, pilot)"
_GLOO = ("gateway.solo.io/v1", "Gateway")
_VERSION = re.compile(r"v?([0-9]+\.[0-9]+(\.[0-9]+)?([.-][0-9A-Za-z.-]+)?)$")
# Where charts and the old operator write the version, for images that are named by digest or `latest`.
_VERSION_LABELS = ("app.kubernetes.io/version", "operator.istio.io/version", "helm.sh/chart")

ControlPlane = tuple[str, str]
"""Revision and version of an istiod; each empty when nobody says."""


async def look(kube: Kube, intent: Intent, known: Facts, *, istiod: str = "") -> Facts:
    """``known`` with what the cluster says; ``istiod`` names the control plane where there are several.

    Raises ``UsageError`` for a value or a namespace that is not there, for a mesh that nobody is the control
    plane of, and for control planes that cannot be told apart, ``Missing`` where the cluster does not know
    Gloo's Gateways.
    """
    workloads, values = await asyncio.gather(_workloads(kube, intent), _values(kube, intent))
    if not workloads:
        await _check_namespace(kube, intent.metadata.namespace)
    facts = replace(known, workloads=workloads, values=values)
    if (gloo := intent.spec.target.gloo) is not None:
        lots = (kube.list(*_GLOO, namespace=namespace) for namespace in gloo.namespaces or ("",))
        gateways = tuple(one for lot in await asyncio.gather(*lots) for one in lot.items)
        facts = replace(facts, gateways=gateways)
    istio = intent.spec.target.istio
    if istio is not None and not (istio.external or istio.version or known.istio_version):
        found = await control_planes(kube, istio.namespace, istiod)
        if not found:
            raise UsageError(
                f"no istiod in namespace {istio.namespace}: nobody would read what is deployed",
                hint="say where it is: spec.target.istio.namespace or --istio-namespace; of one outside of"
                " this cluster, which it is: version or --istio-version",
            )
        version = _version_of(found, istio.revision, istio.namespace)
        where = f"{istio.namespace}/{istiod}" if istiod else istio.namespace
        facts = replace(facts, istio_version=version, control_plane=where)
    return facts


async def control_planes(kube: Kube, namespace: str, name: str = "") -> tuple[ControlPlane, ...]:
    """The istiods of ``namespace``, or the one called ``name``.

    Raises ``UsageError`` when that one is not there.
    """
    if name:
        held = await kube.find(Ref(_APPS, "Deployment", name, namespace))
        if held is None:
            raise UsageError(f"no Deployment {name} in namespace {namespace}", hint="--istiod-name names it")
        return (_control_plane(held),)
    return await kube.read(_APPS, "Deployment", _control_plane, namespace=namespace, labels=_ISTIOD)


def _control_plane(held: Object) -> ControlPlane:
    labels: Mapping[str, str] = held["metadata"].get("labels") or {}
    containers = held["spec"]["template"]["spec"].get("containers") or ()
    tags = (str(one.get("image", "")).rpartition("@")[0] or str(one.get("image", "")) for one in containers)
    written = [tag.rpartition("/")[2].partition(":")[2] for tag in tags]
    written += [labels[key].removeprefix("istiod-") for key in _VERSION_LABELS if key in labels]
    revision = labels.get("istio.io/rev", "")
    return ("" if revision == "default" else revision), _first_version(written)


def _first_version(written: Iterable[str]) -> str:
    return next((found[1] for text in written if (found := _VERSION.match(text))), "")


def _version_of(found: tuple[ControlPlane, ...], revision: str, namespace: str) -> str:
    fitting = {version for held, version in found if held == revision} or {version for _, version in found}
    if len({_minor(version) for version in fitting}) > 1:
        told = ", ".join(f"{held or 'default'}: {version or 'unknown'}" for held, version in sorted(found))
        raise UsageError(
            f"several control planes in {namespace} ({told})",
            hint="say which: spec.target.istio.revision, --istiod-name or --istio-version",
        )
    return max(fitting, default="")


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


async def _workloads(kube: Kube, intent: Intent) -> tuple[Workload, ...] | None:
    namespace = intent.metadata.namespace
    lots = (kube.read(_APPS, kind, Workload.of, namespace=namespace) for kind in WORKLOADS)
    try:
        return tuple(workload for lot in await asyncio.gather(*lots) for workload in lot)
    except Denied:
        if intent.spec.target.istio is not None:
            raise
        return None  # only what an earlier way left behind would be found by them


async def _check_namespace(kube: Kube, name: str) -> None:
    with suppress(Denied):  # who may not ask is told of what is not there later
        if await kube.find(Ref("v1", "Namespace", name)) is None:
            raise UsageError(f"there is no namespace {name}", hint="-n names it, or metadata.namespace")


async def _values(kube: Kube, intent: Intent) -> dict[tuple[str, str, str], str]:
    found: dict[tuple[str, str, str], str] = {}
    for kind, name, key in config_refs(intent):
        where = f"{kind} {intent.metadata.namespace}/{name}"
        try:
            held = await kube.get(Ref("v1", kind, name, intent.metadata.namespace))
        except Missing as error:
            raise UsageError(f"spec.configFrom: no {where}", hint="make it first") from error
        data = held.get("data") or {}
        if key not in data:
            raise UsageError(f"spec.configFrom: {where} has no key {key!r}")
        found[kind, name, key] = _decoded(data[key], where, key) if kind == "Secret" else data[key]
    return found


def _decoded(text: str, where: str, key: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UsageError(f"spec.configFrom: key {key!r} of {where} is not UTF-8 text") from error
