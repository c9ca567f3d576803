"""What the Envoy of a stage is told. Pure.

One listener plays: HTTP/2, the filters between two of Envoy's own that keep them from seeing what only Envoy
adds, and an upstream that is told which connection a request came by. A second listener marks the log. The
filter and the clusters it may call are read from files, and read again when these change.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = [
    "AFTER",
    "BEFORE",
    "DETAILS",
    "FILTER",
    "KEPT",
    "MARK",
    "MOST_NEIGHBORS",
    "NETWORK",
    "PLACES",
    "PORT",
    "PROTO",
    "RESTORED",
    "bootstrap",
    "clusters_document",
    "filter_document",
    "kept_document",
    "no_filter_document",
]

FILTER, KEPT = "played", "kept"
MOST_NEIGHBORS = 4
"""Filters on either side."""
BEFORE = tuple(f"before-{number}" for number in range(1, MOST_NEIGHBORS + 1))
AFTER = tuple(f"after-{number}" for number in range(1, MOST_NEIGHBORS + 1))
PLACES = (*BEFORE, FILTER, *AFTER)
"""Where filters of HTTP can be, in the order of the chain."""
NETWORK = "network"
"""Where a filter of connections is."""
DETAILS = "x-weft-details"
"""Response header: Envoy's %RESPONSE_CODE_DETAILS%."""
PORT = "x-weft-port"
"""Request header: the port of the client."""
PROTO = "x-weft-forwarded-proto"
"""Request header: the x-forwarded-proto that the scenario means."""
MARK = "x-weft-mark"
RESTORED = "x-weft-restored"
"""Request header: x-forwarded-proto is Envoy's again."""

_EXTENSIONS = "type.googleapis.com/envoy.extensions."
_WASM = _EXTENSIONS + "filters.http.wasm.v3.Wasm"
_NETWORK_WASM = _EXTENSIONS + "filters.network.wasm.v3.Wasm"
_IDLE = _EXTENSIONS + "filters.network.sni_cluster.v3.SniCluster"
"""Does nothing with a connection that has no TLS."""
_TCP_PROXY = _EXTENSIONS + "filters.network.tcp_proxy.v3.TcpProxy"
_MUTATION = _EXTENSIONS + "filters.http.header_mutation.v3.HeaderMutation"
_LUA = _EXTENSIONS + "filters.http.lua.v3.Lua"
_ROUTER = _EXTENSIONS + "filters.http.router.v3.Router"
_MANAGER = _EXTENSIONS + "filters.network.http_connection_manager.v3.HttpConnectionManager"
_RUNTIME = "envoy.wasm.runtime.v8"
_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_TYPED = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
_CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
_TEXT = "type.googleapis.com/google.protobuf.StringValue"
_UPSTREAM, _TCP_UPSTREAM = "weft-upstream", "weft-tcp-upstream"
_WINDOW = (1 << 31) - 1
_HTTP2 = {
    "initial_stream_window_size": _WINDOW,
    "initial_connection_window_size": _WINDOW,
    "allow_metadata": True,
}
# Two lines: a line is known to be whole when another begins.
_SCRIPT = f"""
function envoy_on_request(handle)
  handle:logErr("weft-mark " .. handle:headers():get("{MARK}"))
  handle:logErr("weft-mark")
  handle:respond({{[":status"] = "200"}}, "")
end
"""

# Envoy finds no route for a request without the header that the filter was not to see.
_RESTORE = f"""
function envoy_on_request(handle)
  local headers = handle:headers()
  if headers:get("x-forwarded-proto") == nil then
    headers:add("x-forwarded-proto", headers:get(":scheme") or "http")
    headers:add("{RESTORED}", "1")
    handle:clearRouteCache()
  end
end
"""


def bootstrap(
    *, upstream: int, tcp_upstream: int, played: Mapping[str, str], kept: str, clusters: str
) -> dict[str, Any]:
    """Envoy in front of the servers at these ports; the others are files that are there already.

    ``played`` is place → file.
    """
    watched = {"resource_api_version": "V3", "path_config_source": {"path": clusters}}
    router = _filter("router", _ROUTER, suppress_envoy_headers=True)
    play = [
        _tidy(),
        *(_discovered(place, played[place]) for place in PLACES),
        _script("restore", _RESTORE),
        router,
    ]
    mark = [_script("mark", _SCRIPT), _filter("router", _ROUTER)]
    keep = [_discovered(KEPT, kept), _filter("router", _ROUTER)]
    route = {
        "route": {"cluster": _UPSTREAM, "timeout": "0s"},
        "request_headers_to_add": [_header(PORT, "%DOWNSTREAM_REMOTE_PORT%")],
    }
    return {
        "node": {"id": "weft", "cluster": "weft"},
        "admin": {"address": _address(0)},
        "stats_flush_interval": "0.05s",
        "dynamic_resources": {"cds_config": watched},
        "static_resources": {
            "listeners": [
                _listener("play", _manager("play", play, route)),
                _listener("mark", _manager("mark", mark, {"direct_response": {"status": 200}})),
                _listener("keep", _manager("keep", keep, {"direct_response": {"status": 200}})),
                _relay(played[NETWORK]),
            ],
            "clusters": [_cluster(_UPSTREAM, upstream), _tcp_cluster(_TCP_UPSTREAM, tcp_upstream)],
        },
    }


