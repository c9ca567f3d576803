"""What an installation says its pods run, run here as their accounts, with their words and rights."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import pytest

from conftest import Weft
from weft.clusters import CACHE_PODS
from weft.installing import Installation, objects
from worlds.deployments import ISTIO, World, until
from worlds.kubernetes import Cluster, api_server

pytestmark = pytest.mark.real("kubernetes", "distribution")

SYSTEM = "weft-system"
PODS = {
    held["metadata"]["name"]: held["spec"]["template"]["spec"]
    for held in objects(Installation())
    if held["kind"] in {"Deployment", "DaemonSet"}
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of this module's own: what is installed is for all of it."""
    with api_server(tmp_path_factory.mktemp("at-work")) as cluster:
        cluster.start_controllers()
        yield cluster


class Installed(World):
    """The namespace of an installation, with one node."""

    def install(self, *words: str) -> None:
        self.system = SYSTEM
        done = self.weft("install", "--no-wait", "--secrets-of", self.namespace, *words)
        assert done.code == 0, done.err

    @contextmanager
    def pod(self, name: str, folder: Path, **instead: str) -> Iterator[int]:
        """A pod's container as a kubelet starts it, but for ports and folders; gives its port for HTTP."""
        (container,) = PODS[name]["containers"]
        port = free_port()
        instead = {"port": str(port), "webhook-port": str(free_port()), **instead}
        account = self.cluster.user(f"system:serviceaccount:{SYSTEM}:{PODS[name]['serviceAccountName']}")
        env = {**os.environ, "WEFT_HOME": str(folder / name), "WEFT_REGISTRY_PLAIN_HTTP": self.registry}
        words = [with_other_values(word, instead) for word in container["args"]]
        log = folder / f"{name}.log"
        with log.open("ab") as output:
            command = [sys.executable, "-m", "weft", *words, f"--kubeconfig={account}"]
            process = subprocess.Popen(command, stdout=output, stderr=output, env=env)
        try:
            until(
                lambda: answers(port, container["readinessProbe"]["httpGet"]["path"]),
                f"answer of {name}",
            )
            yield port
        finally:
            process.terminate()
            ended = process.wait(30)
            print(log.read_text())  # noqa: T201 - shown where a test fails
            assert ended == 0

    def filter(self, **spec: Any) -> dict[str, Any]:
        held = {
            "apiVersion": "weft.dev/v1alpha1",
            "kind": "FilterDeployment",
            "metadata": {"name": "headers"},
            "spec": {
                "image": self.image,
                "target": {"istio": {"namespace": self.istio, "mode": "envoyfilter"}},
                **spec,
            },
        }
        return self.ask("POST", self.filters, held)

    @property
    def filters(self) -> str:
        return f"weft.dev/v1alpha1/namespaces/{self.namespace}/filterdeployments"

    def ready(self) -> dict[str, Any]:
        """The status, once the filter is what was asked for."""

        def found() -> Any:
            status = self.ask("GET", f"{self.filters}/headers").get("status") or {}
            ready = [one for one in status.get("conditions", ()) if one["type"] == "Ready"]
            return status if ready and ready[0]["status"] == "True" else None

        return dict(until(found, "Ready", seconds=60))


def with_other_values(word: str, instead: dict[str, str]) -> str:
    name, equals, value = word.removeprefix("--").partition("=")
    value = value.replace("$(POD_IP)", "127.0.0.1").replace("$(NODE_NAME)", "node-1")
    return f"--{name}={instead.get(name, value)}" if equals else word


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def answers(port: int, path: str) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def kubelet_ends(world: World, pod: str) -> None:
    """A pod on a node goes when its kubelet says so, and a namespace only after it."""
    world.cluster.ask("DELETE", f"/api/v1/namespaces/{SYSTEM}/pods/{pod}", {"gracePeriodSeconds": 0})


@pytest.fixture
def world(cluster: Cluster, weft: Weft, home: Path, registry: str) -> Installed:
    for kind in ISTIO:
        cluster.knows(*kind)
    namespace = cluster.namespace(f"test-{uuid4().hex[:8]}")
    return Installed(cluster, namespace, weft, home, registry)


def test_a_filter_comes_with_a_secret_and_goes_when_weft_is_uninstalled(
    world: Installed, tmp_path: Path
) -> None:
    world.install()
    label, _, value = CACHE_PODS.partition("=")
    world.cluster.pod("cache-1", SYSTEM, node="node-1", **{label: value})
    world.workload("details")
    secret = {"metadata": {"name": "token"}, "stringData": {"value": "world"}}
    world.cluster.ask("POST", f"/api/v1/namespaces/{world.namespace}/secrets", secret)
    modules = tmp_path / "modules"
    with ExitStack() as stack:
        stack.enter_context(world.cluster.kubelet(world.namespace))
        stack.enter_context(world.pod("weft-node-cache", tmp_path, directory=str(modules)))
        metrics = stack.enter_context(world.pod("weft-operator", tmp_path))
        source = {"path": "value", "secretKeyRef": {"name": "token", "key": "value"}}
        world.filter(config={}, configFrom=[source], workloads={"labels": {"app": "details"}})
        assert world.ready()["workloads"][0]["name"] == "details"
        assert (modules / world.sha256).is_file()
        (name,) = world.names("envoyfilters")
        made = world.ask(
            "GET", f"networking.istio.io/v1alpha3/namespaces/{world.namespace}/envoyfilters/{name}"
        )
        assert '\\"value\\":\\"world\\"' in json.dumps(made).replace('\\": \\"', '\\":\\"')
        assert "sidecar.istio.io/userVolume" in world.annotations("details")
        assert answers(metrics, "/metrics")

        assert "forbidden" not in "".join(log.read_text() for log in tmp_path.glob("*.log"))
        kubelet_ends(world, "cache-1")
        gone = world.weft("uninstall", "--force", "--timeout", "60")
        assert gone.code == 0, gone.err
        assert world.names("envoyfilters") == []
        assert world.annotations("details") == {}
        assert world.configs() == []
