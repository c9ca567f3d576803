"""Envoy Gateway: an ``EnvoyExtensionPolicy`` on gateways or routes. No proxy restarts.

Fields, kinds and what Envoy Gateway does with them are those of its release v1.9.0
(``api/v1alpha1/envoyextensionypolicy_types.go``, ``wasm_types.go`` and ``internal/wasm/cache.go``); v1.1, the
first with wasm, has the same but ``env`` (since v1.3) and ``sectionName`` (since v1.6).
"""

from typing import Any

from weft.mesh.intent.intent import EnvoyGatewayTarget, Intent
from weft.mesh.intent.plugin import Failure
from weft.mesh.plan.configs import as_mapping, base_config
from weft.mesh.plan.facts import Facts
from weft.mesh.plan.limits import limits, refuse
from weft.mesh.plan.objects import apply_and_delete, labelled, new_object, object_name
from weft.mesh.plan.plan import Plan
from weft.mesh.plan.plugins import root_id

__all__ = ["plan_envoy_gateway"]

_TARGET = "envoy-gateway"
_GROUP = "gateway.networking.k8s.io"
_KINDS = ("Gateway", "HTTPRoute", "GRPCRoute")
_LACKS = (
    "routes",
    "phase",
    "priority",
    "environment",
    "workloads",
    "registry",
    "rollout",
    "failure: reload",
)


def plan_envoy_gateway(intent: Intent, facts: Facts, gateway: EnvoyGatewayTarget) -> Plan:  # noqa: ARG001
    """Raises ``PlanRefused`` for what a policy cannot say."""
    refuse(
        _TARGET,
        _reasons(intent, facts),
        hint="a policy on an HTTPRoute is config per route; EnvoyProxy.spec.filterOrder is the order",
    )
    refs = [
        {
            "group": ref.group,
            "kind": ref.kind,
            "name": ref.name,
            **({"sectionName": ref.section_name} if ref.section_name else {}),
        }
        for ref in intent.spec.target_refs
    ]
    held = new_object(
        "gateway.envoyproxy.io/v1alpha1",
        "EnvoyExtensionPolicy",
        object_name(intent.metadata.name),
        intent,
        spec={"targetRefs": refs, "wasm": [_wasm(intent, facts)]},
    )
    apply, delete = apply_and_delete(
        labelled(held, intent, str(facts.image)),
        why="Envoy Gateway fetches the module by its digest and serves it to its proxies; nothing restarts",
        gone="the proxies drop the filter",
    )
    notes = (
        "of several policies on one gateway or route, Envoy Gateway takes only the oldest",
        "a policy on a route takes the place of the one on its gateway",
    )
    return Plan(filter_id=intent.filter_id, target=_TARGET, steps=(apply,), removal=(delete,), reasons=notes)


def _wasm(intent: Intent, facts: Facts) -> dict[str, Any]:
    wasm: dict[str, Any] = {"name": intent.filter_id}
    if root := root_id(intent, facts):
        wasm["rootID"] = root
    wasm["code"] = _code(intent, facts)
    config = as_mapping(base_config(intent, facts))
    if config is not None:
        wasm["config"] = config
    wasm["failOpen"] = intent.spec.failure is Failure.OPEN
    if intent.spec.host_environment:
        wasm["env"] = {"hostKeys": list(intent.spec.host_environment)}
    return wasm


def _code(intent: Intent, facts: Facts) -> dict[str, Any]:
    image = facts.image
    if image.scheme == "oci":
        # A digest in the URL is checked as ``sha256`` would be: it is that of the manifest.
        source: dict[str, Any] = {"url": f"{image.reference.name}@{image.digest}"}
        if intent.spec.pull_secret:
            source["pullSecretRef"] = {"kind": "Secret", "name": intent.spec.pull_secret}
        return {"type": "Image", "image": source}
    assert image.digest is not None  # noqa: S101 - refused before
    return {"type": "HTTP", "http": {"url": image.location, "sha256": image.digest.hex}}


def _reasons(intent: Intent, facts: Facts) -> list[str]:
    reasons = list(limits(_TARGET, intent, facts, lacks=_LACKS))
    if not intent.spec.target_refs:
        reasons.append("a policy needs spec.targetRefs: the gateways or routes it is for")
    reasons += [
        f"a policy is for {', '.join(_KINDS)} of {_GROUP}, not for {ref.kind} {ref.name}"
        for ref in intent.spec.target_refs
        if ref.group != _GROUP or ref.kind not in _KINDS
    ]
    config = base_config(intent, facts)
    if config is not None and as_mapping(config) is None:
        reasons.append("text as spec.config would arrive in quotes; make it a JSON object")
    if facts.image.scheme == "file":
        reasons.append("Envoy Gateway fetches modules; it does not read files of proxies")
    elif facts.image.digest is None:
        reasons.append("the image is not resolved to a digest")
    if error := facts.refusal("Envoy Gateway"):
        reasons.append(f"Envoy Gateway would not take the image: {error}")
    return reasons
