"""Which pods, which traffic, which place in the chain."""

from typing import Any

import pytest

from weft.mesh import Facts, Workload
from worlds.intents import (
    DETAILS,
    RATINGS,
    a_plan,
    facts,
    refused,
)


class TestWhere:
    def spec(self, *, istio: Any = None, known: Facts | None = None, **asked: Any) -> Any:
        [held] = a_plan(istio={"mode": "wasmplugin", **(istio or {})}, known=known, **asked).objects
        return held["spec"]

    @pytest.mark.parametrize(
        ("istio", "match"),
        [
            ({}, [{"mode": "SERVER"}]),
            (
                {"context": "inbound", "ports": [80, 8080]},
                [{"mode": "SERVER", "ports": [{"number": 80}, {"number": 8080}]}],
            ),
            ({"context": "outbound"}, [{"mode": "CLIENT"}]),
            ({"context": "gateway"}, [{"mode": "CLIENT"}]),
            ({"context": "any"}, None),
            ({"context": "any", "ports": [80]}, [{"mode": "CLIENT_AND_SERVER", "ports": [{"number": 80}]}]),
        ],
    )
    def test_a_context_becomes_a_match(self, istio: Any, match: Any) -> None:
        assert self.spec(istio=istio).get("match") == match

    @pytest.mark.parametrize(
        ("context", "mode", "noted"),
        [
            ("outbound", "wasmplugin", True),
            ("gateway", "trafficextension", True),
            ("inbound", "wasmplugin", False),
            ("any", "wasmplugin", False),
            ("gateway", "envoyfilter", False),
        ],
    )
    def test_senders_and_gateways_are_told_apart_or_it_is_said(
        self, context: str, mode: str, noted: bool
    ) -> None:
        plan = a_plan(istio={"context": context, "mode": mode}, known=facts(workloads=(DETAILS,)))
        note = (
            "what sidecars send and what gateways take are one traffic to Istio (CLIENT);"
            " mode envoyfilter tells them apart"
        )
        assert (note in plan.reasons) is noted

    def test_gateways_that_are_known_as_such_are_only_told_apart_from_others(self) -> None:
        front = Workload(
            kind="Deployment", name="front", namespace="bookinfo", pod_labels={"istio": "ingressgateway"}
        )
        asked = {"mode": "wasmplugin", "context": "gateway"}
        assert a_plan(istio=asked, known=facts(workloads=(front,))).reasons == ()
        assert a_plan(istio=asked, known=facts(workloads=(front, DETAILS))).reasons != ()

    def test_target_references_are_of_gateways_alone(self) -> None:
        plan = a_plan(istio={"mode": "wasmplugin", "context": "gateway"}, targetRefs=[{"name": "front"}])
        assert plan.reasons == ()

    @pytest.mark.parametrize("mode", ["wasmplugin", "trafficextension", "envoyfilter", "configmap"])
    def test_nothing_in_the_root_namespace_is_for_the_whole_mesh(self, mode: str) -> None:
        """Istio's: without a selector an object there is for all pods of all namespaces."""
        plan = a_plan(istio={"mode": mode, "namespace": "bookinfo"})
        specs = [held["spec"] for held in plan.objects if "istio.io/" in held["apiVersion"]]
        chosen = [
            one["workloadSelector"]["labels"] if "workloadSelector" in one else one["selector"]["matchLabels"]
            for one in specs
        ]
        assert chosen == [DETAILS.pod_labels, RATINGS.pod_labels]
        note = "bookinfo is Istio's root namespace: pods of all namespaces with these labels are meant"
        assert plan.reasons[-1] == note

    @pytest.mark.parametrize(
        ("labels", "meant"),
        [
            ({}, "the whole mesh is meant"),
            ({"app": "details"}, "pods of all namespaces with these labels are meant"),
        ],
        ids=["none", "some"],
    )
    def test_where_nobody_looked_the_root_namespace_is_said(self, labels: Any, meant: str) -> None:
        istio = {"mode": "wasmplugin", "namespace": "bookinfo"}
        plan = a_plan(istio=istio, known=facts(workloads=None), workloads={"labels": labels})
        assert plan.reasons[-1] == f"bookinfo is Istio's root namespace: {meant}"

    def test_gateways_that_are_named_are_those_of_their_namespace_everywhere(self) -> None:
        plan = a_plan(istio={"mode": "wasmplugin", "namespace": "bookinfo"}, targetRefs=[{"name": "front"}])
        assert plan.reasons == ()

    def test_ports_become_patches(self) -> None:
        plan = a_plan(istio={"mode": "envoyfilter", "ports": [80, 8080]}, known=facts(workloads=(DETAILS,)))
        patches = plan.objects[-1]["spec"]["configPatches"]
        assert [patch["match"]["listener"]["portNumber"] for patch in patches] == [80, 8080]

    def test_labels_select_the_pods_that_have_them(self) -> None:
        assert self.spec(workloads={"labels": {"app": "details"}})["selector"] == {
            "matchLabels": {"app": "details"}
        }

    def test_labels_that_only_the_workload_has_become_those_of_its_pods(self) -> None:
        odd = Workload(
            kind="Deployment",
            name="odd",
            namespace="bookinfo",
            labels={"team": "a"},
            pod_labels={"app": "odd"},
        )
        known = facts(workloads=(odd, DETAILS))
        [held] = a_plan(
            istio={"mode": "wasmplugin"}, known=known, workloads={"labels": {"team": "a"}}
        ).objects
        assert held["metadata"]["name"] == "odd-add-header"
        assert held["spec"]["selector"] == {"matchLabels": {"app": "odd"}}

    def test_pods_that_only_look_alike_are_not_selected(self) -> None:
        job = Workload(
            kind="DaemonSet",
            name="agent",
            namespace="bookinfo",
            pod_labels={"app": "details", "role": "agent"},
        )
        asked: dict[str, Any] = {"workloads": {"kind": "Deployment", "labels": {"app": "details"}}}
        [held] = a_plan(istio={"mode": "wasmplugin"}, known=facts(workloads=(DETAILS, job)), **asked).objects
        assert held["spec"]["selector"] == {"matchLabels": {"app": "details", "version": "v1"}}

    def test_pods_without_labels_cannot_be_selected(self) -> None:
        bare = Workload(kind="Deployment", name="bare", namespace="bookinfo")
        for mode in ("wasmplugin", "envoyfilter"):
            assert str(refused(istio={"mode": mode}, known=facts(workloads=(bare,)))) == (
                "Deployment bookinfo/bare: its pods have no labels, and Istio selects pods by labels"
            )

    def test_a_revision_marks_the_objects(self) -> None:
        [held] = a_plan(istio={"mode": "wasmplugin", "revision": "canary"}).objects
        assert held["metadata"]["labels"]["istio.io/rev"] == "canary"

    def test_gateways_are_named_and_their_traffic_is_meant(self) -> None:
        spec = self.spec(targetRefs=[{"name": "gw"}])
        assert spec["targetRefs"] == [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gw"}]
        assert spec["match"] == [{"mode": "CLIENT"}]

    def test_no_workload_at_all_is_a_mistake(self) -> None:
        refusal = refused(workloads={"kind": "DaemonSet", "labels": {"app": "details"}})
        assert "spec.workloads: no DaemonSet in namespace bookinfo has app=details" in str(refusal)

    def test_inbound_traffic_of_a_gateway_is_a_mistake(self) -> None:
        gateway = Workload(
            kind="Deployment", name="gw", namespace="bookinfo", pod_labels={"istio": "ingressgateway"}
        )
        refusal = refused(istio={"mode": "envoyfilter"}, known=facts(workloads=(gateway,)))
        assert str(refusal) == "Deployment bookinfo/gw is a gateway, where inbound traffic does not exist"
        assert refusal.hint == "set spec.target.istio.context to gateway"

    @pytest.mark.parametrize(
        ("asked", "operation", "priority"),
        [
            ({}, "INSERT_BEFORE", None),
            ({"priority": 10}, "INSERT_BEFORE", -10),
            ({"phase": "AUTHN", "priority": 10}, "INSERT_FIRST", 10),
        ],
    )
    def test_a_higher_priority_stands_earlier_in_the_chain(
        self, asked: Any, operation: str, priority: Any
    ) -> None:
        spec = a_plan(istio={"mode": "envoyfilter"}, **asked).objects[-1]["spec"]
        assert spec["configPatches"][0]["patch"]["operation"] == operation
        assert spec.get("priority") == priority
