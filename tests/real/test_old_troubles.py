"""What went wrong with wasme in clusters and is not shown elsewhere: it goes right here.

The others of those troubles are in the tests of deploying, of the operator and of the node cache.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Weft
from weft.clusters import REGISTRIES
from worlds.deployments import VOLUMES, World
from worlds.kubernetes import Cluster
from worlds.operators import WASME, Operators, condition, envoyfilter, path, ready, resource, status
from worlds.real_registry import running
from worlds.waiting import until

pytestmark = pytest.mark.real("kubernetes", "distribution")

OWN = '[{"name":"own","emptyDir":{}}]'


class TestDeploying:
    def test_three_nodes_are_waited_for(self, world: World) -> None:
        world.workload("details")
        for node in ("one", "two"):
            world.node_cache(node, world.sha256)
        world.node_cache("three")
        waiting = world.deploy("--mode", "envoyfilter", "--timeout", "0.5")
        assert (waiting.code, "three: it is not there yet" in waiting.err) == (1, True)
        world.node_cache("three", world.sha256)
        with world.cluster.kubelet(world.namespace):
            done = world.deploy("--mode", "envoyfilter")
        assert done.code == 0, done.err

    def test_a_digest_is_what_is_deployed_though_the_tag_moved(self, world: World) -> None:
        world.workload("details")
        pinned, digest = f"{world.image}@{world.digest}", world.digest
        world.publish("two")
        assert digest != world.digest
        world.image = pinned
        done = world.deploy()
        assert done.code == 0, done.err
        (name,) = world.names("wasmplugins")
        assert world.plugin(name)["spec"]["url"].endswith(digest)

    def test_deploying_twice_and_undeploying_leaves_what_was_there(self, world: World) -> None:
        world.workload("details", **{VOLUMES[0]: OWN})
        world.workload("plain")
        world.node_cache("one", world.sha256)
        with world.cluster.kubelet(world.namespace):
            for value in ("1", "2"):
                done = world.deploy("--mode", "envoyfilter", "--config", json.dumps({"value": value}))
                assert done.code == 0, done.err
            assert world.undeploy().code == 0
        assert (world.annotations("details"), world.annotations("plain")) == ({VOLUMES[0]: OWN}, {})

    def test_what_others_took_away_does_not_keep_the_rest(self, world: World) -> None:
        for name in ("details", "ratings", "reviews"):
            world.workload(name)
        world.node_cache("one", world.sha256)
        apps = f"apps/v1/namespaces/{world.namespace}/deployments"
        with world.cluster.kubelet(world.namespace):
            assert world.deploy("--mode", "envoyfilter").code == 0
            filters = f"networking.istio.io/v1alpha3/namespaces/{world.namespace}/envoyfilters"
            world.ask("DELETE", f"{filters}/details-headers")
            world.ask("DELETE", f"{apps}/ratings")
            gone = world.undeploy()
        assert gone.code == 0, gone.err
        assert (world.names("envoyfilters"), world.configs()) == ([], [])
        assert (world.annotations("details"), world.annotations("reviews")) == ({}, {})

    def test_the_revision_of_an_intent_chooses_the_control_plane(self, world: World) -> None:
        world.workload("details")
        world.istiod("istio/pilot:1.11.4", name="istiod-old", revision="old")
        world.istiod("istio/pilot:1.26.2", name="istiod-new", revision="new")
        targets = {}
        for revision in ("old", "new"):
            document = {
                "apiVersion": "weft.dev/v1alpha1",
                "kind": "FilterDeployment",
                "metadata": {"name": "headers", "namespace": world.namespace},
                "spec": {
                    "image": world.image,
                    "target": {"istio": {"namespace": world.istio, "revision": revision}},
                },
            }
            words = ("deploy", "istio", "-f", "-", "--dry-run", "-o", "json")
            done = world.weft(*words, stdin=json.dumps(document))
            assert done.code == 0, done.err
            targets[revision] = json.loads(done.out)[0]["target"]
        assert targets == {"old": "istio/envoyfilter", "new": "istio/wasmplugin"}

    def test_the_node_cache_stays_as_somebody_made_it(self, world: World) -> None:
        labels = {"app": "weft-node-cache"}
        container = {"name": "c", "image": "c", "resources": {"limits": {"memory": "1Gi"}}}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"selector": {"matchLabels": labels}, "template": template}
        root = f"apps/v1/namespaces/{world.system}/daemonsets"
        world.ask("POST", root, {"metadata": {"name": "weft-node-cache"}, "spec": spec})
        before = world.ask("GET", f"{root}/weft-node-cache")["metadata"]["generation"]
        world.workload("details")
        world.node_cache("one", world.sha256)
        with world.cluster.kubelet(world.namespace):
            assert world.deploy("--mode", "envoyfilter").code == 0
        assert world.ask("GET", f"{root}/weft-node-cache")["metadata"]["generation"] == before

    def test_a_node_that_has_nothing_new_to_say_says_nothing(self, world: World, tmp_path: Path) -> None:
        world.workload("details")
        world.node_cache("one")
        report = f"/api/v1/namespaces/{world.system}/configmaps/weft-node-one"
        with world.cache_process(tmp_path / "one"), world.cluster.kubelet(world.namespace):
            assert world.deploy("--mode", "envoyfilter").code == 0
            version = world.cluster.ask("GET", report)["metadata"]["resourceVersion"]
            time.sleep(1.5)  # it has looked a dozen times
            assert world.cluster.ask("GET", report)["metadata"]["resourceVersion"] == version
        assert world.cluster.ask("GET", f"/api/v1/namespaces/{world.system}/events")["items"] == []


@pytest.fixture
def private(cluster: Cluster, namespace: str, weft: Weft, home: Path, tmp_path: Path) -> Iterator[World]:
    """A world whose registry wants a password, which `weft login` kept."""
    cluster.knows("extensions.istio.io", "v1alpha1", "WasmPlugin", "wasmplugins")
    with running("distribution", tmp_path / "private", auth="basic") as host:
        words = ("login", "-s", host, "-u", "me", "--password-stdin", "--plain-http")
        done = weft(*words, stdin="secret\n")
        assert done.code == 0, done.err
        yield World(cluster, namespace, weft, home, host)


def test_deploying_uses_what_login_kept(private: World) -> None:
    private.workload("details")
    assert private.weft("rm", private.image).code == 0
    done = private.deploy("--mode", "wasmplugin")
    assert done.code == 0, done.err


class TestOperator:
    def wasme(self, world: World, kind: str, **options: Any) -> dict[str, Any]:
        place = {"kind": kind, "labels": {}, "istioNamespace": world.istio}
        held = {
            "apiVersion": WASME.api_version,
            "kind": WASME.name,
            "metadata": {"name": "myfilter"},
            "spec": {
                "deployment": {"istio": place},
                "filter": {"image": world.image, "imagePullOptions": options},
            },
        }
        return world.ask("POST", path(WASME, world), held)

    @pytest.mark.parametrize(
        ("kind", "plural"), [("Statefulset", "statefulsets"), ("daemonset", "daemonsets")]
    )
    def test_every_kind_of_workload_gets_its_filter(
        self, world: World, operators: Operators, kind: str, plural: str
    ) -> None:
        operators.start()
        world.workload("other")
        world.workload("data", {"statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}[plural])
        world.node_cache("one", world.sha256)
        with world.cluster.kubelet(world.namespace):
            self.wasme(world, kind)
            expected = {"data": {"state": "Succeeded", "reason": ""}}
            until(lambda: status(world, "myfilter", WASME).get("workloads") == expected, "success")
        assert VOLUMES[0] in world.annotations("data", plural)
        assert world.names("envoyfilters") == ["data-myfilter." + world.namespace]
        assert world.annotations("other") == {}

    def test_a_secret_that_holds_no_password_is_a_reason_and_no_end(
        self, world: World, operators: Operators
    ) -> None:
        process = operators.start()
        world.workload("details")
        root = f"/api/v1/namespaces/{world.namespace}/secrets"
        secret = {"metadata": {"name": "regcred"}, "stringData": {"token": "x"}}
        world.cluster.ask("POST", root, secret)
        of_nodes = {"metadata": {"name": REGISTRIES}}
        world.cluster.ask("POST", f"/api/v1/namespaces/{world.system}/secrets", of_nodes)
        self.wasme(world, "Deployment", pullSecret="regcred")
        said = "has neither .dockerconfigjson nor username and password"
        until(lambda: said in status(world, "myfilter", WASME).get("reason", ""), "reason")
        assert process.poll() is None
        world.node_cache("one", world.sha256)
        with world.cluster.kubelet(world.namespace):
            right = {"stringData": {"username": "me", "password": "secret"}}
            world.cluster.ask("PATCH", f"{root}/regcred", right)
            until(lambda: status(world, "myfilter", WASME).get("reason") == "", "success")

    def test_a_workload_that_comes_after_the_filter_gets_it_too(
        self, world: World, operators: Operators
    ) -> None:
        operators.start()
        world.node_cache("one", world.sha256)
        with world.cluster.kubelet(world.namespace):
            world.workload("details")
            resource(world, target=envoyfilter(world))
            ready(world)
            world.workload("later")
            until(lambda: VOLUMES[0] in world.annotations("later"), "mount of the later one")
            until(lambda: "later-headers" in str(world.names("envoyfilters")), "its EnvoyFilter")
            assert condition(world)["status"] == "True"

    def test_what_wasme_made_is_taken_over_and_nothing_restarts(
        self, world: World, operators: Operators
    ) -> None:
        world.istiod("istio/pilot:1.9.9")
        world.publish("old", abi="v0-4689a30309abf31aee9ae36e73d34b1bb182685f")
        world.node_cache("one", world.sha256)
        volume = '[{"name":"cache-dir","hostPath":{"path":"/var/local/lib/wasme-cache"}}]'
        mount = '[{"mountPath":"/var/local/lib/wasme-cache","name":"cache-dir"}]'
        world.workload("details", **dict(zip(VOLUMES, (volume, mount), strict=True)))
        name = f"myfilter.{world.namespace}"
        filters = f"networking.istio.io/v1alpha3/namespaces/{world.namespace}/envoyfilters"
        made = wasmes_envoyfilter(f"details-{name}", name, world.sha256, {"app": "details"})
        version = world.ask("POST", f"{filters}?fieldManager=wasme", made)["metadata"]["resourceVersion"]
        workload = f"apps/v1/namespaces/{world.namespace}/deployments/details"
        with world.cluster.kubelet(world.namespace):
            operators.start()
            self.wasme(world, "Deployment")
            expected = {"details": {"state": "Succeeded", "reason": ""}}
            until(lambda: status(world, "myfilter", WASME).get("workloads") == expected, "success")
            assert world.ask("GET", workload)["metadata"]["generation"] == 1
            held = world.ask("GET", f"{filters}/details-{name}")
            assert held["metadata"]["resourceVersion"] == version
            world.ask("DELETE", path(WASME, world, "myfilter"))
            until(lambda: not world.ask("GET", path(WASME, world))["items"], "end of the resource")
        assert (world.names("envoyfilters"), world.annotations("details")) == ([], {})


def wasmes_envoyfilter(name: str, id_: str, sha256: str, labels: dict[str, str]) -> dict[str, Any]:
    """As wasme wrote them for Istio 1.7 to 1.9."""
    vm = {
        "runtime": "envoy.wasm.runtime.v8",
        "vmId": id_,
        "code": {"local": {"filename": f"/var/local/lib/wasme-cache/{sha256}"}},
    }
    struct = {
        "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
        "typeUrl": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "value": {"config": {"name": id_, "rootId": "add_header", "vmConfig": vm}},
    }
    place = {"filter": {"name": "envoy.http_connection_manager", "subFilter": {"name": "envoy.router"}}}
    patch = {
        "applyTo": "HTTP_FILTER",
        "match": {"context": "SIDECAR_INBOUND", "listener": {"filterChain": place}},
        "patch": {
            "operation": "INSERT_BEFORE",
            "value": {"name": "envoy.filters.http.wasm", "typedConfig": struct},
        },
    }
    return {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": name},
        "spec": {"configPatches": [patch], "workloadSelector": {"labels": labels}},
    }
