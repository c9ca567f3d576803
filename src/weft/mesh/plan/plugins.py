"""From an intent to the plugins of a proxy: one for all requests, one for each route that differs."""

from dataclasses import replace

from weft.mesh.intent.intent import Intent, Route
from weft.mesh.intent.plugin import Plugin
from weft.mesh.plan.capabilities import capabilities
from weft.mesh.plan.configs import base_config
from weft.mesh.plan.facts import Facts
from weft.mesh.proxy.routing import Routed

__all__ = ["plugin_of", "root_id", "routes_of"]


def plugin_of(intent: Intent, facts: Facts, module: str) -> Plugin:
    """What all requests get; ``module`` is where the proxy reads it. Raises ``PlanRefused``."""
    spec = intent.spec
    return Plugin(
        id=intent.filter_id,
        module=module,
        root_id=root_id(intent, facts),
        config=base_config(intent, facts),
        failure=spec.failure,
        environment=spec.environment,
        host_environment=spec.host_environment,
        capabilities=capabilities(intent, facts),
    )


def routes_of(intent: Intent, plugin: Plugin) -> list[Routed]:
    """The exceptions from ``plugin``, in order."""
    return [
        Routed(route.match, _variant(intent, plugin, i, route)) for i, route in enumerate(intent.spec.routes)
    ]


def root_id(intent: Intent, facts: Facts) -> str:
    """The intent's, or the first that the image names."""
    return intent.spec.root_id or next(iter(facts.root_ids), "")


def _variant(intent: Intent, plugin: Plugin, index: int, route: Route) -> Plugin | None:
    if route.disabled:
        return None
    shared = plugin.id if intent.spec.vm == "shared" else None
    return replace(plugin, id=f"{plugin.id}.route-{index}", config=route.config, shares_vm_of=shared)
