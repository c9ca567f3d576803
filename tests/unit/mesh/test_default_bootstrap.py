"""weft's own bootstrap: loopback only, one route, filters before the router."""

from typing import Any

from weft.mesh import Plugin, Upstream, default_bootstrap, runnable, static_filter

LOOPBACK = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}


def manager_of(bootstrap: dict[str, Any]) -> dict[str, Any]:
    listener = bootstrap["static_resources"]["listeners"][0]
    config: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return config


def clusters_of(bootstrap: dict[str, Any]) -> dict[str, Any]:
    return {cluster["name"]: cluster for cluster in bootstrap["static_resources"]["clusters"]}


def route_of(bootstrap: dict[str, Any]) -> dict[str, Any]:
    route: dict[str, Any] = manager_of(bootstrap)["route_config"]["virtual_hosts"][0]["routes"][0]
    return route


def test_filters_stand_before_the_router_in_their_order() -> None:
    filters = [static_filter(Plugin(id=name, module=f"/{name}")) for name in ("one", "two")]
    entries = manager_of(default_bootstrap(filters))["http_filters"]
    assert [entry["name"] for entry in entries] == ["one", "two", "envoy.filters.http.router"]
    assert entries[:2] == filters


def test_only_the_loopback_interface_is_opened() -> None:
    bootstrap = default_bootstrap(port=8080, admin_port=9901)
    listener = bootstrap["static_resources"]["listeners"][0]
    assert listener["address"] == {"socket_address": {"address": "127.0.0.1", "port_value": 8080}}
    assert bootstrap["admin"]["address"] == {"socket_address": {"address": "127.0.0.1", "port_value": 9901}}


def test_a_second_envoy_on_the_port_fails_instead_of_sharing_it() -> None:
    assert default_bootstrap()["static_resources"]["listeners"][0]["enable_reuse_port"] is False


def test_without_an_upstream_envoy_answers_itself() -> None:
    bootstrap = default_bootstrap()
    assert route_of(bootstrap)["direct_response"]["status"] == 200
    assert clusters_of(bootstrap) == {}


def test_the_host_becomes_the_upstreams_unless_it_is_kept() -> None:
    upstream = Upstream("example.com", 8080)
    rewritten = route_of(default_bootstrap(upstream=upstream))["route"]
    assert rewritten == {"cluster": "upstream", "host_rewrite_literal": "example.com:8080"}
    kept = route_of(default_bootstrap(upstream=upstream, keep_host=True))["route"]
    assert kept == {"cluster": "upstream"}


def test_names_are_resolved_and_addresses_are_not() -> None:
    servers = {"name": Upstream("example.com", 80), "address": Upstream("127.0.0.1", 80)}
    clusters = clusters_of(default_bootstrap(clusters=servers))
    assert {name: cluster["type"] for name, cluster in clusters.items()} == {
        "name": "STRICT_DNS",
        "address": "STATIC",
    }
    assert clusters["address"]["load_assignment"] == {
        "cluster_name": "address",
        "endpoints": [
            {
                "lb_endpoints": [
                    {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 80}}}}
                ]
            }
        ],
    }


def test_a_tls_upstream_is_named_and_checked() -> None:
    bootstrap = default_bootstrap(upstream=Upstream("example.com", 443, tls=True), trusted_ca="/ca.pem")
    socket = clusters_of(bootstrap)["upstream"]["transport_socket"]
    assert socket == {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": "example.com",
            "common_tls_context": {
                "validation_context": {
                    "trusted_ca": {"filename": "/ca.pem"},
                    "match_typed_subject_alt_names": [
                        {"san_type": "DNS", "matcher": {"exact": "example.com"}}
                    ],
                }
            },
        },
    }


def test_an_address_is_no_server_name() -> None:
    bootstrap = default_bootstrap(upstream=Upstream("10.0.0.1", 443, tls=True), trusted_ca="/ca.pem")
    context = clusters_of(bootstrap)["upstream"]["transport_socket"]["typed_config"]
    assert "sni" not in context
    [wanted] = context["common_tls_context"]["validation_context"]["match_typed_subject_alt_names"]
    assert wanted == {"san_type": "IP_ADDRESS", "matcher": {"exact": "10.0.0.1"}}


def test_without_certificates_nothing_is_checked() -> None:
    bootstrap = default_bootstrap(upstream=Upstream("example.com", 443, tls=True))
    context = clusters_of(bootstrap)["upstream"]["transport_socket"]["typed_config"]
    assert "common_tls_context" not in context


def test_runnable_adds_an_admin_and_names_and_leaves_the_rest() -> None:
    bootstrap = {"static_resources": {"listeners": []}, "node": {"id": "mine"}}
    assert runnable(bootstrap) == {
        "static_resources": {"listeners": []},
        "node": {"id": "mine", "cluster": "weft"},
        "admin": {"address": LOOPBACK},
    }
    assert bootstrap == {"static_resources": {"listeners": []}, "node": {"id": "mine"}}


def test_runnable_keeps_an_admin_unless_a_port_is_asked_for() -> None:
    address = {"socket_address": {"address": "0.0.0.0", "port_value": 9901}}
    admin = {"address": address, "profile_path": "/p"}
    assert runnable({"admin": admin})["admin"] == admin
    asked = runnable({"admin": admin}, admin_port=7)["admin"]
    assert asked["profile_path"] == "/p"
    assert asked["address"] == {"socket_address": {"address": "127.0.0.1", "port_value": 7}}
