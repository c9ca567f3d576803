"""`weft install` and `weft uninstall` on a real Kubernetes API of their own."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from conftest import Result, Weft
from weft.installing import Installation, objects
from worlds.kubernetes import Cluster, api_server
from worlds.waiting import until

pytestmark = pytest.mark.real("kubernetes")

SYSTEM = "weft-system"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
FILTERS = "/apis/weft.dev/v1alpha1/namespaces/default/filterdeployments"
CONFIGS = f"/api/v1/namespaces/{SYSTEM}/configmaps"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
WASME = "filterdeployments.wasme.io"
_MADE_OF_OTHERS = re.compile("/(pods|replicasets|controllerrevisions|endpointslices) ")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster in which nobody else installs anything."""
    with api_server(tmp_path_factory.mktemp("bare")) as cluster:
        cluster.start_controllers()
        yield cluster


class World:
    """The cluster as its administrator sees it, and the program."""

    def __init__(self, cluster: Cluster, weft: Weft) -> None:
        self.cluster, self.ask, self._weft = cluster, cluster.ask, weft

    def weft(self, *words: str) -> Result:
        return self._weft(*words, KUBECONFIG=str(self.cluster.admin))

    def install(self, *words: str) -> Result:
        result = self.weft("install", "--no-wait", *words)
        assert result.code == 0, result.err
        return result

    def uninstall(self, *words: str, seconds: int = 60) -> Result:
        return self.weft("uninstall", "--timeout", str(seconds), *words)

    def filter(self, name: str, *finalizers: str) -> None:
        """A filter deployment that nobody has seen yet."""
        held = {
            "apiVersion": "weft.dev/v1alpha1",
            "kind": "FilterDeployment",
            "metadata": {"name": name, "finalizers": list(finalizers)},
            "spec": {"image": "hub.example.com/team/add-header:v1"},
        }
        self.ask("POST", FILTERS, held)

    def free(self, name: str) -> None:
        """What the operator does when it has taken a filter away."""
        self.ask("PATCH", f"{FILTERS}/{name}", {"metadata": {"finalizers": None}})

    @contextmanager
    def operator(self) -> Iterator[None]:
        """Somebody lets filters go that are to be deleted."""
        over = threading.Event()

        def run() -> None:
            while not over.wait(0.05):
                for held in self.ask("GET", FILTERS)["items"]:
                    if held["metadata"].get("deletionTimestamp"):
                        self.free(held["metadata"]["name"])
                        return

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def left(self) -> list[str]:
        """Everything in the cluster that is called weft's, but what controllers make of it."""
        return sorted(
            one
            for one in self.cluster.everything()
            if "weft" in one.rpartition("/")[2] and not _MADE_OF_OTHERS.search(one)
        )


@pytest.fixture
def world(bare: Cluster, weft: Weft) -> World:
    """Whatever the test before left there: a test begins with an installation, which makes it good."""
    return World(bare, weft)


def test_it_comes_in_order_stays_as_it_is_and_goes_without_leaving_anything(world: World) -> None:
    world.uninstall("--force")
    before = world.cluster.everything()
    every = len(objects(Installation(secrets_of=("default",))))
    lines = world.install("--secrets-of", "default").out.splitlines()
    assert lines[0] == "CustomResourceDefinition filterdeployments.weft.dev made"
    assert lines[4] == "Namespace weft-system made"
    assert lines[-1] == "DaemonSet weft-system/weft-node-cache made"
    assert len(lines) == every

    again = json.loads(world.install("--secrets-of", "default", "-o", "json").out)
    assert [one["done"] for one in again] == ["unchanged"] * every

    told = {"metadata": {"name": "weft-module-a", "labels": {"app.kubernetes.io/managed-by": "weft"}}}
    world.ask("POST", CONFIGS, told)
    gone = world.uninstall()
    assert (gone.code, gone.err) == (0, "")
    assert gone.out.splitlines()[0] == "DaemonSet weft-system/weft-node-cache deleted"
    assert "RoleBinding default/weft-namespace deleted" in gone.out.splitlines()
    assert "ConfigMap weft-system/weft-module-a deleted" in gone.out.splitlines()
    until(lambda: world.cluster.everything() <= before, "end of all that was made of it")
    assert (world.uninstall().code, world.uninstall().out) == (0, "")


def test_another_image_changes_the_pods_and_without_node_cache_it_goes(world: World) -> None:
    world.install()
    changed = json.loads(world.install("--image", "hub/weft:2", "--no-node-cache", "-o", "json").out)
    done = [f"{one['kind']} {one['name']} {one['done']}" for one in changed if one["done"] != "unchanged"]
    assert done == [
        "Namespace weft-system changed",
        "Deployment weft-operator changed",
        "DaemonSet weft-node-cache deleted",
        "Service weft-node-cache deleted",
        "Secret weft-registries deleted",
        "RoleBinding weft-registries deleted",
        "Role weft-registries deleted",
        "RoleBinding weft-node-cache deleted",
        "Role weft-node-cache deleted",
        "ServiceAccount weft-node-cache deleted",
    ]


