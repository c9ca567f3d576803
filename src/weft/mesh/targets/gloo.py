"""Gloo Edge: an entry in ``spec.httpGateway.options.wasm.filters`` of its Gateways. No proxy restarts.

The list belongs to everybody, so only one entry of it is put in and taken out. Gloo fetches the image itself,
by tag. Fields are those of Gloo v1.20 (``projects/gloo/api/v1/options/wasm/wasm.proto``,
``install/helm/gloo/crds/gateway.solo.io_v1_Gateway.yaml``); ``failOpen`` came with v1.12, and what an older
one does not know its API refuses.
"""

from collections.abc import Mapping
from typing import Any

from weft.mesh.intent.intent import GlooTarget, Intent
from weft.mesh.intent.plugin import Failure
from weft.mesh.plan.configs import base_config
from weft.mesh.plan.entries import with_entry
from weft.mesh.plan.facts import Facts
from weft.mesh.plan.limits import limits, refuse
from weft.mesh.plan.plan import Do, Plan, PlanRefused, Step, object_ref
from weft.mesh.plan.plugins import plugin_of

__all__ = ["plan_gloo"]

_TARGET = "gloo"
_TEXT = "type.googleapis.com/google.protobuf.StringValue"
_STAGES = {"AUTHN": "AuthNStage", "AUTHZ": "AuthZStage"}
_LACKS = (
    "routes",
    "priority",
    "environment",
    "hostEnvironment",
    "workloads",
    "pullSecret",
    "registry",
    "rollout",
    "failure: reload",
)


def plan_gloo(intent: Intent, facts: Facts, gloo: GlooTarget) -> Plan:
    """Raises ``PlanRefused`` for what Gloo cannot say, and where there is no Gateway."""
    reasons = list(limits(_TARGET, intent, facts, lacks=_LACKS))
    if intent.spec.phase == "STATS":
        reasons.append("gloo has no place in the chain for spec.phase STATS")
    if facts.image.scheme != "oci" or facts.image.reference.tag is None:
        reasons.append("Gloo fetches images by tag, and spec.image names none")
    if error := facts.refusal("Gloo Edge"):
        reasons.append(f"Gloo would not take the image: {error}")
    refuse(_TARGET, reasons)
    entry = _entry(intent, facts)
    gateways = _gateways(intent, facts, gloo)
    return Plan(
        filter_id=intent.filter_id,
        target=_TARGET,
        steps=tuple(
            Step(
                do=Do.INSERT,
                object=with_entry(one, entry),
                entry=entry["name"],
                why="Gloo tells its proxies; nothing restarts",
            )
            for one in gateways
        ),
        removal=tuple(
            Step(do=Do.EXTRACT, object=object_ref(one), entry=entry["name"], why="the other filters stay")
            for one in reversed(gateways)
        ),
        reasons=("Gloo fetches the image by tag: it does not see the digest that weft resolved",),
    )


def _entry(intent: Intent, facts: Facts) -> dict[str, Any]:
    plugin = plugin_of(intent, facts, "")
    entry: dict[str, Any] = {
        "image": facts.image.location,
        "name": plugin.id,
        "rootId": plugin.root_id,
        "vmType": "V8",
    }
    if base_config(intent, facts) is not None:
        entry["config"] = {"@type": _TEXT, "value": plugin.config_text}
    if intent.spec.phase is not None:
        entry["filterStage"] = {"stage": _STAGES[intent.spec.phase], "predicate": "Before"}
    if intent.spec.failure is Failure.OPEN:
        entry["failOpen"] = True
    return entry


def _gateways(intent: Intent, facts: Facts, gloo: GlooTarget) -> list[Mapping[str, Any]]:
    """Those that are meant and speak HTTP; others are left alone."""
    named = {ref.name for ref in intent.spec.target_refs}
    if facts.gateways is None:
        if not named:
            raise PlanRefused(
                "gloo: which Gateways there are is not known", hint="name them in spec.targetRefs"
            )
        namespace = next(iter(gloo.namespaces), intent.metadata.namespace)
        return [_bare(name, namespace) for name in sorted(named)]
    found = [
        one for one in facts.gateways if _fits(one, named, gloo) and "httpGateway" in one.get("spec", {})
    ]
    if not found:
        raise PlanRefused(
            "gloo: no Gateway with an httpGateway is meant by spec.target.gloo and spec.targetRefs"
        )
    return found


def _fits(gateway: Mapping[str, Any], named: set[str], gloo: GlooTarget) -> bool:
    metadata = gateway.get("metadata", {})
    labels = metadata.get("labels") or {}
    return (
        (not named or metadata.get("name") in named)
        and (not gloo.namespaces or metadata.get("namespace") in gloo.namespaces)
        and gloo.labels.items() <= labels.items()
    )


def _bare(name: str, namespace: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {
        "apiVersion": "gateway.solo.io/v1",
        "kind": "Gateway",
        "metadata": metadata,
        "spec": {"httpGateway": {}},
    }
