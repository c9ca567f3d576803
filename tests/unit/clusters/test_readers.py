"""What the cluster tells of who reads a filter's objects."""

from typing import Any

import pytest

from weft.clusters import Nodes, Record, Refused, State, Unread, standing
from weft.clusters.readers import check_read
from weft.kube import Kube
from worlds.clock import FakeClock
from worlds.kube_api import KubeWorld, refusing


def policy(status: Any, kind: str = "EnvoyExtensionPolicy") -> dict[str, Any]:
    metadata = {"name": "p", "namespace": "n", "generation": 2}
    api_version = {"Gateway": "gateway.solo.io/v1"}.get(kind, "gateway.envoyproxy.io/v1alpha1")
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "status": status}


def accepted(state: str = "True", generation: int = 2, **more: str) -> dict[str, Any]:
    return {"type": "Accepted", "status": state, "observedGeneration": generation, **more}


def gloo(status: Any) -> dict[str, Any]:
    return policy(status, "Gateway")


NOTHING = "Envoy Gateway has said nothing of it: is it there, and what the policy is for its own?"
SILENT = "Gloo has said nothing of it: is it there?"


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(policy({"ancestors": [{"conditions": [accepted()]}]}), id="Envoy Gateway takes it"),
        pytest.param(gloo({"statuses": {"gloo-system": {"state": "Accepted"}}}), id="Gloo takes it"),
        pytest.param(gloo({"statuses": {"gloo-system": {"state": "Warning"}}}), id="Gloo warns"),
        pytest.param(gloo({"state": 1}), id="an old Gloo takes it"),
        pytest.param(
            {**gloo(None), "apiVersion": "gateway.networking.k8s.io/v1"}, id="a Gateway of somebody else"
        ),
        pytest.param({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}, id="what nobody speaks of"),
    ],
)
def test_nothing_is_wrong(held: dict[str, Any]) -> None:
    check_read(held)


@pytest.mark.parametrize(
    ("held", "error", "message"),
    [
        pytest.param(policy(None), Unread, NOTHING, id="no status"),
        pytest.param(policy({"ancestors": "?"}), Unread, NOTHING, id="a status of another shape"),
        pytest.param(policy({"ancestors": [{"conditions": ["?"]}, 1]}), Unread, NOTHING, id="no conditions"),
        pytest.param(
            policy({"ancestors": [{"conditions": [accepted(generation=1)]}]}),
            Unread,
            NOTHING,
            id="only of the former generation",
        ),
        pytest.param(
            policy(
                {
                    "ancestors": [
                        {"conditions": [accepted()]},
                        {"conditions": [accepted("False", 2, reason="R")]},
                    ]
                }
            ),
            Refused,
            "Envoy Gateway does not take it: R",
            id="one of two gateways does not take it",
        ),
        pytest.param(gloo({}), Unread, SILENT, id="Gloo says nothing"),
        pytest.param(gloo({"statuses": {"a": {"state": "Pending"}}}), Unread, SILENT, id="Gloo waits"),
        pytest.param(gloo({"state": 0}), Unread, SILENT, id="an old Gloo waits"),
        pytest.param(gloo({"state": 9}), Unread, SILENT, id="a number nobody knows"),
        pytest.param(
            gloo({"statuses": {"a": {"state": "Accepted"}, "b": {"state": "Rejected", "reason": "no"}}}),
            Refused,
            "Gloo does not take it: no",
            id="one of two Gloos does not take it",
        ),
        pytest.param(
            gloo({"state": 2}), Refused, "Gloo does not take it: it does not say why", id="an old one refuses"
        ),
    ],
)
def test_what_is_wrong(held: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        check_read(held)
    assert str(caught.value) == message


def record(where: str) -> Record:
    return Record(
        name="f",
        namespace="n",
        filter_id="f",
        target="istio/wasmplugin",
        image="i",
        removal=(),
        control_plane=where,
    )


async def states(kube: Kube, where: str) -> list[tuple[str, State, str]]:
    found = await standing(kube, Nodes(kube, "system", FakeClock()), record(where))
    return [(part.what, part.state, part.message) for part in found.parts]


async def test_an_istiod_that_is_there(world: KubeWorld, kube: Kube) -> None:
    containers = [{"name": "discovery", "image": "istio/pilot:1.26.2"}]
    world.put(
        "istiod",
        namespace="mesh",
        plural="deployments",
        spec={"template": {"spec": {"containers": containers}}},
    )
    assert await states(kube, "mesh/istiod") == [("istiod in mesh/istiod", State.READY, "")]
    gone = "it is not there: nobody reads what is deployed"
    assert await states(kube, "mesh") == [("istiod in mesh", State.UNREAD, gone)], "it has no label app"
    world.mark("istiod", namespace="mesh", plural="deployments", app="istiod")
    assert await states(kube, "mesh") == [("istiod in mesh", State.READY, "")]
    assert await states(kube, "mesh/other") == [("istiod in mesh/other", State.UNREAD, gone)]


async def test_nothing_is_said_where_nobody_may_look_or_looked(world: KubeWorld, kube: Kube) -> None:
    world.meet("GET", "deployments", refusing(403, "Forbidden", "no"))
    assert await states(kube, "mesh") == []
    assert await states(kube, "") == []


def test_a_record_tells_where_the_control_plane_is_and_an_old_one_does_not() -> None:
    document = record("mesh").document()
    assert Record.of(document, "n") == record("mesh")
    del document["controlPlane"]
    assert Record.of(document, "n") == record("")
