"""Gloo is told of a filter within a list that belongs to everybody."""

import json
from typing import Any, ClassVar

import pytest

from weft.mesh import Do, Plan, PlanRefused, entry_of, entry_patch, make_plan, transition
from worlds.intents import (
    an_intent,
    facts,
)


class TestGloo:
    GATEWAY: ClassVar[dict[str, Any]] = {
        "apiVersion": "gateway.solo.io/v1",
        "kind": "Gateway",
        "metadata": {
            "name": "gateway-proxy",
            "namespace": "gloo-system",
            "labels": {"a": "b"},
            "resourceVersion": "7",
            "uid": "u",
            "managedFields": [{"manager": "helm"}],
        },
        "status": {"state": 1},
        "spec": {
            "bindPort": 8080,
            "httpGateway": {"options": {"wasm": {"filters": [{"name": "aa"}, {"name": "zz"}]}, "x": 1}},
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
        [step] = self.plan().removal
        assert (step.do, step.entry) == (Do.EXTRACT, "mine")
        assert step.object == {
            "apiVersion": "gateway.solo.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "gateway-proxy", "namespace": "gloo-system"},
        }

    def test_what_the_api_added_is_not_sent_back(self) -> None:
        [held] = self.plan().objects
        assert held["metadata"] == {
            "name": "gateway-proxy",
            "namespace": "gloo-system",
            "labels": {"a": "b"},
        }
        assert "status" not in held

    def test_a_filter_that_fails_may_be_passed_by(self) -> None:
        known = facts(gateways=(self.GATEWAY,))
        plan = make_plan(an_intent(target={"gloo": {}}, id="mine", failure="open"), known)
        assert entry_of(plan.objects[0], "mine") == {
            "name": "mine",
            "image": "hub.example.com/team/add-header:v1.2",
            "rootId": "",
            "vmType": "V8",
            "failOpen": True,
        }

    def test_another_id_leaves_no_entry_of_the_old_one(self) -> None:
        known = facts(gateways=(self.GATEWAY,))
        before, after = (make_plan(an_intent(target={"gloo": {}}, id=name), known) for name in ("old", "new"))
        steps = transition(before, after, known)
        assert [(step.do, step.entry) for step in steps] == [(Do.INSERT, "new"), (Do.EXTRACT, "old")]
        assert transition(after, after, known) == after.steps

    def test_nothing_of_the_users_is_changed(self) -> None:
        before = json.dumps(self.GATEWAY)
        self.plan()
        assert json.dumps(self.GATEWAY) == before

    @pytest.mark.parametrize("gloo", [{"labels": {"a": "c"}}, {"namespaces": ["other"]}])
    def test_no_gateway_at_all_is_a_mistake(self, gloo: Any) -> None:
        with pytest.raises(PlanRefused, match="no Gateway with an httpGateway"):
            self.plan(**gloo)


def gateway(options: Any = None) -> dict[str, Any]:
    http = {} if options is None else {"options": options}
    return {"metadata": {"name": "g", "resourceVersion": "7"}, "spec": {"httpGateway": http}}


class TestTheListOfOthers:
    """What is sent so that one entry changes and nothing else does."""

    MINE: ClassVar[dict[str, Any]] = {"name": "mine", "image": "a"}

    @pytest.mark.parametrize(
        ("options", "entry", "sent"),
        [
            pytest.param(None, MINE, {"wasm": {"filters": [MINE]}}, id="the first of all"),
            pytest.param(
                {"wasm": {"filters": [{"name": "a"}, {"name": "z"}]}},
                MINE,
                {"wasm": {"filters": [{"name": "a"}, MINE, {"name": "z"}]}},
                id="among others",
            ),
            pytest.param(
                {"wasm": {"filters": [{"name": "mine", "image": "old"}]}},
                MINE,
                {"wasm": {"filters": [MINE]}},
                id="another version",
            ),
            pytest.param(
                {"wasm": {"filters": [{"name": "z"}, {"name": "mine", "image": "old"}, {"name": "a"}]}},
                MINE,
                {"wasm": {"filters": [{"name": "z"}, MINE, {"name": "a"}]}},
                id="it keeps its place",
            ),
            pytest.param(
                {"wasm": {"filters": [MINE, {"name": "z"}]}},
                None,
                {"wasm": {"filters": [{"name": "z"}]}},
                id="others stay",
            ),
            pytest.param({"wasm": {"filters": [MINE]}, "buffer": {}}, None, {"wasm": None}, id="the last"),
            pytest.param({"wasm": {"filters": [MINE]}}, None, None, id="the last of all options"),
        ],
    )
    def test_one_entry_changes(self, options: Any, entry: Any, sent: Any) -> None:
        assert entry_patch(gateway(options), "mine", entry) == {
            "metadata": {"resourceVersion": "7"},
            "spec": {"httpGateway": {"options": sent}},
        }

    @pytest.mark.parametrize(
        ("options", "entry"),
        [({"wasm": {"filters": [MINE]}}, MINE), (None, None), ({"wasm": {"filters": None}}, None)],
    )
    def test_nothing_is_sent_when_it_is_so(self, options: Any, entry: Any) -> None:
        assert entry_patch(gateway(options), "mine", entry) is None

    @pytest.mark.parametrize("filters", [{"a": 1}, ["mine"], "mine"])
    def test_what_is_no_list_is_left_alone(self, filters: Any) -> None:
        with pytest.raises(PlanRefused, match=r"Gateway g: .* is no list of mappings"):
            entry_patch(gateway({"wasm": {"filters": filters}}), "mine", None)
