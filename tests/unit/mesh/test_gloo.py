"""Gloo is told of a filter within a list that belongs to everybody."""

import json
from typing import Any, ClassVar

import pytest

from deployments import (
    an_intent,
    facts,
)
from weft.mesh import Plan, PlanRefused, make_plan


class TestGloo:
    GATEWAY: ClassVar[dict[str, Any]] = {
        "apiVersion": "gateway.solo.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "gateway-proxy", "namespace": "gloo-system", "labels": {"a": "b"}},
        "spec": {
            "bindPort": 8080,
            "httpGateway": {"options": {"wasm": {"filters": [{"name": "zz"}, {"name": "aa"}]}, "x": 1}},
        },
    }
    TCP: ClassVar[dict[str, Any]] = {
        **GATEWAY,
        "metadata": {"name": "tcp", "namespace": "gloo-system"},
        "spec": {"tcpGateway": {}},
    }

    def plan(self, **gloo: Any) -> Plan:
        known = facts(gateways=(self.GATEWAY, self.TCP))
        return make_plan(an_intent(target={"gloo": gloo}, id="mine", config={"a": 1}), known)

    def test_the_filter_is_put_among_the_others_by_name(self) -> None:
        [held] = self.plan().objects
        assert held["spec"]["bindPort"] == 8080
        options = held["spec"]["httpGateway"]["options"]
        assert options["x"] == 1
        assert options["wasm"]["filters"] == [
            {"name": "aa"},
            {
                "name": "mine",
                "image": "hub.example.com/team/add-header:v1.2",
                "rootId": "",
                "vmType": "V8",
                "config": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": '{"a":1}'},
            },
            {"name": "zz"},
        ]

    def test_only_it_is_taken_out(self) -> None:
        plan = self.plan()
        [step] = plan.removal
        assert step.object is not None
        filters = step.object["spec"]["httpGateway"]["options"]["wasm"]["filters"]
        assert filters == [{"name": "aa"}, {"name": "zz"}]

    def test_nothing_of_the_users_is_changed(self) -> None:
        before = json.dumps(self.GATEWAY)
        self.plan()
        assert json.dumps(self.GATEWAY) == before

    @pytest.mark.parametrize("gloo", [{"labels": {"a": "c"}}, {"namespaces": ["other"]}])
    def test_no_gateway_at_all_is_a_mistake(self, gloo: Any) -> None:
        with pytest.raises(PlanRefused, match="no Gateway with an httpGateway"):
            self.plan(**gloo)
