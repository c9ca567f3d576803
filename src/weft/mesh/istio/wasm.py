"""What WasmPlugin and TrafficExtension have in common: Istio's agent pulls, proxies keep running."""

import math
from collections.abc import Iterator
from typing import Any

from weft.mesh.intent.intent import Intent, IstioTarget
from weft.mesh.intent.plugin import Failure
from weft.mesh.istio.root import in_root, root_notes
from weft.mesh.istio.version import IstioVersion, istio_version
from weft.mesh.plan.configs import as_mapping, base_config
from weft.mesh.plan.facts import Facts
from weft.mesh.plan.limits import limits, refuse
from weft.mesh.plan.objects import apply_and_delete, labelled, new_object, object_name
from weft.mesh.plan.plan import Plan
from weft.mesh.plan.plugins import root_id
from weft.mesh.plan.selection import bystanders, is_gateway, selected

__all__ = ["agent_plan", "matches", "wasm_fields", "where_fields"]

# The agent refuses what is larger, silently cutting it off (ISTIO_WASM_MAX_BINARY_SIZE_BYTES).
_MAX_MODULE = 256 * 1024 * 1024
_MODES = {"inbound": "SERVER", "outbound": "CLIENT", "gateway": "CLIENT", "any": "CLIENT_AND_SERVER"}
_STRATEGIES = {Failure.CLOSED: "FAIL_CLOSE", Failure.OPEN: "FAIL_OPEN", Failure.RELOAD: "FAIL_RELOAD"}


def agent_plan(
    target: str, intent: Intent, facts: Facts, istio: IstioTarget, *, api: tuple[str, str], spec: Any
) -> Plan:
    """The plan for objects of the kind ``api`` with what ``spec(selector)`` gives; may be refused."""
    reasons = _reasons(target, intent, facts, istio_version(istio, facts))
    refuse(target, reasons, hint="mode envoyfilter can")
    wheres = where_fields(intent, facts, istio)
    pairs = []
    for name, where in wheres:
        held = new_object(
            *api, object_name(*filter(None, (name, intent.metadata.name))), intent, spec=spec(where)
        )
        pairs.append(
            apply_and_delete(
                labelled(held, intent, str(facts.image)),
                why="Istio's agent pulls the module by its digest; nothing restarts",
                gone="the proxies drop the filter",
            )
        )
    return Plan(
        filter_id=intent.filter_id,
        target=target,
        steps=tuple(apply for apply, _ in pairs),
        removal=tuple(delete for _, delete in reversed(pairs)),
        reasons=tuple(_notes(intent, facts, istio)),
    )


def wasm_fields(intent: Intent, facts: Facts) -> dict[str, Any]:
    """The module and how it is run; the order is that of Istio's documents."""
    spec = intent.spec
    fields: dict[str, Any] = {"url": _url(facts)}
    if facts.image.scheme in {"http", "https"} and facts.image.digest:
        fields["sha256"] = facts.image.digest.hex
    if spec.pull_secret:
        fields["imagePullSecret"] = spec.pull_secret
    config = as_mapping(base_config(intent, facts))
    if config is not None:
        fields["pluginConfig"] = config
    if root := root_id(intent, facts):
        fields["pluginName"] = root
    fields["failStrategy"] = _STRATEGIES[spec.failure]
    env = [{"name": name, "value": value} for name, value in spec.environment.items()]
    env += [{"name": name, "valueFrom": "HOST"} for name in spec.host_environment]
    if env:
        fields["vmConfig"] = {"env": env}
    return fields


