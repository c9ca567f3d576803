"""A whole bootstrap for a plain Envoy on this machine: one listener, one route, filters before the router.

Everything binds to the loopback interface. Port 0 lets the system choose; Envoy's admin says what it chose.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from weft.mesh.proxy.upstream import Upstream

__all__ = ["default_bootstrap", "runnable"]

_TYPE = "type.googleapis.com/envoy.extensions."
_MANAGER = _TYPE + "filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = _TYPE + "filters.http.router.v3.Router"
_UPSTREAM_TLS = _TYPE + "transport_sockets.tls.v3.UpstreamTlsContext"
_LOOPBACK = "127.0.0.1"
_UPSTREAM = "upstream"


def default_bootstrap(
    filters: Sequence[Mapping[str, Any]] = (),
    *,
    upstream: Upstream | None = None,
    keep_host: bool = False,
    clusters: Mapping[str, Upstream] | None = None,
    trusted_ca: str | None = None,
    port: int = 0,
    admin_port: int = 0,
) -> dict[str, Any]:
    """A v3 bootstrap with ``filters`` (entries of ``http_filters``) in front of ``upstream``.

    Without an upstream Envoy answers 200 by itself. The ``host`` header becomes the upstream's unless
    ``keep_host``. ``clusters`` are more servers that filters may call by name. ``trusted_ca`` is a file of
    certificates that TLS upstreams are checked against; without it they are not checked.
    """
    others = {} if upstream is None else {_UPSTREAM: upstream}
    servers = {**others, **(clusters or {})}
    return {
        "node": {"id": "weft", "cluster": "weft"},
        "admin": {"address": _address(_LOOPBACK, admin_port)},
        "static_resources": {
            "listeners": [_listener(_manager(filters, _route(upstream, keep_host=keep_host)), port)],
            "clusters": [_cluster(name, server, trusted_ca) for name, server in servers.items()],
        },
    }


def runnable(bootstrap: Mapping[str, Any], *, admin_port: int | None = None) -> dict[str, Any]:
    """``bootstrap`` with what weft needs to run it: an admin to ask, and the node's names for discovery.

    What stands there already stays, but ``admin_port`` wins over another admin address.
    """
    admin, node = dict(bootstrap.get("admin") or {}), dict(bootstrap.get("node") or {})
    if admin_port is not None or not admin.get("address"):
        admin["address"] = _address(_LOOPBACK, admin_port or 0)
    for name in ("id", "cluster"):
        node[name] = node.get(name) or "weft"
    return {**bootstrap, "node": node, "admin": admin}


def _listener(manager: dict[str, Any], port: int) -> dict[str, Any]:
    return {
        "name": "listener_0",
        "address": _address(_LOOPBACK, port),
        # With reuse, a second Envoy on the same port would quietly take half of the connections.
        "enable_reuse_port": False,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


def _manager(filters: Sequence[Mapping[str, Any]], route: dict[str, Any]) -> dict[str, Any]:
    host = {"name": "everything", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, **route}]}
    router = {"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}
    return {
        "@type": _MANAGER,
        "stat_prefix": "ingress_http",
        "route_config": {"name": "local", "virtual_hosts": [host]},
        "http_filters": [*(dict(entry) for entry in filters), router],
    }


def _route(upstream: Upstream | None, *, keep_host: bool) -> dict[str, Any]:
    if upstream is None:
        return {"direct_response": {"status": 200, "body": {"inline_string": "answered by Envoy"}}}
    rewrite = {} if keep_host else {"host_rewrite_literal": upstream.authority}
    return {"route": {"cluster": _UPSTREAM, **rewrite}}


def _cluster(name: str, server: Upstream, trusted_ca: str | None) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(server.host, server.port)}}
    # All addresses of a name are one host, tried in turn: localhost may mean ::1, 127.0.0.1 or both.
    found = {"type": "LOGICAL_DNS", "dns_lookup_family": "ALL"}
    cluster: dict[str, Any] = {
        "name": name,
        **({"type": "STATIC"} if server.is_address else found),
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    if server.tls:
        cluster["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": _tls(server, trusted_ca),
        }
    return cluster


def _tls(server: Upstream, trusted_ca: str | None) -> dict[str, Any]:
    context: dict[str, Any] = {"@type": _UPSTREAM_TLS}
    if not server.is_address:  # RFC 6066: an address is no server name
        context["sni"] = server.host
    if trusted_ca is not None:
        kind = "IP_ADDRESS" if server.is_address else "DNS"
        wanted = {"san_type": kind, "matcher": {"exact": server.host}}
        check = {"trusted_ca": {"filename": trusted_ca}, "match_typed_subject_alt_names": [wanted]}
        context["common_tls_context"] = {"validation_context": check}
    return context


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
