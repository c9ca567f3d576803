"""What an installation says its pods run, run here as their accounts, with their words and rights."""

import base64
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import uuid4

import pytest

from conftest import Result, Weft
from weft.clusters import CACHE_PODS
from weft.installing import Installation, granting, objects
from weft.mesh.intent.intent import Volume
from worlds.deployments import ISTIO, World
from worlds.kubernetes import Cluster, api_server
from worlds.real_registry import HTPASSWD, running
from worlds.waiting import until

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
        done = self.weft("install", "--no-wait", *words)
        assert done.code == 0, done.err
        label, _, value = CACHE_PODS.partition("=")
        with suppress(HTTPError):  # it is there already
            self.cluster.pod("cache-1", SYSTEM, node="node-1", **{label: value})

    def uninstall(self) -> None:
        # A pod on a node goes when its kubelet says so, and a namespace only after it.
        self.cluster.ask("DELETE", f"/api/v1/namespaces/{SYSTEM}/pods/cache-1", {"gracePeriodSeconds": 0})
        gone = self.weft("uninstall", "--force", "--timeout", "60")
        assert gone.code == 0, gone.err

    def secret(self, name: str, kind: str = "Opaque", **data: str) -> None:
        """One with these keys, ``_`` for ``.``, in place of the one that was there."""
        path = f"/api/v1/namespaces/{self.namespace}/secrets"
        with suppress(HTTPError):
            self.cluster.ask("DELETE", f"{path}/{name}")
        held = {key.replace("_", "."): text for key, text in data.items()}
        self.cluster.ask("POST", path, {"metadata": {"name": name}, "type": kind, "stringData": held})

    @contextmanager
    def pod(self, name: str, folder: Path, **instead: str) -> Iterator[int]:
        """A pod's container as a kubelet starts it, but for ports and folders; gives its port for HTTP."""
        (container,) = PODS[name]["containers"]
        port = free_port()
        instead = {"port": str(port), "webhook-port": str(free_port()), **instead}
        account = self.cluster.user(f"system:serviceaccount:{SYSTEM}:{PODS[name]['serviceAccountName']}")
        env = {**os.environ, "WEFT_HOME": str(folder / name), "WEFT_REGISTRY_PLAIN_HTTP": self.registry}
        words = [with_other_values(word, instead) for word in container["args"]]
        words += ["--named", Volume().path] if "directory" in instead else []
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

    def ready(self, generation: int = 1) -> dict[str, Any]:
        """The status, once the filter is what was asked for."""

        def found() -> Any:
            status = self.ask("GET", f"{self.filters}/headers").get("status") or {}
            now = status.get("observedGeneration") == generation
            return status if now and self.condition().get("status") == "True" else None

        return dict(until(found, "Ready", seconds=60))

    def condition(self, kind: str = "Ready") -> dict[str, Any]:
        held = self.ask("GET", f"{self.filters}/headers").get("status", {}).get("conditions", ())
        return next((one for one in held if one["type"] == kind), {})

    def credentials(self) -> dict[str, Any]:
        """What node caches show to registries, by key."""
        held = self.cluster.ask("GET", f"/api/v1/namespaces/{SYSTEM}/secrets/weft-registries")
        data = held.get("data") or {}
        return {key: json.loads(base64.b64decode(text)) for key, text in data.items()}


class Private(Installed):
    """The same with a registry that wants a password."""

    user = "me"

    def weft(self, *words: str, stdin: str = "", who: Path | None = None, **more: str) -> Result:
        more |= {"WEFT_REGISTRY_HOST": self.registry, "WEFT_REGISTRY_USERNAME": self.user}
        return super().weft(*words, stdin=stdin, who=who, **more, WEFT_REGISTRY_PASSWORD="secret")

    def rename(self, folder: Path, user: str) -> None:
        """From now on the registry knows ``user``, and nobody else."""
        self.user = user
        (folder / "htpasswd").write_text(HTPASSWD.replace("me:", f"{user}:"))


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


@pytest.fixture
def world(cluster: Cluster, weft: Weft, home: Path, registry: str) -> Installed:
    for kind in ISTIO:
        cluster.knows(*kind)
    namespace = cluster.namespace(f"test-{uuid4().hex[:8]}")
    return Installed(cluster, namespace, weft, home, registry)


def test_a_filter_comes_with_a_secret_and_goes_when_weft_is_uninstalled(
    world: Installed, tmp_path: Path
) -> None:
    world.install("--secrets-of", world.namespace)
    world.workload("details")
    world.secret("token", value="world")
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
        world.uninstall()
        assert world.names("envoyfilters") == []
        assert world.annotations("details") == {}
        assert world.configs() == []


