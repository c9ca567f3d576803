"""Istio's ``EnvoyFilter`` that puts a wasm filter, read from a file, into the proxies of some pods.

Up to Istio 1.9 it is word for word what wasme wrote: filters under their old names, and up to 1.6 without
types. From 1.10 on filters have their present names, and ours has its own, so that two filters of one chain
differ. The wasm filter is wrapped in a TypedStruct: istiod passes it on even when it does not know a field.

Since when Istio can do what, in its own files: ``INSERT_FIRST`` and present names of filters (istio 1.5.0 and
1.8.0, ``pilot/pkg/networking/core/v1alpha3/envoyfilter/listener_patch.go``), ``priority`` (api 1.11.0,
``networking/v1alpha3/envoy_filter.proto``). Envoy has ``failure_policy`` since 1.33
(``changelogs/1.33.0.yaml``), which is Istio 1.25's; a filter around others, which routes need, is taken to be
in all proxies since 1.16.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from weft.mesh.intent.intent import Intent, IstioTarget
from weft.mesh.intent.plugin import Failure, Plugin
from weft.mesh.istio.version import IstioVersion
from weft.mesh.plan.objects import labelled, new_object
from weft.mesh.proxy.envoy_filter import static_filter
from weft.mesh.proxy.routing import Routed

__all__ = ["envoyfilter", "why_not"]

_STRUCT = "type.googleapis.com/udpa.type.v1.TypedStruct"
_WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
_TEXT = "type.googleapis.com/google.protobuf.StringValue"
_OLD_NAMES = ("envoy.http_connection_manager", "envoy.router")
_NAMES = ("envoy.filters.network.http_connection_manager", "envoy.filters.http.router")
_CONTEXTS = {"inbound": "SIDECAR_INBOUND", "outbound": "SIDECAR_OUTBOUND", "gateway": "GATEWAY", "any": "ANY"}
_UNTYPED, _WASME, _PRIORITY, _ROUTES, _POLICY = 7, 10, 11, 16, 25


def envoyfilter(
    name: str,
    intent: Intent,
    istio: IstioTarget,
    version: IstioVersion,
    plugin: Plugin,
    routes: Sequence[Routed],
    labels: Mapping[str, str],
    image: str,
) -> dict[str, Any]:
    """The object; ``labels`` select pods, all where there are none."""
    value = _value(plugin, routes, version)
    patches = [_patch(intent, istio, version, port, value) for port in istio.ports or (None,)]
    spec: dict[str, Any] = {"configPatches": patches}
    if labels:
        spec["workloadSelector"] = {"labels": dict(labels)}
    if intent.spec.priority:
        # Patches of lower priority come first; each goes before the router, so behind those that came first.
        # The last one that goes first in the chain stays first.
        spec["priority"] = intent.spec.priority if intent.spec.phase == "AUTHN" else -intent.spec.priority
    held = new_object("networking.istio.io/v1alpha3", "EnvoyFilter", name, intent, spec=spec)
    return held if version.before(_WASME) else labelled(held, intent, image)


def why_not(intent: Intent, version: IstioVersion) -> list[str]:
    """What an EnvoyFilter of this Istio cannot say."""
    spec, reasons = intent.spec, []
    if spec.phase in {"AUTHZ", "STATS"}:
        reasons.append(
            f"spec.phase {spec.phase}: an EnvoyFilter names a neighbour in the chain, and none is always"
            " there; wasmplugin can"
        )
    if spec.priority and version.before(_PRIORITY):
        reasons.append(f"spec.priority: {version} has no order of EnvoyFilters")
    if spec.priority == -(2**31):
        reasons.append("spec.priority: an EnvoyFilter's priority cannot be that low")
    if spec.routes and version.before(_ROUTES):
        reasons.append(f"spec.routes: the proxies of {version} are too old for filters by request")
    if spec.failure is Failure.RELOAD and version.before(_POLICY):
        reasons.append(f"spec.failure: the proxies of {version} cannot reload a filter")
    return reasons


def _patch(
    intent: Intent, istio: IstioTarget, version: IstioVersion, port: int | None, value: Mapping[str, Any]
) -> dict[str, Any]:
    manager, router = _OLD_NAMES if version.before(_WASME) else _NAMES
    first = intent.spec.phase == "AUTHN"
    inner = {} if first else {"subFilter": {"name": router}}
    listener: dict[str, Any] = {"filterChain": {"filter": {"name": manager, **inner}}}
    if port is not None:
        listener["portNumber"] = port
    return {
        "applyTo": "HTTP_FILTER",
        "match": {"context": _CONTEXTS[istio.context or "inbound"], "listener": listener},
        "patch": {"operation": "INSERT_FIRST" if first else "INSERT_BEFORE", "value": value},
    }


def _value(plugin: Plugin, routes: Sequence[Routed], version: IstioVersion) -> dict[str, Any]:
    if routes:
        return static_filter(plugin, routes)
    config = _config(plugin, version)
    if version.before(_UNTYPED):
        return {"name": "envoy.filters.http.wasm", "config": {"config": config}}
    typed = {"@type": _STRUCT, "typeUrl": _WASM, "value": {"config": config}}
    name = "envoy.filters.http.wasm" if version.before(_WASME) else plugin.id
    return {"name": name, "typedConfig": typed}


def _config(plugin: Plugin, version: IstioVersion) -> dict[str, Any]:
    vm: dict[str, Any] = {
        "vmId": plugin.vm_id,
        "runtime": "envoy.wasm.runtime.v8",
        "code": {"local": {"filename": plugin.module}},
    }
    environment = {"keyValues": dict(plugin.environment), "hostEnvKeys": list(plugin.host_environment)}
    if any(environment.values()):
        vm["environmentVariables"] = {key: held for key, held in environment.items() if held}
    config: dict[str, Any] = {"name": plugin.id, "rootId": plugin.root_id, "vmConfig": vm}
    if (text := plugin.config_text) is not None:
        config["configuration"] = text if version.before(_UNTYPED) else {"@type": _TEXT, "value": text}
    if plugin.failure is Failure.OPEN and version.before(_POLICY):
        config["failOpen"] = True
    elif plugin.failure is not Failure.CLOSED:
        config["failurePolicy"] = f"FAIL_{plugin.failure.upper()}"
    if plugin.capabilities is not None:
        allowed = {name: dict[str, Any]() for name in plugin.capabilities}
        config["capabilityRestrictionConfig"] = {"allowedCapabilities": allowed}
    return config
