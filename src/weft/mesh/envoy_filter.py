"""A plugin in Envoy's own words (API v3): ``envoy.extensions.filters.http.wasm.v3``.

An HTTP filter chain holds either the whole filter (``static_filter``) or a name and the place to fetch the
rest from (``discovered_filter``, ECDS); the fetched document is ``discovery_document``. Envoy takes an
update of that document without dropping a request, and only when the *content* differs: new code must
come under a new file name.
"""

import hashlib
import json
from typing import Any

from weft.mesh.plugin import Failure, Plugin

__all__ = ["discovered_filter", "discovery_document", "static_filter"]

_WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
_EXTENSION = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
_TEXT = "type.googleapis.com/google.protobuf.StringValue"
_POLICIES = {Failure.OPEN: "FAIL_OPEN", Failure.RELOAD: "FAIL_RELOAD"}  # closed is Envoy's default

# The file is there before Envoy starts; a proxy that waits longer than this for it waits in vain.
_FETCH_TIMEOUT = "5s"


def static_filter(plugin: Plugin) -> dict[str, Any]:
    """An entry of ``http_filters`` with everything in it."""
    return {"name": plugin.id, "typed_config": _typed_config(plugin)}


def discovered_filter(plugin: Plugin, path: str) -> dict[str, Any]:
    """An entry of ``http_filters`` that Envoy reads, and reads again, from the file at ``path``."""
    source = {
        "resource_api_version": "V3",
        "path_config_source": {"path": path},
        "initial_fetch_timeout": _FETCH_TIMEOUT,
    }
    return {"name": plugin.id, "config_discovery": {"config_source": source, "type_urls": [_WASM]}}


def discovery_document(plugin: Plugin) -> dict[str, Any]:
    """What stands in the file of a discovered filter; ``version_info`` is a digest of the rest."""
    resource = {"@type": _EXTENSION, "name": plugin.id, "typed_config": _typed_config(plugin)}
    version = hashlib.sha256(json.dumps(resource, sort_keys=True).encode()).hexdigest()
    return {"version_info": version, "resources": [resource]}


def _typed_config(plugin: Plugin) -> dict[str, Any]:
    vm: dict[str, Any] = {
        "vm_id": plugin.vm_id,
        "runtime": "envoy.wasm.runtime.v8",
        "code": {"local": {"filename": plugin.module}},
    }
    if plugin.environment:
        vm["environment_variables"] = {"key_values": dict(plugin.environment)}
    config: dict[str, Any] = {"name": plugin.id, "root_id": plugin.root_id, "vm_config": vm}
    if plugin.config_text is not None:
        config["configuration"] = {"@type": _TEXT, "value": plugin.config_text}
    if plugin.failure in _POLICIES:
        config["failure_policy"] = _POLICIES[plugin.failure]
    return {"@type": _WASM, "config": config}
