"""The Kubernetes client against a real API server."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from weft.kube import Kube, find_cluster, open_kube
from worlds.kubernetes import Cluster

pytestmark = pytest.mark.real("kubernetes")


def until(found: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """What ``found`` gives once that is something."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, f"no {what} within {seconds:g} s"
        time.sleep(0.05)
    return value


def deployment(name: str, namespace: str, replicas: int = 1) -> dict[str, Any]:
    labels = {"app": name}
    containers = [{"name": "app", "image": "app"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


@pytest.fixture
async def kube(cluster: Cluster) -> AsyncIterator[Kube]:
    """The API, as its administrator sees it."""
    async with open_kube(find_cluster({"KUBECONFIG": str(cluster.admin)}), {}) as kube:
        yield kube


async def test_the_world_has_nodes_and_pods_that_are_ready(
    cluster: Cluster, kube: Kube, namespace: str
) -> None:
    cluster.node(f"node-{namespace}", zone="a")
    cluster.pod("details", namespace, node=f"node-{namespace}", app="details")
    pods = await kube.list("v1", "Pod", namespace=namespace, labels="app=details")
    assert [one["metadata"]["name"] for one in pods.items] == ["details"]
    assert pods.items[0]["status"]["phase"] == "Running"


async def test_a_user_may_do_what_was_granted(cluster: Cluster, namespace: str) -> None:
    cluster.grant(
        "reader", {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}, namespace=namespace
    )
    async with open_kube(find_cluster({"KUBECONFIG": str(cluster.user("reader"))}), {}) as kube:
        assert (await kube.list("v1", "Pod", namespace=namespace)).items == ()
        assert await kube.allowed("list", "", "pods", namespace=namespace)
        assert not await kube.allowed("list", "", "pods")


def test_the_world_rolls_deployments_out(cluster: Cluster, namespace: str) -> None:
    cluster.start_controllers()
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    cluster.ask("POST", path, deployment("details", namespace, replicas=2))
    until(lambda: cluster.run_pods(namespace) == 2, "pods")
    until(lambda: cluster.ask("GET", f"{path}/details")["status"].get("readyReplicas") == 2, "ready pods")