def clusters_document(servers: Mapping[str, int]) -> dict[str, Any]:
    """The servers that filters may call: name → port."""
    return _versioned([{"@type": _CLUSTER, **_cluster(name, port)} for name, port in sorted(servers.items())])


def filter_document(
    *,
    place: str = FILTER,
    name: str,
    root_id: str,
    vm_id: str,
    module: str,
    config: str,
    vm_config: str = "",
    environment: Mapping[str, str] | None = None,
    fail_open: bool = False,
) -> dict[str, Any]:
    """A filter that is played; ``vm_id`` is one nobody had before."""
    vm: dict[str, Any] = {
        "vm_id": vm_id,
        "runtime": _RUNTIME,
        "code": {"local": {"filename": module}},
        "configuration": {"@type": _TEXT, "value": vm_config},
    }
    if environment:
        vm["environment_variables"] = {"key_values": dict(environment)}
    plugin: dict[str, Any] = {"name": name, "root_id": root_id, "vm_config": vm}
    plugin["configuration"] = {"@type": _TEXT, "value": config}
    if fail_open:
        plugin["failure_policy"] = "FAIL_OPEN"
    kind = _NETWORK_WASM if place == NETWORK else _WASM
    return _versioned([_resource({"@type": kind, "config": plugin}, place)])


def no_filter_document(place: str = FILTER) -> dict[str, Any]:
    """Nothing is played there; the last filter goes when its last stream went."""
    return _versioned([_resource({"@type": _IDLE if place == NETWORK else _MUTATION}, place)])


def kept_document(module: str, needed: Iterable[str]) -> dict[str, Any]:
    """The module that is played, in a VM that does nothing.

    While one VM of a module lives Envoy compiles it no second time. Of what the filter exports and imports
    this one may use but ``needed``: it is not configured, and can neither log nor define a metric.
    """
    vm = {"vm_id": KEPT, "runtime": _RUNTIME, "code": {"local": {"filename": module}}}
    allowed: dict[str, Any] = {name: {} for name in (*needed, "proxy_on_done")}
    restricted = {"allowed_capabilities": allowed}
    plugin = {"name": KEPT, "vm_config": vm, "capability_restriction_config": restricted}
    return _versioned([_resource({"@type": _WASM, "config": plugin}, KEPT)])


def _resource(config: dict[str, Any], name: str) -> dict[str, Any]:
    return {"@type": _TYPED, "name": name, "typed_config": config}


def _versioned(resources: list[dict[str, Any]]) -> dict[str, Any]:
    version = hashlib.sha256(json.dumps(resources, sort_keys=True).encode()).hexdigest()
    return {"version_info": version, "resources": resources}


def _filter(name: str, kind: str, **config: Any) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": kind, **config}}


def _script(name: str, source: str) -> dict[str, Any]:
    return _filter(name, _LUA, default_source_code={"inline_string": source})


def _tidy() -> dict[str, Any]:
    """Takes x-forwarded-proto, which Envoy always adds, away again; tells the client how it was answered."""
    wanted = {"append": _header("x-forwarded-proto", f"%REQ({PROTO})%")}
    request = [{"remove": "x-forwarded-proto"}, wanted, {"remove": PROTO}]
    response = [{"append": _header(DETAILS, "%RESPONSE_CODE_DETAILS%")}]
    return _filter(
        "tidy", _MUTATION, mutations={"request_mutations": request, "response_mutations": response}
    )


def _discovered(name: str, path: str, kinds: tuple[str, ...] = (_WASM, _MUTATION)) -> dict[str, Any]:
    source = {
        "resource_api_version": "V3",
        "path_config_source": {"path": path},
        "initial_fetch_timeout": "5s",
    }
    return {"name": name, "config_discovery": {"config_source": source, "type_urls": list(kinds)}}


def _header(name: str, value: str) -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _manager(name: str, filters: list[dict[str, Any]], route: dict[str, Any]) -> dict[str, Any]:
    host = {"name": name, "domains": ["*"], "routes": [{"match": {"prefix": "/"}, **route}]}
    return {
        "@type": _MANAGER,
        "stat_prefix": name,
        "codec_type": "HTTP2",
        "http2_protocol_options": _HTTP2,
        "generate_request_id": False,
        "preserve_external_request_id": True,
        "server_header_transformation": "PASS_THROUGH",
        "stream_idle_timeout": "0s",
        "route_config": {"name": name, "virtual_hosts": [host]},
        "http_filters": filters,
    }


def _listener(name: str, manager: dict[str, Any]) -> dict[str, Any]:
    kind = "envoy.filters.network.http_connection_manager"
    return _listening(name, [{"name": kind, "typed_config": manager}])


def _relay(filter_: str) -> dict[str, Any]:
    """Passes bytes on to the upstream of connections."""
    proxy = _filter("proxy", _TCP_PROXY, stat_prefix="relay", cluster=_TCP_UPSTREAM, idle_timeout="0s")
    return _listening("relay", [_discovered(NETWORK, filter_, (_NETWORK_WASM, _IDLE)), proxy])


def _listening(name: str, filters: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "address": _address(0),
        "enable_reuse_port": False,
        "filter_chains": [{"filters": filters}],
    }


def _cluster(name: str, port: int) -> dict[str, Any]:
    options = {
        "@type": f"type.googleapis.com/{_OPTIONS}",
        "explicit_http_config": {"http2_protocol_options": _HTTP2},
    }
    return {**_tcp_cluster(name, port), "typed_extension_protocol_options": {_OPTIONS: options}}


def _tcp_cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