def where_fields(intent: Intent, facts: Facts, istio: IstioTarget) -> list[tuple[str, dict[str, Any]]]:
    """A name to tell objects apart, and the fields that select pods or gateways.

    One object is enough where the labels are the pods', and of no other pods. They may also be those of the
    workload alone; then each workload gets an object that selects its pods, as it does for a rollout, and
    in Istio's root namespace, where an object without labels is for the whole mesh.
    """
    spec = intent.spec
    if spec.target_refs:
        refs = [
            {"group": ref.group, "kind": ref.kind, "name": ref.name}
            if ref.group
            else {"kind": ref.kind, "name": ref.name}
            for ref in spec.target_refs
        ]
        return [("", {"targetRefs": refs})]
    labels = spec.workloads.labels if spec.workloads else {}
    found = selected(intent, facts)
    if found is None or (
        spec.rollout is None
        and (labels or not in_root(intent, istio))
        and all(labels.items() <= one.pod_labels.items() for one in found)
        and not bystanders(intent, facts, found)
    ):
        return [("", {"selector": {"matchLabels": dict(labels)}} if labels else {})]
    return [(one.name, {"selector": {"matchLabels": dict(one.pod_labels)}}) for one in found]


def matches(intent: Intent, istio: IstioTarget) -> list[dict[str, Any]]:
    """Which traffic of the selected proxies; empty: all."""
    context = istio.context or ("gateway" if intent.spec.target_refs else "inbound")
    ports = [{"number": port} for port in istio.ports]
    if context == "any" and not ports:
        return []
    return [{"mode": _MODES[context], **({"ports": ports} if ports else {})}]


def _url(facts: Facts) -> str:
    image = facts.image
    if image.scheme == "oci" and image.digest:
        # A tag beside the digest would only be for people: the annotation has it.
        return f"oci://{image.reference.name}@{image.digest}"
    return str(image) if image.scheme == "oci" else image.location


def _reasons(target: str, intent: Intent, facts: Facts, version: IstioVersion) -> list[str]:
    lacks = ("routes", "registry", "rollout") if intent.spec.target_refs else ("routes", "registry")
    reasons = list(limits(target, intent, facts, lacks=lacks))
    config = base_config(intent, facts)
    if config is not None and as_mapping(config) is None:
        reasons.append(f"{target} takes a JSON object as spec.config, not other text")
    reasons += [
        f"{target} keeps numbers as 64-bit floats, and {number} in spec.config is none"
        for number in _no_floats(as_mapping(config))
    ]
    if facts.image.digest is None and facts.image.scheme != "file":
        reasons.append("the image is not resolved to a digest; a tag that moves would stop the proxies")
    versions = "1.12" if version.before(16) else "1.16"
    if error := facts.refusal("Istio", versions):
        reasons.append(f"Istio's agent would not take the image: {error}")
    if facts.module is not None and facts.module.size > _MAX_MODULE:
        reasons.append(f"the module is larger than the {_MAX_MODULE >> 20} MiB that Istio's agent takes")
    return reasons


def _gateways_alone(intent: Intent, facts: Facts) -> bool:
    found = selected(intent, facts)
    return bool(intent.spec.target_refs) or (found is not None and all(map(is_gateway, found)))


def _no_floats(value: Any) -> Iterator[float]:
    """The numbers in ``value`` that istiod, which holds it as a protobuf ``Struct``, would change."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _no_floats(part)
    elif isinstance(value, int | float):
        try:
            kept = math.isfinite(value) and float(value) == value
        except OverflowError:
            kept = False
        if not kept:
            yield value


def _notes(intent: Intent, facts: Facts, istio: IstioTarget) -> list[str]:
    notes = []
    if intent.spec.workloads is not None and intent.spec.workloads.kind and facts.workloads is None:
        notes.append(f"Istio selects pods by labels alone: not only those of a {intent.spec.workloads.kind}")
    if facts.image.scheme == "file":
        notes.append("the file must already be in every proxy")
    if not istio.context and not intent.spec.target_refs:
        notes.append("inbound traffic, because spec.target.istio.context says nothing else")
    if istio.context in {"outbound", "gateway"} and not _gateways_alone(intent, facts):
        notes.append(
            "what sidecars send and what gateways take are one traffic to Istio (CLIENT);"
            " mode envoyfilter tells them apart"
        )
    return [*notes, *root_notes(intent, facts, istio)]
