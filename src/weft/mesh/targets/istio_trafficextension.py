"""Istio 1.30 and later: a ``TrafficExtension``, the successor of WasmPlugin. No pod restarts."""

from typing import Any

from weft.mesh.intent.intent import Intent, IstioTarget
from weft.mesh.istio.version import istio_version
from weft.mesh.istio.wasm import agent_plan, matches, wasm_fields
from weft.mesh.plan.facts import Facts
from weft.mesh.plan.limits import refuse
from weft.mesh.plan.plan import Plan

__all__ = ["plan_trafficextension"]

_API = ("extensions.istio.io/v1alpha1", "TrafficExtension")
_TARGET = "istio/trafficextension"


def plan_trafficextension(intent: Intent, facts: Facts, istio: IstioTarget) -> Plan:
    """Raises ``PlanRefused`` for what a TrafficExtension cannot say."""
    version = istio_version(istio, facts)
    refuse(_TARGET, [f"{version} has no TrafficExtension; it came with 1.30"] if version.before(30) else [])

    def spec(where: dict[str, Any]) -> dict[str, Any]:
        fields = dict(where)
        if intent.spec.phase is not None:
            fields["phase"] = intent.spec.phase
        if intent.spec.priority is not None:
            fields["priority"] = intent.spec.priority
        if traffic := matches(intent, istio):
            fields["match"] = traffic
        return {**fields, "wasm": wasm_fields(intent, facts)}

    return agent_plan(_TARGET, intent, facts, istio, api=_API, spec=spec)
