"""`weft install` and `weft uninstall` on a real Kubernetes API of their own; Helm and kustomize on what they write."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from conftest import Result, Weft
from weft.installing import Installation, objects
from worlds.kubernetes import Cluster, api_server

pytestmark = pytest.mark.real("kubernetes")

NAMESPACE = "weft-system"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
FILTERS = "/apis/weft.dev/v1alpha1/namespaces/default/filterdeployments"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster in which nobody else installs anything."""
    with api_server(tmp_path_factory.mktemp("bare")) as cluster:
        cluster.start_controllers()
        yield cluster


class World:
    def __init__(self, cluster: Cluster, weft: Weft) -> None:
        self.cluster, self._weft = cluster, weft

    def weft(self, *words: str) -> Result:
        return self._weft(*words, KUBECONFIG=str(self.cluster.admin))

    def install(self, *words: str) -> Result:
        result = self.weft("install", "--no-wait", *words)
        assert result.code == 0, result.err
        return result

    def uninstall(self, *words: str) -> Result:
        return self.weft("uninstall", "--timeout", "30", *words)

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        return self.cluster.ask(method, path, body)

    def filter(self, name: str, kind: str = "FilterDeployment", **metadata: Any) -> dict[str, Any]:
        held = {
            "apiVersion": "weft.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name, **metadata},
            "spec": {"image": "hub.example.com/team/add-header:v1"},
        }
        return self.ask("POST", FILTERS, held)

    def ours(self) -> list[str]:
        """Everything in the cluster that has weft's label or name."""
        paths = [
            DEFINITIONS,
            "/api/v1/namespaces",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            "/apis/rbac.authorization.k8s.io/v1/rolebindings",
            "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
            f"/api/v1/namespaces/{NAMESPACE}/configmaps",
            f"/api/v1/namespaces/{NAMESPACE}/secrets",
            f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments",
            f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets",
            f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases",
        ]
        return [
            f"{path.rpartition('/')[2]} {one['metadata']['name']}"
            for path in paths
            for one in self.ask("GET", path)["items"]
            if "weft" in json.dumps([one["metadata"]["name"], one["metadata"].get("labels")])
        ]


@pytest.fixture
def world(bare: Cluster, weft: Weft) -> Iterator[World]:
    world = World(bare, weft)
    yield world
    world.uninstall("--force")
    assert world.ours() == []


def test_a_cluster_takes_every_object_and_a_second_time_nothing_changes(world: World) -> None:
    count = len(objects(Installation()))
    first = world.install("-o", "json")
    assert {one["done"] for one in json.loads(first.out)} == {"made"}
    assert len(json.loads(first.out)) == count
    second = world.install("-o", "json")
    assert [one["done"] for one in json.loads(second.out)] == ["unchanged"] * count


def test_it_comes_in_order_and_goes_without_leaving_anything(world: World) -> None:
    lines = world.install("--secrets-of", "default").out.splitlines()
    assert lines[0] == "CustomResourceDefinition filterdeployments.weft.dev made"
    assert lines[4] == "Namespace weft-system made"
    assert lines[-1] == "DaemonSet weft-system/weft-node-cache made"
    held = {"metadata": {"name": "weft-module-a", "labels": {"app.kubernetes.io/managed-by": "weft"}}}
    world.ask("POST", f"/api/v1/namespaces/{NAMESPACE}/configmaps", held)
    gone = world.uninstall()
    assert (gone.code, gone.err) == (0, "")
    assert gone.out.splitlines()[0] == "DaemonSet weft-system/weft-node-cache deleted"
    assert "RoleBinding default/weft-secrets deleted" in gone.out.splitlines()
    assert world.ours() == []