@pytest.fixture
def private(cluster: Cluster, weft: Weft, home: Path, tmp_path: Path) -> Iterator[Private]:
    for kind in ISTIO:
        cluster.knows(*kind)
    namespace = cluster.namespace(f"test-{uuid4().hex[:8]}")
    with running("distribution", tmp_path / "registry", auth="basic") as host:
        yield Private(cluster, namespace, weft, home, host)


def pull_config(host: str, user: str) -> str:
    auth = base64.b64encode(f"{user}:secret".encode()).decode()
    return json.dumps({"auths": {host: {"auth": auth}}})


def test_nodes_get_a_private_image_by_the_filter_s_secret_once_that_is_granted(
    private: Private, tmp_path: Path
) -> None:
    private.install()
    private.workload("details")
    kind = "kubernetes.io/dockerconfigjson"
    private.secret("regcred", kind, _dockerconfigjson=pull_config(private.registry, "me"))
    modules = tmp_path / "modules"
    with ExitStack() as stack:
        stack.enter_context(private.cluster.kubelet(private.namespace))
        stack.enter_context(private.pod("weft-node-cache", tmp_path, directory=str(modules)))
        stack.enter_context(private.pod("weft-operator", tmp_path))
        private.filter(pullSecret="regcred", workloads={"labels": {"app": "details"}})
        command = granting(private.namespace, SYSTEM)
        until(lambda: command in private.condition().get("message", ""), "word of the missing right")
        assert private.condition("Resolved")["status"] == "False"
        assert 'cannot get resource "secrets"' in private.condition()["message"]

        granted = private.weft("install", "--no-wait", "--secrets-of", private.namespace)
        assert granted.code == 0, granted.err
        private.ready()
        assert (modules / private.sha256).is_file()
        ((key, held),) = private.credentials().items()
        assert key == f"weft-module-headers.{private.namespace}-{private.sha256[:12]}.json"
        assert list(held["auths"]) == [f"{private.registry}/{private.namespace}/filter"]

        private.rename(tmp_path / "registry", "you")
        private.secret("regcred", username="you", password="secret")
        name = private.publish("two").removesuffix(":v1")
        spec = {"spec": {"image": f"{name}@{private.digest}"}}
        private.ask("PATCH", f"{private.filters}/headers", spec)
        private.ready(generation=2)
        assert (modules / private.sha256).is_file()

        private.ask("DELETE", f"{private.filters}/headers")
        until(lambda: not private.ask("GET", private.filters)["items"], "end of the filter")
        assert private.credentials() == {}
        private.uninstall()


def test_a_person_gives_nodes_the_credential_of_a_pull_secret_only_when_told_to(
    private: Private, tmp_path: Path
) -> None:
    private.install()
    private.workload("details")
    private.secret("regcred", username="me", password="secret")
    spec = {
        "image": private.image,
        "pullSecret": "regcred",
        "target": {"istio": {"namespace": private.istio, "mode": "envoyfilter"}},
    }
    held = {
        "apiVersion": "weft.dev/v1alpha1",
        "kind": "FilterDeployment",
        "metadata": {"name": "by-hand", "namespace": private.namespace},
        "spec": spec,
    }
    (tmp_path / "filter.yaml").write_text(json.dumps(held))
    words = ("deploy", "istio", "-f", str(tmp_path / "filter.yaml"), "--timeout")
    with ExitStack() as stack:
        stack.enter_context(private.cluster.kubelet(private.namespace))
        stack.enter_context(private.pod("weft-node-cache", tmp_path, directory=str(tmp_path / "modules")))
        refused = private.weft(*words, "1")
        assert refused.code == 1
        assert (
            f"node caches do not get what the Secret {private.namespace}/regcred holds;"
            " --share-pull-secret gives it to them"
        ) in refused.err
        assert private.credentials() == {}
        done = private.weft(*words, "60", "--share-pull-secret")
        assert done.code == 0, done.err
        assert (tmp_path / "modules" / private.sha256).is_file()
        gone = private.weft("undeploy", "by-hand", "-n", private.namespace)
        assert gone.code == 0, gone.err
        assert private.credentials() == {}
        private.uninstall()


def test_the_doctor_says_which_right_the_operator_lost(world: Installed) -> None:
    world.install()

    def lost() -> list[str]:
        words = ("doctor", "-o", "json", "-n", world.namespace)
        said = json.loads(world.weft(*words).out)
        return [one["message"] for one in said if one["message"].startswith("may not ")]

    assert lost() == []
    role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/weft-operator"
    rules = [one for one in world.cluster.ask("GET", role)["rules"] if "daemonsets" not in one["resources"]]
    world.cluster.ask("PATCH", role, {"rules": rules})
    assert lost()[:2] == ["may not get deployments.apps", "may not list deployments.apps"]
    world.install("--force-conflicts")
    assert lost() == []
    world.uninstall()
