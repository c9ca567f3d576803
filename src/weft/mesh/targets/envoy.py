"""An Envoy on this machine: the bootstrap with which it is started."""

from weft.mesh.intent.intent import EnvoyTarget, Intent
from weft.mesh.plan.facts import Facts
from weft.mesh.plan.limits import limits, refuse
from weft.mesh.plan.plan import Do, Plan, Step
from weft.mesh.plan.plugins import plugin_of, routes_of
from weft.mesh.proxy.envoy_filter import static_filter
from weft.mesh.proxy.standalone import default_bootstrap

__all__ = ["plan_envoy"]

_TARGET = "envoy"


def plan_envoy(intent: Intent, facts: Facts, envoy: EnvoyTarget) -> Plan:  # noqa: ARG001
    """Raises ``PlanRefused`` where the module is not on this machine, and for secrets that are not known."""
    reasons = list(limits(_TARGET, intent, facts, lacks=("rollout",), restricts=True))
    if facts.module_path is None:
        reasons.append("the module is not on this machine")
    refuse(_TARGET, reasons)
    plugin = plugin_of(intent, facts, facts.module_path or "")
    bootstrap = default_bootstrap([static_filter(plugin, routes_of(intent, plugin))])
    step = Step(do=Do.APPLY, object=bootstrap, why="Envoy is started with it")
    note = "workloads, references, phase and priority mean nothing to a single Envoy with one filter"
    return Plan(filter_id=intent.filter_id, target=_TARGET, steps=(step,), removal=(), reasons=(note,))
