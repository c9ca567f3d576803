"""Which target makes the plan, and for Istio which mode: the least disruptive that can do what is asked."""

from collections.abc import Callable
from dataclasses import replace

from weft.image import ImageInvalid, check_platform
from weft.mesh.intent.intent import Intent, IstioTarget
from weft.mesh.istio.version import istio_version
from weft.mesh.plan.facts import Facts
from weft.mesh.plan.plan import Plan, PlanRefused
from weft.mesh.targets.envoy import plan_envoy
from weft.mesh.targets.envoy_gateway import plan_envoy_gateway
from weft.mesh.targets.gloo import plan_gloo
from weft.mesh.targets.istio_configmap import plan_configmap
from weft.mesh.targets.istio_envoyfilter import plan_envoyfilter
from weft.mesh.targets.istio_trafficextension import plan_trafficextension
from weft.mesh.targets.istio_wasmplugin import plan_wasmplugin
from weft.mesh.targets.xds import plan_xds

__all__ = ["make_plan"]

_MODES: dict[str, Callable[[Intent, Facts, IstioTarget], Plan]] = {
    "trafficextension": plan_trafficextension,
    "wasmplugin": plan_wasmplugin,
    "envoyfilter": plan_envoyfilter,
    "configmap": plan_configmap,
}
_ALL_ABIS = 10
_NEW = 30
"""Istio 1.30 brought TrafficExtension."""


def make_plan(intent: Intent, facts: Facts) -> Plan:
    """What must be done on the intent's target.

    Raises ``PlanRefused`` with all that stands against it, for whatever reason that is.
    """
    target = intent.spec.target
    if target.istio is not None:
        return _istio(intent, facts, target.istio)
    if target.gloo is not None:
        return plan_gloo(intent, facts, target.gloo)
    if target.envoy_gateway is not None:
        return plan_envoy_gateway(intent, facts, target.envoy_gateway)
    if target.envoy is not None:
        return plan_envoy(intent, facts, target.envoy)
    if target.xds is not None:
        return plan_xds(intent, facts, target.xds)
    raise PlanRefused("spec.target names no kind of target")


def _istio(intent: Intent, facts: Facts, istio: IstioTarget) -> Plan:
    _check_abi(facts, istio)
    if istio.mode != "auto":
        return _MODES[istio.mode](intent, facts, istio)
    version = istio_version(istio, facts)
    newest = ["trafficextension"] if version.known and not version.before(_NEW) else []
    refusals: list[PlanRefused] = []
    for mode in (*newest, "wasmplugin", "envoyfilter"):
        try:
            plan = _MODES[mode](intent, facts, istio)
        except PlanRefused as refusal:
            refusals.append(refusal)
            continue
        return _explained(plan, mode, refusals)
    reasons = tuple(dict.fromkeys(str(refusal) for refusal in refusals))
    if len(reasons) == 1:
        raise refusals[0]
    raise PlanRefused("no mode of Istio can do this: " + " / ".join(reasons), reasons=reasons)


def _check_abi(facts: Facts, istio: IstioTarget) -> None:
    """The proxies up to Istio 1.9 know one ABI each; later ones know all that a filter can be built for."""
    version = istio_version(istio, facts)
    if not version.before(_ALL_ABIS):
        return
    try:
        check_platform(facts.abi_versions, "istio", f"{version.major}.{version.minor}")
    except ImageInvalid as error:
        raise PlanRefused(
            f"image {facts.image.location} not supported by istio version {version.major}.{version.minor}:"
            f" {error}",
            hint=error.hint,
        ) from error


def _explained(plan: Plan, mode: str, refusals: list[PlanRefused]) -> Plan:
    why = f"mode auto chose {mode}: the least disruptive way that can do what is asked"
    return replace(plan, reasons=(why, *(f"not {refusal}" for refusal in refusals), *plan.reasons))
