"""Istio 1.12 and later: a ``WasmPlugin``. Its agent pulls the module; no pod restarts."""

from typing import Any

from weft.mesh.intent.intent import Intent, IstioTarget
from weft.mesh.istio.version import istio_version
from weft.mesh.istio.wasm import agent_plan, matches, wasm_fields
from weft.mesh.plan.facts import Facts
from weft.mesh.plan.limits import refuse
from weft.mesh.plan.plan import Plan

__all__ = ["plan_wasmplugin"]

_API = ("extensions.istio.io/v1alpha1", "WasmPlugin")
_TARGET = "istio/wasmplugin"


def plan_wasmplugin(intent: Intent, facts: Facts, istio: IstioTarget) -> Plan:
    """Raises ``PlanRefused`` for what a WasmPlugin cannot say."""
    version = istio_version(istio, facts)
    reasons = [f"{version} has no WasmPlugin; it came with 1.12"] if version.before(12) else []
    if intent.spec.failure == "reload" and version.before(27):
        reasons.append(f"{version} has no FAIL_RELOAD; it came with 1.27")
    refuse(_TARGET, reasons)

    def spec(where: dict[str, Any]) -> dict[str, Any]:
        fields = {**where, **wasm_fields(intent, facts)}
        if intent.spec.phase is not None:
            fields["phase"] = intent.spec.phase
        if intent.spec.priority is not None:
            fields["priority"] = intent.spec.priority
        if traffic := matches(intent, istio):
            fields["match"] = traffic
        return fields

    return agent_plan(_TARGET, intent, facts, istio, api=_API, spec=spec)
