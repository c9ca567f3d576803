"""`weft deploy istio`, `status` and `undeploy` on a real Kubernetes API, with images of a real registry.

Nobody is Istio here: what it would read is looked at. The node caches are played, too.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from uuid import uuid4

import pytest

from conftest import Result, Weft
from sample_images import sample
from weft.clusters import node_report
from weft.oci import Reference
from weft.store import Store
from worlds.kubernetes import Cluster
from worlds.real_registry import running

pytestmark = pytest.mark.real("kubernetes", "distribution")

ISTIO = (
    ("extensions.istio.io", "v1alpha1", "WasmPlugin", "wasmplugins"),
    ("networking.istio.io", "v1alpha3", "EnvoyFilter", "envoyfilters"),
)
VOLUMES = ("sidecar.istio.io/userVolume", "sidecar.istio.io/userVolumeMount")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running("distribution", tmp_path_factory.mktemp("registry")) as host:
        yield host


class World:
    """A namespace with workloads, an image, and the program."""

    def __init__(self, cluster: Cluster, namespace: str, weft: Weft, home: Path, registry: str) -> None:
        self.cluster, self.namespace, self.registry = cluster, namespace, registry
        self._weft, self._home = weft, home
        self.system = cluster.namespace(f"system-{uuid4().hex[:8]}")
        self.istio = cluster.namespace(f"istio-{uuid4().hex[:8]}")
        self.image = self.publish(b"one")

    def weft(self, *words: str) -> Result:
        env = {"KUBECONFIG": str(self.cluster.admin), "WEFT_REGISTRY_PLAIN_HTTP": self.registry}
        return self._weft(*words, **env)

    def deploy(self, *words: str, id: str = "headers") -> Result:  # noqa: A002
        where = ("-n", self.namespace, "--cache-namespace", self.system, "--istio-namespace", self.istio)
        return self.weft(
            "deploy",
            "istio",
            "--id",
            id,
            "--timeout",
            "20",
            "--skip-config-check",
            *where,
            *words,
            self.image,
        )

    def undeploy(self, id: str = "headers") -> Result:  # noqa: A002
        where = ("-n", self.namespace, "--cache-namespace", self.system, "--timeout", "20")
        return self.weft("undeploy", "istio", "--id", id, *where)

    def status(self, *words: str) -> Result:
        return self.weft("status", *words, "-n", self.namespace, "--cache-namespace", self.system)

    def publish(self, content: bytes) -> str:
        """An image whose module differs by ``content``; it always has the same tag."""
        module = b"\0asm\1\0\0\0" + b"\0" + bytes([len(content) + 1, 0]) + content
        name = f"{self.registry}/{self.namespace}/filter:v1"
        digest = Store(self._home / "store").put(Reference.parse(name), sample(module))
        pushed = self.weft("push", name)
        assert pushed.code == 0, pushed.err
        self.digest, self.sha256 = str(digest), hashlib.sha256(module).hexdigest()
        return name

    def workload(self, name: str, kind: str = "Deployment", **annotations: str) -> None:
        labels = {"app": name}
        template = {
            "metadata": {"labels": labels, "annotations": annotations},
            "spec": {"containers": [{"name": "app", "image": "app"}]},
        }
        spec: dict[str, Any] = {"selector": {"matchLabels": labels}, "template": template}
        if kind == "StatefulSet":
            spec["serviceName"] = name
        self.ask("POST", f"apps/v1/namespaces/{self.namespace}/{kind.lower()}s",
                 {"metadata": {"name": name, "labels": labels}, "spec": spec})  # fmt: skip

    def annotations(self, name: str, kind: str = "deployments") -> dict[str, str]:
        held = self.ask("GET", f"apps/v1/namespaces/{self.namespace}/{kind}/{name}")
        return dict(held["spec"]["template"]["metadata"].get("annotations", {}))

    def names(self, plural: str) -> list[str]:
        group = next(f"{one[0]}/{one[1]}" for one in ISTIO if one[3] == plural)
        items = self.ask("GET", f"{group}/namespaces/{self.namespace}/{plural}")["items"]
        return [one["metadata"]["name"] for one in items]

    def plugin(self, name: str) -> dict[str, Any]:
        return self.ask("GET", f"{self.plugins}/{name}")

    @property
    def plugins(self) -> str:
        return f"extensions.istio.io/v1alpha1/namespaces/{self.namespace}/wasmplugins"

    def configs(self, namespace: str = "") -> list[dict[str, Any]]:
        path = f"/api/v1/namespaces/{namespace or self.namespace}/configmaps"
        items = self.cluster.ask("GET", path)["items"]
        return [one for one in items if one["metadata"]["name"] != "kube-root-ca.crt"]

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        return self.cluster.ask(method, f"/apis/{path}", body)

    def istiod(self, image: str, revision: str = "", name: str = "istiod") -> None:
        labels = {"app": "istiod", "istio.io/rev": revision or "default"}
        template = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "discovery", "image": image}]},
        }
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        self.ask("POST", f"apps/v1/namespaces/{self.istio}/deployments",
                 {"metadata": {"name": name, "labels": labels}, "spec": spec})  # fmt: skip

    def node_cache(self, node: str, *modules: str) -> None:
        """A node whose cache says that it holds ``modules``."""
        name = f"cache-{node}"
        if name not in {one["metadata"]["name"] for one in self._pods()}:
            labels = {"app.kubernetes.io/component": "node-cache"}
            pod = {"metadata": {"name": name, "labels": labels},
                   "spec": {"nodeName": node, "containers": [{"name": "c", "image": "c"}]}}  # fmt: skip
            self.cluster.ask("POST", f"/api/v1/namespaces/{self.system}/pods", pod)
        images = [{"reference": "", "state": "Ready", "module": f"sha256:{one}"} for one in modules]
        held = node_report(node, self.system, {"images": images})
        path = f"/api/v1/namespaces/{self.system}/configmaps"
        try:
            self.cluster.ask("PATCH", f"{path}/{held['metadata']['name']}", held)
        except HTTPError:
            self.cluster.ask("POST", path, held)

    @contextmanager
    def cache_process(self, folder: Path) -> Iterator[None]:
        """`weft serve node-cache` for the node called as the folder."""
        words = ["serve", "node-cache", "--cluster", "--kubeconfig", str(self.cluster.admin), "--port", "0"]
        words += ["--cache-namespace", self.system, "--directory", str(folder), "--node", folder.name]
        env = {**os.environ, "WEFT_REGISTRY_PLAIN_HTTP": self.registry, "WEFT_HOME": str(self._home)}
        command = [sys.executable, "-m", "weft", *words, "--interval", "0.1"]
        with folder.with_suffix(".log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=env)
        try:
            yield
        finally:
            process.terminate()
            assert process.wait(30) in {0, -15}, folder.with_suffix(".log").read_text()

    def _pods(self) -> list[dict[str, Any]]:
        return list(self.cluster.ask("GET", f"/api/v1/namespaces/{self.system}/pods")["items"])


@pytest.fixture
def world(cluster: Cluster, namespace: str, weft: Weft, home: Path, registry: str) -> World:
    for kind in ISTIO:
        cluster.knows(*kind)
    return World(cluster, namespace, weft, home, registry)


class TestWithoutRestarts:
    def test_a_filter_comes_changes_and_goes(self, world: World) -> None:
        world.workload("details")
        world.istiod("docker.io/istio/pilot:1.26.2")

        first = world.deploy("--config", '{"value": 1}')
        assert first.code == 0, first.err
        (name,) = world.names("wasmplugins")
        held = world.ask(
            "GET", f"extensions.istio.io/v1alpha1/namespaces/{world.namespace}/wasmplugins/{name}"
        )
        assert held["spec"]["url"] == f"oci://{world.image.rpartition(':')[0]}@{world.digest}"
        assert held["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "weft"

        version = held["metadata"]["resourceVersion"]
        again = world.deploy("--config", '{"value": 1}')
        assert again.code == 0, again.err
        held = world.ask(
            "GET", f"extensions.istio.io/v1alpha1/namespaces/{world.namespace}/wasmplugins/{name}"
        )
        assert held["metadata"]["resourceVersion"] == version

        shown = world.status()
        assert shown.code == 0, shown.out
        assert shown.out.split()[5:9] == [world.namespace, "headers", "istio/wasmplugin", "Ready"]

        gone = world.undeploy()
        assert gone.code == 0, gone.err
        assert (world.names("wasmplugins"), world.configs()) == ([], [])

    def test_a_moved_tag_is_resolved_anew(self, world: World) -> None:
        world.workload("details")
        assert world.deploy().code == 0
        world.publish(b"two")
        assert world.deploy().code == 0
        (name,) = world.names("wasmplugins")
        held = world.ask(
            "GET", f"extensions.istio.io/v1alpha1/namespaces/{world.namespace}/wasmplugins/{name}"
        )
        assert held["spec"]["url"].endswith(world.digest)

    def test_nothing_matches(self, world: World) -> None:
        world.workload("details")
        done = world.deploy("-l", "app=reviews")
        assert done.code == 2
        assert done.err == (
            f"error: filter headers: spec.workloads: no workload in namespace {world.namespace}"
            " has app=reviews\n\n"
            "hint: there are Deployment/details\n"
        )
        assert world.configs() == []

    def test_a_dry_run_changes_nothing(self, world: World) -> None:
        world.workload("details")
        done = world.deploy("--dry-run")
        assert done.code == 0, done.err
        assert "would be deployed" in done.err
        assert (world.names("wasmplugins"), world.configs()) == ([], [])

    def test_somebody_else_owns_a_field(self, world: World) -> None:
        world.workload("details")
        assert world.deploy("--config", '{"value": 1}').code == 0
        (name,) = world.names("wasmplugins")
        path = f"{world.plugins}/{name}"
        world.ask("PATCH", f"{path}?fieldManager=helm", {"spec": {"pluginConfig": {"value": 3}}})
        done = world.deploy("--config", '{"value": 2}')
        assert done.code == 1
        assert "belongs to helm" in done.err
        assert "--force-conflicts" in done.err
        assert world.ask("GET", path)["spec"]["pluginConfig"] == {"value": 3}
        assert world.deploy("--config", '{"value": 2}', "--force-conflicts").code == 0


class TestWithNodeCaches:
    def test_pods_mount_what_nodes_hold_before_a_proxy_hears_of_it(self, world: World) -> None:
        own = json.dumps([{"name": "own", "emptyDir": {}}])
        world.workload("details", **{VOLUMES[0]: own})
        world.workload("ratings", "StatefulSet")
        sha256 = world.sha256
        world.node_cache("one", sha256)
        world.node_cache("two", sha256)
        with world.cluster.kubelet(world.namespace):
            done = world.deploy("--mode", "envoyfilter")
            assert done.code == 0, done.err
            assert len(world.names("envoyfilters")) == 2
            volumes = json.loads(world.annotations("details")[VOLUMES[0]])
            assert [one["name"] for one in volumes] == ["own", "cache-dir"]
            assert VOLUMES[1] in world.annotations("ratings", "statefulsets")
            assert world.status("headers").code == 0

            gone = world.undeploy()
            assert gone.code == 0, gone.err
        assert world.annotations("details") == {VOLUMES[0]: '[{"name":"own","emptyDir":{}}]'}
        assert world.annotations("ratings", "statefulsets") == {}
        assert world.names("envoyfilters") == []
        assert [one for one in world.configs(world.system) if "weft-module" in one["metadata"]["name"]] == []

    def test_a_node_that_lacks_the_module_stops_everything(self, world: World) -> None:
        world.workload("details")
        world.node_cache("one", world.sha256)
        world.node_cache("two")
        done = world.deploy("--mode", "envoyfilter", "--timeout", "0.2")
        assert done.code == 1
        assert "two: it is not there yet; all that was done is undone" in done.err
        assert (world.names("envoyfilters"), world.annotations("details"), world.configs()) == ([], {}, [])

    def test_there_is_no_node_cache(self, world: World) -> None:
        world.workload("details")
        done = world.deploy("--mode", "envoyfilter")
        assert done.code == 1
        assert f"no node cache runs in namespace {world.system}" in done.err

    def test_pods_that_do_not_get_ready_are_rolled_back(self, world: World) -> None:
        world.cluster.start_controllers()
        world.workload("details")
        world.node_cache("one", world.sha256)
        done = world.deploy("--mode", "envoyfilter", "--timeout", "1")
        assert done.code == 1
        assert "the pods did not get ready within 1 s" in done.err
        assert (world.names("envoyfilters"), world.annotations("details"), world.configs()) == ([], {}, [])

    def test_two_filters_share_a_mount(self, world: World) -> None:
        world.workload("details")
        world.node_cache("one", world.sha256)
        with world.cluster.kubelet(world.namespace):
            for name in ("first", "second"):
                done = world.deploy("--mode", "envoyfilter", id=name)
                assert done.code == 0, done.err
            assert world.undeploy("first").code == 0
            assert VOLUMES[0] in world.annotations("details")
            assert world.undeploy("second").code == 0
            assert world.annotations("details") == {}

    def test_another_mode_leaves_nothing_of_the_first(self, world: World) -> None:
        world.workload("details")
        world.node_cache("one", world.sha256)
        with world.cluster.kubelet(world.namespace):
            assert world.deploy("--mode", "envoyfilter").code == 0
            assert world.deploy("--mode", "wasmplugin").code == 0
        assert (world.names("envoyfilters"), world.annotations("details")) == ([], {})
        assert len(world.names("wasmplugins")) == 1


def test_real_node_caches_bring_the_module_to_every_node(world: World, tmp_path: Path) -> None:
    world.workload("details")
    folders = [tmp_path / "one", tmp_path / "two"]
    with ExitStack() as stack:
        for folder in folders:
            world.node_cache(folder.name)
            stack.enter_context(world.cache_process(folder))
        stack.enter_context(world.cluster.kubelet(world.namespace))
        done = world.deploy("--mode", "envoyfilter")
        assert done.code == 0, done.err
        for folder in folders:
            assert hashlib.sha256((folder / world.sha256).read_bytes()).hexdigest() == world.sha256
        assert world.status("headers").code == 0
        world.publish(b"three")
        assert world.deploy("--mode", "envoyfilter").code == 0
        assert all((folder / world.sha256).exists() for folder in folders)


class TestControlPlanes:
    @pytest.mark.parametrize(
        ("image", "mode"),
        [
            ("docker.io/istio/pilot:1.11.4", "istio/envoyfilter"),
            ("registry.example.com:5000/istio/pilot:1.26.2-distroless", "istio/wasmplugin"),
            ("istio/pilot@sha256:" + "0" * 64, "istio/wasmplugin"),
            ("istio/pilot:latest", "istio/wasmplugin"),
        ],
    )
    def test_its_version_decides(self, world: World, image: str, mode: str) -> None:
        world.workload("details")
        world.istiod(image)
        done = world.deploy("--dry-run", "-o", "json")
        assert done.code == 0, done.err
        assert json.loads(done.out)[0]["target"] == mode

    def test_several_of_different_versions_must_be_told_apart(self, world: World) -> None:
        world.workload("details")
        world.istiod("istio/pilot:1.11.4", name="istiod-old", revision="old")
        world.istiod("istio/pilot:1.26.2", name="istiod-new", revision="new")
        done = world.deploy("--dry-run")
        assert done.code == 2
        assert f"several control planes in {world.istio} (new: 1.26.2, old: 1.11.4)" in done.err
        chosen = world.deploy("--dry-run", "-o", "json", "--istiod-name", "istiod-old")
        assert json.loads(chosen.out)[0]["target"] == "istio/envoyfilter"


def test_what_is_not_there_cannot_be_undeployed(world: World) -> None:
    done = world.undeploy("nothing")
    assert done.code == 4
    assert done.err == (f"error: no filter nothing in namespace {world.namespace}\n\nhint: there is none\n")


def test_two_filters_cannot_have_one_id(world: World) -> None:
    world.workload("details")
    assert world.deploy().code == 0
    document = {
        "apiVersion": "weft.dev/v1alpha1",
        "kind": "FilterDeployment",
        "metadata": {"name": "other", "namespace": world.namespace},
        "spec": {"image": world.image, "id": "headers"},
    }
    done = world._weft(
        "deploy", "istio", "-f", "-", "--cache-namespace", world.system, "--skip-config-check",
        stdin=json.dumps(document), KUBECONFIG=str(world.cluster.admin),
        WEFT_REGISTRY_PLAIN_HTTP=world.registry,
    )  # fmt: skip
    assert done.code == 2
    assert f"its id headers is that of filter {world.namespace}/headers" in done.err
