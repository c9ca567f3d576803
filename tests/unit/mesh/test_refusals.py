"""What a target cannot say is refused, with all reasons; nothing is left out silently."""

from typing import Any

import pytest

from weft.mesh import ImageUrl, ModuleFacts
from worlds.intents import (
    DIGEST,
    SHA256,
    a_plan,
    facts,
    refused,
)


class TestRefused:
    @pytest.mark.parametrize(
        ("asked", "complaint"),
        [
            pytest.param(
                {"istio": {"mode": "envoyfilter"}, "phase": "AUTHZ"},
                "istio/envoyfilter: spec.phase AUTHZ: an EnvoyFilter names a neighbour in the chain, and"
                " none is always there; wasmplugin can",
                id="phase of an EnvoyFilter",
            ),
            pytest.param(
                {"istio": {"mode": "envoyfilter"}, "targetRefs": [{"name": "gw"}]},
                "istio/envoyfilter: istio/envoyfilter has no place for spec.targetRefs",
                id="refs",
            ),
            pytest.param(
                {"istio": {"mode": "wasmplugin"}, "routes": [{"match": {"host": "a"}, "disabled": True}]},
                "istio/wasmplugin: istio/wasmplugin has no place for spec.routes",
                id="routes",
            ),
            *(
                pytest.param(
                    {"istio": {"mode": mode}, "config": config},
                    f"istio/{mode}: istio/{mode} keeps numbers as 64-bit floats, and {number} in spec.config"
                    " is none",
                    id=f"{mode} {number}",
                )
                for mode, config, number in (
                    ("wasmplugin", {"ids": [1, 2**53 + 1]}, "9007199254740993"),
                    ("wasmplugin", {"a": {"b": -(2**53) - 1}}, "-9007199254740993"),
                    ("trafficextension", {"a": 2**63 - 1}, "9223372036854775807"),
                    ("wasmplugin", '{"a": 1e999}', "inf"),
                )
            ),
            pytest.param(
                {"istio": {"mode": "wasmplugin"}, "capabilities": ["proxy_log"]},
                "istio/wasmplugin: istio/wasmplugin cannot forbid proxy_add_header_map_value, which"
                " spec.capabilities does not allow",
                id="capabilities",
            ),
            pytest.param(
                {"istio": {"mode": "envoyfilter"}, "capabilities": ["proxy_logg"]},
                "spec.capabilities: Envoy has no host function 'proxy_logg'",
                id="no such capability",
            ),
            pytest.param(
                {"istio": {"mode": "trafficextension", "version": "1.29"}},
                "istio/trafficextension: Istio 1.29 has no TrafficExtension; it came with 1.30",
                id="TrafficExtension",
            ),
            pytest.param(
                {"istio": {"mode": "wasmplugin", "version": "1.11.8"}},
                "istio/wasmplugin: Istio 1.11 has no WasmPlugin; it came with 1.12",
                id="WasmPlugin",
            ),
            pytest.param(
                {"istio": {"mode": "envoyfilter", "version": "1.10"}, "priority": 1},
                "istio/envoyfilter: spec.priority: Istio 1.10 has no order of EnvoyFilters",
                id="order",
            ),
            pytest.param(
                {"target": {"gloo": {}}, "phase": "STATS", "priority": 1, "failure": "reload"},
                "gloo: gloo has no place for spec.priority; gloo has no place for spec.failure: reload;"
                " gloo has no place in the chain for spec.phase STATS",
                id="gloo",
            ),
            pytest.param(
                {"target": {"gloo": {}}},
                "gloo: which Gateways there are is not known",
                id="gloo without gateways",
            ),
            pytest.param(
                {"target": {"envoyGateway": {}}, "config": "text"},
                "envoy-gateway: a policy needs spec.targetRefs: the gateways or routes it is for; text as"
                " spec.config would arrive in quotes; make it a JSON object",
                id="envoy gateway",
            ),
            pytest.param(
                {"target": {"envoyGateway": {}}, "targetRefs": [{"kind": "Service", "name": "s"}]},
                "envoy-gateway: a policy is for Gateway, HTTPRoute, GRPCRoute of"
                " gateway.networking.k8s.io, not for Service s",
                id="kind of target",
            ),
            pytest.param({"target": {"envoy": {}}}, "envoy: the module is not on this machine", id="envoy"),
            pytest.param(
                {"target": {"xds": {}}, "phase": "AUTHN"}, "xds: xds has no place for spec.phase", id="xds"
            ),
            pytest.param(
                {"configFrom": [{"path": "token", "secretKeyRef": {"name": "s", "key": "k"}}]},
                "spec.configFrom[0]: Secret s with key 'k' is not known",
                id="secret",
            ),
        ],
    )
    def test_what_cannot_be_said_is_not_left_out(self, asked: Any, complaint: str) -> None:
        assert str(refused(**asked)) == complaint

    def test_a_module_too_large_for_a_configmap(self) -> None:
        large = ModuleFacts(sha256=SHA256, size=1024 * 1024 + 1, content=bytes(1024 * 1024 + 1))
        refusal = refused(istio={"mode": "configmap"}, known=facts(module=large))
        assert str(refusal) == (
            "istio/configmap: the module has 1048577 bytes; a ConfigMap holds at most 1048576"
        )
        largest = ModuleFacts(sha256=SHA256, size=1024 * 1024, content=bytes(1024 * 1024))
        assert a_plan(istio={"mode": "configmap"}, known=facts(module=largest)).target == "istio/configmap"

    def test_gloo_does_not_fetch_by_digest(self) -> None:
        image = ImageUrl.parse(f"hub/a/b@sha256:{DIGEST}")
        refusal = refused(target={"gloo": {}}, targetRefs=[{"name": "gw"}], known=facts(image=image))
        assert str(refusal) == "gloo: Gloo fetches images by tag, and spec.image names none"
