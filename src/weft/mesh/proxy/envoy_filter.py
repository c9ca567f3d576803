"""A plugin in Envoy's own words (API v3): ``envoy.extensions.filters.http.wasm.v3``.

An HTTP filter chain holds either the whole filter (``static_filter``) or a name and the place to fetch the
rest from (``discovered_filter``, ECDS); the fetched document is ``discovery_document``. Envoy takes an
update of that document without dropping a request, and only when the *content* differs: new code must
come under a new file name.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from weft.mesh.intent.plugin import Failure, Plugin
from weft.mesh.proxy.routing import Routed, by_route, matching_type

__all__ = ["discovered_filter", "discovery_document", "static_filter"]

_WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
_EXTENSION = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
_TEXT = "type.googleapis.com/google.protobuf.StringValue"
_POLICIES = {Failure.OPEN: "FAIL_OPEN", Failure.RELOAD: "FAIL_RELOAD"}  # closed is Envoy's default

# The file is there before Envoy starts; a proxy that waits longer than this for it waits in vain.
_FETCH_TIMEOUT = "5s"


def static_filter(plugin: Plugin, routes: Sequence[Routed] = ()) -> dict[str, Any]:
    """An entry of ``http_filters`` with everything in it; ``routes`` are the exceptions, the first wins."""
    return {"name": plugin.id, "typed_config": _whole(plugin, routes)}


def discovered_filter(plugin: Plugin, path: str, *, routed: bool = False) -> dict[str, Any]:
    """An entry of ``http_filters`` that Envoy reads, and reads again, from the file at ``path``.

    ``routed`` must say whether the document there has routes.
    """
    source = {
        "resource_api_version": "V3",
        "path_config_source": {"path": path},
        "initial_fetch_timeout": _FETCH_TIMEOUT,
    }
    types = [matching_type() if routed else _WASM]
    return {"name": plugin.id, "config_discovery": {"config_source": source, "type_urls": types}}


def discovery_document(plugin: Plugin, routes: Sequence[Routed] = ()) -> dict[str, Any]:
    """What stands in the file of a discovered filter; ``version_info`` is a digest of the rest."""
    resource = {"@type": _EXTENSION, "name": plugin.id, "typed_config": _whole(plugin, routes)}
    version = hashlib.sha256(json.dumps(resource, sort_keys=True).encode()).hexdigest()
    return {"version_info": version, "resources": [resource]}


def _whole(plugin: Plugin, routes: Sequence[Routed]) -> dict[str, Any]:
    return by_route(plugin, routes, _typed_config) if routes else _typed_config(plugin)


def _typed_config(plugin: Plugin) -> dict[str, Any]:
    vm: dict[str, Any] = {
        "vm_id": plugin.vm_id,
        "runtime": "envoy.wasm.runtime.v8",
        "code": {"local": {"filename": plugin.module}},
    }
    environment = {"key_values": dict(plugin.environment), "host_env_keys": list(plugin.host_environment)}
    if any(environment.values()):
        vm["environment_variables"] = {key: held for key, held in environment.items() if held}
    config: dict[str, Any] = {"name": plugin.id, "root_id": plugin.root_id, "vm_config": vm}
    if plugin.config_text is not None:
        config["configuration"] = {"@type": _TEXT, "value": plugin.config_text}
    if plugin.failure in _POLICIES:
        config["failure_policy"] = _POLICIES[plugin.failure]
    if plugin.capabilities is not None:
        allowed = {name: dict[str, Any]() for name in plugin.capabilities}
        config["capability_restriction_config"] = {"allowed_capabilities": allowed}
    return {"@type": _WASM, "config": config}
