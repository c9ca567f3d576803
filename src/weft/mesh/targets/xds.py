"""Plain Envoys that ask for the filter by name (ECDS): the resource they are answered with.

The agent beside them fetches and verifies the module; Envoy only ever reads a file, because its own fetching
is not safe on updates.
"""

from weft.mesh.intent.intent import Intent, XdsTarget
from weft.mesh.plan.facts import Facts
from weft.mesh.plan.limits import limits, refuse
from weft.mesh.plan.plan import Do, ModuleFile, Plan, Step
from weft.mesh.plan.plugins import plugin_of, routes_of
from weft.mesh.proxy.envoy_filter import discovery_document

__all__ = ["plan_xds"]

_TARGET = "xds"
_LACKS = ("workloads", "targetRefs", "phase", "priority", "rollout")


def plan_xds(intent: Intent, facts: Facts, xds: XdsTarget) -> Plan:
    """Raises ``PlanRefused`` for what the proxies' own configuration decides."""
    reasons = list(limits(_TARGET, intent, facts, lacks=_LACKS, restricts=True))
    if facts.module is None:
        reasons.append("the file is named by the module's sha256, and the image was not looked into")
    refuse(_TARGET, reasons)
    assert facts.module is not None  # noqa: S101 - refused above
    sha256 = facts.module.sha256
    file = ModuleFile(f"{xds.directory.rstrip('/')}/{sha256}", sha256, str(facts.image))
    plugin = plugin_of(intent, facts, file.path)
    resource = discovery_document(plugin, routes_of(intent, plugin))["resources"][0]
    return Plan(
        filter_id=intent.filter_id,
        target=_TARGET,
        steps=(
            Step(do=Do.HOLD, file=file, why="Envoy turns down a filter whose file is not there"),
            Step(do=Do.APPLY, object=resource, why="Envoy exchanges the filter without dropping a request"),
        ),
        removal=(
            Step(do=Do.DELETE, object={"@type": resource["@type"], "name": resource["name"]}, why="first"),
            Step(do=Do.RELEASE, file=file, why="last: nothing names it any more"),
        ),
        reasons=(
            "an Envoy keeps the filter it has when the resource is deleted: take it out of its chain first",
        ),
    )