def test_it_waits_until_the_pods_run_and_names_what_does_not(world: World) -> None:
    world.install("--no-node-cache")
    waited = world.weft("install", "--timeout", "1", "--no-node-cache", "--image", "hub/weft:3")
    assert waited.code == 1
    assert "error: the pods did not get ready within 1 s: Deployment weft-system/weft-operator" in waited.err
    with world.cluster.kubelet(SYSTEM):
        running = world.weft("install", "--timeout", "60", "--no-node-cache")
    assert running.code == 0, running.err


def test_it_does_not_go_while_there_are_filters(world: World) -> None:
    world.install()
    world.filter("add-header")
    before = world.left()
    refused = world.uninstall()
    world.ask("DELETE", f"{FILTERS}/add-header")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == (
        "error: filters are still there: FilterDeployment default/add-header\n"
        "\nhint: take them away first (kubectl delete, weft undeploy), or let --force do it\n"
    )
    assert world.left() == before


def test_forced_it_has_the_operator_take_filters_away_first(world: World) -> None:
    world.install()
    world.filter("add-header", "weft.dev/filter")
    with world.operator():
        gone = world.uninstall("--force")
    assert gone.code == 0, gone.err
    assert gone.out.splitlines()[0] == "FilterDeployment default/add-header deleted"
    assert "waiting for the operator to take away 1 filters" in gone.err


def test_without_an_operator_a_filter_is_not_torn_out(world: World) -> None:
    world.install()
    world.filter("add-header", "weft.dev/filter")
    before = world.left()
    stuck = world.uninstall("--force", seconds=1)
    assert stuck.code == 1
    assert "error: filters do not go: FilterDeployment default/add-header\n" in stuck.err
    assert "hint: does the operator run? kubectl -n weft-system logs deployment/weft-operator\n" in stuck.err
    assert world.left() == before
    world.free("add-header")


def test_filters_that_were_deployed_without_an_operator_count_too(world: World) -> None:
    world.install()
    known = {"name": "a", "id": "a", "target": "istio", "image": "a", "removal": []}
    record = {
        "metadata": {"name": "weft-filter-a", "labels": {"weft.dev/record": "filter"}},
        "data": {"record": json.dumps(known)},
    }
    world.ask("POST", "/api/v1/namespaces/default/configmaps", record)
    refused = world.uninstall()
    assert refused.err.startswith("error: filters are still there: filter default/a\n")
    assert "filter default/a undeployed\n" in world.uninstall("--force").err


def test_what_others_made_stays_theirs(world: World) -> None:
    world.install()
    world.uninstall()
    world.cluster.namespace("shared")
    bindings = f"{RBAC}/namespaces/shared/rolebindings"
    group = "rbac.authorization.k8s.io"
    role = {"apiGroup": group, "kind": "ClusterRole", "name": "theirs"}
    world.ask("POST", bindings, {"metadata": {"name": "weft-namespace"}, "roleRef": role})
    installed = world.install("-n", "shared")
    assert installed.err == "Namespace shared was there before and stays as it is\n"
    gone = world.uninstall("-n", "shared")
    assert gone.code == 0, gone.err
    assert gone.err == "Namespace shared stays: it is not weft's\n"
    assert "Deployment shared/weft-operator deleted" in gone.out.splitlines()
    left = world.ask("GET", bindings)["items"]
    assert [one["metadata"]["name"] for one in left] == ["weft-namespace"]
    world.ask("DELETE", f"{bindings}/weft-namespace")


def test_there_is_one_installation_in_a_cluster(world: World) -> None:
    world.install()
    for word in ("install", "uninstall"):
        refused = world.weft(word, "-n", "other")
        assert (refused.code, refused.out) == (2, "")
        assert refused.err == (
            "error: weft is in namespace weft-system of this cluster, not in other\n\nhint: -n weft-system\n"
        )


