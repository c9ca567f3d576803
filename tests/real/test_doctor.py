"""`weft doctor` on a real Kubernetes API: what it finds in clusters that lack something."""

import json
from typing import Any

import pytest

from conftest import Weft
from parts import tool
from weft.clusters import node_report
from worlds.deployments import World
from worlds.gateway_kinds import ENVOY_GATEWAY, GLOO

pytestmark = pytest.mark.real("kubernetes", "distribution")


def findings(world: World, *words: str, code: int = 0) -> dict[str, list[tuple[str, str]]]:
    """What → (health, message)."""
    where = ("-n", world.namespace, "--istio-namespace", world.istio, "--cache-namespace", world.system)
    done = world.weft("doctor", "-o", "json", *where, *words)
    assert done.code == code, done.out + done.err
    found: dict[str, list[tuple[str, str]]] = {}
    for one in json.loads(done.out):
        found.setdefault(one["what"], []).append((one["health"], one["message"]))
    return found


def test_a_cluster_where_all_is_well(world: World) -> None:
    world.istiod("istio/pilot:1.26.2")
    world.cluster.ask(
        "PATCH",
        f"/api/v1/namespaces/{world.namespace}",
        {"metadata": {"labels": {"istio-injection": "enabled"}}},
    )
    world.workload("details")
    world.node_cache("one", world.sha256)
    assert world.deploy().code == 0
    found = findings(world)
    kubernetes = tool("kubernetes", "kube")
    assert kubernetes is not None
    version = f"test, {world.cluster.url}, Kubernetes v{kubernetes.parent.name}"
    assert found["cluster"] == [("ok", version)]
    assert found["control plane"] == [("ok", "istiod of revision default: Istio 1.26.2")]
    assert found[f"namespace {world.namespace}"] == [("ok", "gets sidecars: istio-injection=enabled")]
    assert found["node caches"] == [("ok", "on 1 nodes")]
    assert found["filters"] == [("ok", "1 deployed")]
    assert found["rights"] == [("ok", f"may deploy in {world.namespace}")]
    assert "Istio, mode wasmplugin" in found["targets"][0][1]


def test_what_is_missing_is_named(world: World) -> None:
    world.node_cache("one")
    broken = {"reference": "hub/f:v1", "state": "Failed", "message": "no such image"}
    held = node_report("one", world.system, {"images": [broken]})
    world.cluster.ask("PATCH", f"/api/v1/namespaces/{world.system}/configmaps/weft-node-one", held)
    world.istiod("istio/pilot:latest")
    found = findings(world, code=1)
    assert found["control plane"] == [("note", "istiod of revision default: nothing says its version")]
    assert found[f"namespace {world.namespace}"] == [("note", "gets no sidecars by itself")]
    assert found["node caches"][1] == ("problem", "one: hub/f:v1: Failed: no such image")


def test_kinds_of_gateways_are_no_sign_of_who_reads_them(world: World) -> None:
    world.cluster.knows(*GLOO)
    world.cluster.knows(*ENVOY_GATEWAY)
    world.cluster.knows("gateway.networking.k8s.io", "v1", "GatewayClass", "gatewayclasses")
    for held in world.ask("GET", "gateway.solo.io/v1/gateways")["items"]:  # of other tests
        named = held["metadata"]
        world.ask("DELETE", f"gateway.solo.io/v1/namespaces/{named['namespace']}/gateways/{named['name']}")
    found = findings(world)
    assert found["Gloo Edge"] == [("note", "its kinds are there; it has said nothing of any Gateway")]
    assert found["Envoy Gateway"] == [("note", "its kinds are there; it has taken no GatewayClass")]

    gateways = f"gateway.solo.io/v1/namespaces/{world.namespace}/gateways"
    classes = f"gateway.networking.k8s.io/v1/namespaces/{world.namespace}/gatewayclasses"
    gateway = {"apiVersion": "gateway.solo.io/v1", "kind": "Gateway", "metadata": {"name": "read"}}
    taken = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": {"name": "eg"},
        "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
    }
    world.ask("POST", gateways, gateway)
    world.ask("PATCH", f"{gateways}/read/status", {"status": {"state": "Accepted"}})
    world.ask("POST", classes, taken)
    conditions = [{"type": "Accepted", "status": "True"}]
    world.ask("PATCH", f"{classes}/eg/status", {"status": {"conditions": conditions}})
    found = findings(world)
    assert found["Gloo Edge"] == [("ok", "says something of 1 of 1 Gateways")]
    assert found["Envoy Gateway"] == [("ok", "takes Gateways of class eg")]
    for path in (f"{gateways}/read", f"{classes}/eg"):
        world.ask("DELETE", path)


def test_a_filter_that_somebody_took_apart(world: World) -> None:
    world.workload("details")
    assert world.deploy().code == 0
    (name,) = world.names("wasmplugins")
    world.ask("DELETE", f"{world.plugins}/{name}")
    found = findings(world, code=1)
    message = (
        f"filter {world.namespace}/headers: WasmPlugin {world.namespace}/{name}: Missing: it is not there"
    )
    assert found["filters"][1] == ("problem", message)


def test_somebody_without_rights(world: World) -> None:
    words: dict[str, Any] = {"KUBECONFIG": str(world.cluster.user("nobody"))}
    done = world._weft("doctor", "-n", world.namespace, **words)
    assert done.code == 1
    assert "may not patch wasmplugins.extensions.istio.io, envoyfilters.networking.istio.io" in done.out
    assert "cannot be looked at" in done.out


def test_a_cluster_that_does_not_answer(weft: Weft, tmp_path: Any) -> None:
    config = tmp_path / "config"
    config.write_text(
        json.dumps(
            {
                "current-context": "gone",
                "clusters": [{"name": "gone", "cluster": {"server": "http://127.0.0.1:9"}}],
                "contexts": [{"name": "gone", "context": {"cluster": "gone", "user": ""}}],
            }
        )
    )
    done = weft("doctor", KUBECONFIG=str(config))
    assert done.code == 1
    assert "cannot connect to 127.0.0.1:9" in done.out
