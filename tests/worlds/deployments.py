"""A namespace of a real Kubernetes API where filters are deployed, and the people and programs in it.

Nobody is Istio here: what it would read is looked at. Node caches are played, or real processes.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from uuid import uuid4

from conftest import Result, Weft
from modules.sample_images import sample
from modules.tiny import tiny_filter
from weft.clusters import node_report
from weft.mesh.intent.intent import Volume
from weft.oci import Reference
from weft.store import Store
from worlds.kubernetes import Cluster

ISTIO = (
    ("extensions.istio.io", "v1alpha1", "WasmPlugin", "wasmplugins"),
    ("networking.istio.io", "v1alpha3", "EnvoyFilter", "envoyfilters"),
)
VOLUMES = ("sidecar.istio.io/userVolume", "sidecar.istio.io/userVolumeMount")


class World:
    """A namespace with workloads, an image, and the program."""

    def __init__(self, cluster: Cluster, namespace: str, weft: Weft, home: Path, registry: str) -> None:
        self.cluster, self.namespace, self.registry = cluster, namespace, registry
        self._weft, self._home = weft, home
        self.system = cluster.namespace(f"system-{uuid4().hex[:8]}")
        self.istio = cluster.namespace(f"istio-{uuid4().hex[:8]}")
        cluster.istiod("istio/pilot:latest", self.istio)
        self.image = self.publish("one")

    def weft(self, *words: str, stdin: str = "", who: Path | None = None, **more: str) -> Result:
        """The program, as the administrator or as ``who``; ``more`` is in its environment."""
        env = {"KUBECONFIG": str(who or self.cluster.admin), "WEFT_REGISTRY_PLAIN_HTTP": self.registry}
        return self._weft(*words, stdin=stdin, **(env | more))

    def deploy(self, *words: str, id: str = "headers") -> Result:  # noqa: A002
        where = ("-n", self.namespace, "--cache-namespace", self.system, "--istio-namespace", self.istio)
        return self.weft(
            "deploy",
            "istio",
            "--id",
            id,
            "--timeout",
            "20",
            *where,
            *words,
            self.image,
        )

    def undeploy(self, id: str = "headers") -> Result:  # noqa: A002
        where = ("-n", self.namespace, "--cache-namespace", self.system, "--timeout", "20")
        return self.weft("undeploy", "istio", "--id", id, *where)

    def status(self, *words: str) -> Result:
        return self.weft("status", *words, "-n", self.namespace, "--cache-namespace", self.system)

    def publish(self, content: str, *, header: str = "", abi: str = "v0.2.1") -> str:
        """An image whose module differs by ``content``; it always has the same tag."""
        module = tiny_filter(header or f"x-{content}")
        name = f"{self.registry}/{self.namespace}/filter:v1"
        digest = Store(self._home / "store").put(Reference.parse(name), sample(module, abi=abi))
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

    def counts(self, name: str) -> tuple[int, int]:
        """How many pods a Deployment has, and how many of them are new, as its controller says."""
        held = self.ask("GET", f"apps/v1/namespaces/{self.namespace}/deployments/{name}")
        return held["status"].get("replicas", 0), held["status"].get("updatedReplicas", 0)

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
        """Instead of the one of unknown version that is there at first."""
        self.no_istiod()
        self.cluster.istiod(image, self.istio, revision, name)

    def no_istiod(self) -> None:
        with suppress(HTTPError):  # there is none
            self.ask("DELETE", f"apps/v1/namespaces/{self.istio}/deployments/istiod")

    def node_cache(self, node: str, *modules: str, folders: Sequence[str] = ()) -> None:
        """A node whose cache says that it holds ``modules``, and where."""
        name = f"cache-{node}"
        if name not in {one["metadata"]["name"] for one in self._pods()}:
            labels = {"app.kubernetes.io/component": "node-cache"}
            pod = {"metadata": {"name": name, "labels": labels},
                   "spec": {"nodeName": node, "containers": [{"name": "c", "image": "c"}]}}  # fmt: skip
            self.cluster.ask("POST", f"/api/v1/namespaces/{self.system}/pods", pod)
        images = [{"reference": "", "state": "Ready", "module": f"sha256:{one}"} for one in modules]
        report = {"images": images} | ({"folders": list(folders)} if folders else {})
        held = node_report(node, self.system, report)
        path = f"/api/v1/namespaces/{self.system}/configmaps"
        try:
            self.cluster.ask("PATCH", f"{path}/{held['metadata']['name']}", held)
        except HTTPError:
            self.cluster.ask("POST", path, held)

    def cache_process(
        self, folder: Path, *, named: str = Volume().path
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """`weft serve node-cache` for the node called as the folder; ``named`` is what proxies call that."""
        where = ("--directory", str(folder), "--named", named)
        words = ("--cluster", "--port", "0", *where, "--node", folder.name)
        return self.process("node-cache", folder.with_suffix(".log"), *words, "--interval", "0.1")

    @contextmanager
    def process(
        self, service: str, log: Path, *words: str, user: str = ""
    ) -> Iterator[subprocess.Popen[bytes]]:
        """`weft serve …` in this cluster; it ends with the block, in good order unless it was killed."""
        config = self.cluster.user(user) if user else self.cluster.admin
        command = [sys.executable, "-m", "weft", "serve", service, "--kubeconfig", str(config)]
        command += ["--cache-namespace", self.system, *words]
        env = {**os.environ, "WEFT_REGISTRY_PLAIN_HTTP": self.registry, "WEFT_HOME": str(self._home)}
        with log.open("ab") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, env=env)
        try:
            yield process
        finally:
            process.terminate()
            assert process.wait(30) in {0, -15, -9}, log.read_text()

    def _pods(self) -> list[dict[str, Any]]:
        return list(self.cluster.ask("GET", f"/api/v1/namespaces/{self.system}/pods")["items"])