def test_a_namespace_in_which_somebody_else_runs_something_is_not_deleted(world: World) -> None:
    world.install()
    labels = {"app": "tenant"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    path = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments"
    world.ask("POST", path, {"metadata": {"name": "tenant"}, "spec": spec})
    gone = world.uninstall()
    assert gone.err == "namespace weft-system stays, because of Deployment weft-system/tenant\n"
    assert world.left() == ["/api/v1/namespaces /weft-system"]
    world.ask("DELETE", f"{path}/tenant")


def test_a_field_that_somebody_else_owns_is_named_and_taken_only_by_force(world: World) -> None:
    world.install()
    path = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/weft-operator"
    world.ask("PATCH", path, {"spec": {"replicas": 3}})
    refused = world.weft("install", "--no-wait")
    assert refused.code == 1
    assert "error: apply Deployment weft-system/weft-operator: .spec.replicas belongs to " in refused.err
    assert "; nothing was changed\n" in refused.err
    assert "hint: let go of it there, or take it with --force-conflicts\n" in refused.err
    world.install("--force-conflicts")
    assert world.ask("GET", path)["spec"]["replicas"] == 1


def test_a_user_without_rights_is_told_which(bare: Cluster, weft: Weft) -> None:
    result = weft("install", "--no-wait", KUBECONFIG=str(bare.user("nobody")))
    assert result.code == 1
    assert 'cannot get resource "clusterrolebindings"' in result.err
    assert "Traceback" not in result.err


class TestOverAnOlderWasme:
    """A cluster in which wasme, or somebody else, has made the definitions before."""

    @pytest.fixture
    def wasme(self, world: World) -> Iterator[World]:
        world.install()
        gone = world.uninstall("--force")
        assert gone.code == 0, gone.err
        yield world
        world.uninstall("--force")
        if self.defined(world):
            world.ask("DELETE", f"{DEFINITIONS}/{WASME}")
            until(lambda: not self.defined(world), "end of the definition")

    @staticmethod
    def defined(world: World) -> bool:
        return WASME in {one["metadata"]["name"] for one in world.ask("GET", DEFINITIONS)["items"]}

    @staticmethod
    def define(world: World, **version: Any) -> None:
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        served = {"name": "v1", "served": True, "storage": True, "schema": schema}
        served |= {"subresources": {"status": {}}} | version
        names = {"kind": "FilterDeployment", "plural": "filterdeployments", "singular": "filterdeployment"}
        spec = {"group": "wasme.io", "scope": "Namespaced", "names": names, "versions": [served]}
        metadata = {"name": WASME}
        held = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": metadata,
            "spec": spec,
        }
        world.ask("POST", f"{DEFINITIONS}?fieldManager=kubectl-create", held)

    def test_a_definition_that_will_do_stays_and_outlives_weft(self, wasme: World) -> None:
        self.define(wasme)
        before = wasme.ask("GET", f"{DEFINITIONS}/{WASME}")["spec"]
        done = wasme.install()
        assert done.err == f"CustomResourceDefinition {WASME} was there before and stays as it is\n"
        held = {"metadata": {"name": "theirs"}, "apiVersion": "wasme.io/v1", "kind": "FilterDeployment"}
        wasme.ask("POST", "/apis/wasme.io/v1/namespaces/default/filterdeployments", held)
        gone = wasme.uninstall()
        assert gone.code == 0, gone.err
        assert f"CustomResourceDefinition {WASME} stays: it is not weft's\n" in gone.err
        assert wasme.ask("GET", f"{DEFINITIONS}/{WASME}")["spec"] == before
        assert len(wasme.ask("GET", "/apis/wasme.io/v1/filterdeployments")["items"]) == 1

    def test_an_object_of_theirs_that_the_operator_holds_is_not_left_stuck(self, wasme: World) -> None:
        self.define(wasme)
        wasme.install()
        metadata = {"name": "held", "finalizers": ["weft.dev/undeploy"]}
        held = {"metadata": metadata, "apiVersion": "wasme.io/v1", "kind": "FilterDeployment"}
        path = "/apis/wasme.io/v1/namespaces/default/filterdeployments"
        wasme.ask("POST", path, held)
        refused = wasme.uninstall()
        assert "filters are still there: FilterDeployment default/held" in refused.err
        wasme.ask("PATCH", f"{path}/held", {"metadata": {"finalizers": None}})

    def test_one_that_will_not_do_is_refused_before_anything_is_changed(self, wasme: World) -> None:
        self.define(wasme, subresources={})
        before = wasme.cluster.everything()
        refused = wasme.weft("install", "--no-wait")
        assert (refused.code, refused.out) == (2, "")
        assert refused.err == (
            f"error: CustomResourceDefinition {WASME} was made by kubectl-create,"
            " and has no status in version v1\n"
            "\nhint: --force-conflicts puts weft's in its place; the objects of that kind stay\n"
        )
        assert wasme.cluster.everything() == before
        wasme.install("--force-conflicts")
        (version,) = wasme.ask("GET", f"{DEFINITIONS}/{WASME}")["spec"]["versions"]
        assert "status" in version["subresources"]

    def test_programs_of_wasme_that_still_run_are_named(self, wasme: World) -> None:
        wasme.cluster.namespace("wasme")
        labels = {"app": "wasme"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        path = "/apis/apps/v1/namespaces/wasme/deployments"
        wasme.ask("POST", path, {"metadata": {"name": "wasme-operator"}, "spec": spec})
        told = wasme.install().err
        assert "Deployment wasme/wasme-operator is there: wasme's operator acts on the same" in told
        assert "take it away with: kubectl delete deployment wasme-operator -n wasme\n" in told
        looked = wasme.weft("doctor")
        assert "wasme's operator acts on the same FilterDeployments" in looked.out + looked.err
        wasme.ask("DELETE", f"{path}/wasme-operator")
        assert "wasme-operator" not in wasme.install().err
