"""A real Kubernetes API: etcd and kube-apiserver as processes of ours, on ports of their own.

``api_server`` gives it with an administrator's kubeconfig; ``user`` makes kubeconfigs of people with no
rights at all, ``grant`` gives them some. The API server can be killed and started again. There are no
kubelets: ``node`` and ``pod`` make what they would, ``run_pods`` plays them for the pods of Deployments.
``ask`` is one request of the administrator's, without any of weft's code.
"""

import json
import random
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

from parts import tool
from worlds.certificates import certificates, issue, openssl

_START_SECONDS = 60.0
_READY = {"type": "Ready", "status": "True"}


@dataclass
class Cluster:
    """A cluster that answers."""

    folder: Path
    port: int
    etcd: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def admin(self) -> Path:
        """The kubeconfig of somebody who may do everything."""
        return self.user("admin", "system:masters")

    def user(self, name: str, group: str = "") -> Path:
        """The kubeconfig of ``name``, who may do what was granted, which is nothing at first."""
        path = self.folder / f"{name}.kubeconfig"
        if not path.exists():
            subject = f"/O={group}/CN={name}" if group else f"/CN={name}"
            authority = certificates().authority
            usage = "extendedKeyUsage=clientAuth"
            certificate, key = issue(authority.parent, f"user-{self.port}-{name}", usage, subject)
            path.write_text(json.dumps(_kubeconfig(self.url, authority, certificate, key)))
        return path

    def kill(self) -> None:
        """The API server is gone, as after a crash."""
        process = self.processes.pop("apiserver")
        process.kill()
        process.wait()

    def start(self) -> None:
        """The API server answers."""
        self._run("apiserver", tool("kubernetes", "kube"), "apiserver", *_flags(self))
        self._wait("/readyz")

    def start_controllers(self) -> None:
        """Deployments get their ReplicaSets and pods; nobody runs them. Once is enough."""
        if "controllers" in self.processes:
            return
        self._run(
            "controllers",
            tool("kubernetes", "kube"),
            "controller-manager",
            f"--kubeconfig={self.admin}",
            "--leader-elect=false",
            "--secure-port=0",
            "--use-service-account-credentials=false",
            "--controllers=deployment,replicaset,statefulset,daemonset,garbagecollector,namespace",
        )

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The answer to one request; a refusal is a ``urllib.error.HTTPError``."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        request = urllib.request.Request(  # noqa: S310 - https
            f"{self.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": kind},
        )
        with urllib.request.urlopen(request, context=self._admin_context, timeout=30) as answer:  # noqa: S310
            return dict(json.load(answer))

    def text(self, path: str) -> str:
        """What stands at ``path``, as text."""
        with urllib.request.urlopen(f"{self.url}{path}", context=self._admin_context, timeout=30) as answer:  # noqa: S310
            return str(answer.read().decode())

    def everything(self) -> set[str]:
        """Every object of every kind that the API lists, but what Kubernetes itself writes all the time."""
        groups = self.ask("GET", "/apis")["groups"]
        roots = ["/api/v1", *(f"/apis/{one['preferredVersion']['groupVersion']}" for one in groups)]
        kinds = [(root, one) for root in roots for one in self.ask("GET", root)["resources"]]
        return {
            f"{root}/{kind['name']} {held['metadata'].get('namespace', '')}/{held['metadata']['name']}"
            for root, kind in kinds
            if "list" in kind["verbs"] and "/" not in kind["name"] and kind["name"] != "events"
            for held in self.ask("GET", f"{root}/{kind['name']}")["items"]
        }

    def namespace(self, name: str, **labels: str) -> str:
        """A new namespace."""
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        return name

    def istiod(self, image: str, namespace: str, revision: str = "", name: str = "istiod") -> None:
        """The Deployment by which weft knows that Istio is there; nobody runs it."""
        labels = {"app": "istiod", "istio.io/rev": revision or "default"}
        template = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "discovery", "image": image}]},
        }
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        held = {"metadata": {"name": name, "labels": labels}, "spec": spec}
        self.ask("POST", f"/apis/apps/v1/namespaces/{namespace}/deployments", held)

    def grant(self, user: str, *rules: dict[str, list[str]], namespace: str = "") -> None:
        """Let ``user`` do what ``rules`` say (as of RBAC), in one namespace or everywhere."""
        kind = "Role" if namespace else "ClusterRole"
        root = "/apis/rbac.authorization.k8s.io/v1" + (f"/namespaces/{namespace}" if namespace else "")
        group = "rbac.authorization.k8s.io"
        metadata = {"generateName": f"{user}-"}
        role = self.ask("POST", f"{root}/{kind.lower()}s", {"metadata": metadata, "rules": rules})
        binding = {
            "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": kind, "name": role["metadata"]["name"]},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
        }
        self.ask("POST", f"{root}/{kind.lower()}bindings", binding)

    def node(self, name: str, **labels: str) -> dict[str, Any]:
        """A node that is Ready; nothing runs on it."""
        self.ask("POST", "/api/v1/nodes", {"metadata": {"name": name, "labels": labels}})
        return self.ask("PATCH", f"/api/v1/nodes/{name}/status", {"status": {"conditions": [_READY]}})

    def pod(
        self, name: str, namespace: str, *, node: str = "", ip: str = "10.0.0.1", **labels: str
    ) -> dict[str, Any]:
        """A pod that is Running and Ready, as a kubelet would say."""
        pod = {
            "metadata": {"name": name, "labels": labels},
            "spec": {"containers": [{"name": "app", "image": "app"}], "nodeName": node},
        }
        self.ask("POST", f"/api/v1/namespaces/{namespace}/pods", pod)
        return self._run_pod(name, namespace, ip)

    def run_pods(self, namespace: str) -> int:
        """Make every pod of ``namespace`` Running and Ready; gives how many there are."""
        pods = self.ask("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
        for number, pod in enumerate(pods, 1):
            if _READY["type"] not in {one["type"] for one in pod["status"].get("conditions", ())}:
                try:
                    self._run_pod(pod["metadata"]["name"], namespace, f"10.0.0.{number % 250 + 1}")
                except HTTPError as error:
                    if error.code != HTTPStatus.NOT_FOUND:  # it went meanwhile
                        raise
        return len(pods)

    def compact(self, version: int) -> None:
        """What happened before ``version`` can no longer be asked for."""
        body = json.dumps({"revision": version, "physical": True}).encode()
        with urllib.request.urlopen(f"{self.etcd}/v3/kv/compaction", data=body, timeout=30):  # noqa: S310
            pass

    def log(self, name: str = "apiserver") -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    @contextmanager
    def kubelet(self, namespace: str) -> Iterator[None]:
        """Every pod of ``namespace`` runs, as soon as it is there, while the block runs."""
        self.start_controllers()
        over = threading.Event()

        def run() -> None:
            while not over.wait(0.1):
                self.run_pods(namespace)

        with ThreadPoolExecutor(1) as threads:
            running = threads.submit(run)
            try:
                yield
            finally:
                over.set()
                running.result()

    def knows(
        self, group: str, version: str, kind: str, plural: str, schema: dict[str, Any] | None = None
    ) -> None:
        """Have a kind of others, whose objects hold what ``schema`` says, or anything. Once is enough."""
        name = f"{plural}.{group}"
        anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        served = {
            "name": version,
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": schema or anything},
        }
        held = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": name, "annotations": {"api-approved.kubernetes.io": "unapproved, a test"}},
            "spec": {
                "group": group,
                "scope": "Namespaced",
                "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
                "versions": [{**served, "subresources": {"status": {}}}],
            },
        }
        root = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        if name in {one["metadata"]["name"] for one in self.ask("GET", root)["items"]}:
            return
        self.ask("POST", root, held)
        end = time.monotonic() + _START_SECONDS
        while plural not in {one["name"] for one in self._served(group, version)}:
            assert time.monotonic() < end, f"{kind} is not served"
            time.sleep(0.05)

    def _served(self, group: str, version: str) -> list[dict[str, Any]]:
        try:
            return list(self.ask("GET", f"/apis/{group}/{version}")["resources"])
        except HTTPError:
            return []

    @cached_property
    def _admin_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(certificates().authority))
        user = json.loads(self.admin.read_text())["users"][0]["user"]
        context.load_cert_chain(user["client-certificate"], user["client-key"])
        return context

    def _run_pod(self, name: str, namespace: str, ip: str) -> dict[str, Any]:
        status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [_READY]}
        return self.ask("PATCH", f"/api/v1/namespaces/{namespace}/pods/{name}/status", {"status": status})

    def _run(self, name: str, program: Path | None, *words: str) -> None:
        assert program is not None
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [program, *words], stdout=log, stderr=log, cwd=self.folder, env={"PATH": "/nowhere"}
            )

    def _wait(self, path: str) -> None:
        context = ssl.create_default_context(cafile=str(certificates().authority))
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self.processes["apiserver"].poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}{path}", context=context, timeout=5) as answer:  # noqa: S310
                    if answer.status == 200:
                        return
            except (URLError, OSError):
                time.sleep(0.05)
        raise AssertionError(f"the API server did not start:\n{self.log()}")


@contextmanager
def api_server(folder: Path) -> Iterator[Cluster]:
    """A cluster with nothing in it; it is gone when the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    etcd, peer, port = (free_port() for _ in range(3))
    cluster = Cluster(folder, port, f"http://127.0.0.1:{etcd}")
    peers = f"http://127.0.0.1:{peer}"
    try:
        cluster._run(
            "etcd",
            tool("etcd", "etcd"),
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls={cluster.etcd}",
            f"--advertise-client-urls={cluster.etcd}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--log-level=error",
        )
        openssl("genrsa", "-out", folder / "accounts.key", "2048")
        cluster.start()
        yield cluster
    finally:
        for process in cluster.processes.values():
            process.kill()
            process.wait()


def _flags(cluster: Cluster) -> list[str]:
    held = certificates()
    key = cluster.folder / "accounts.key"
    return [
        f"--etcd-servers={cluster.etcd}",
        "--bind-address=127.0.0.1",
        f"--secure-port={cluster.port}",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        f"--tls-cert-file={held.server}",
        f"--tls-private-key-file={held.server_key}",
        f"--client-ca-file={held.authority}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=RBAC",
        "--allow-privileged",
        "--disable-admission-plugins=ServiceAccount",
        f"--cert-dir={cluster.folder / 'certificates'}",
    ]


def _kubeconfig(url: str, authority: Path, certificate: Path, key: Path) -> dict[str, object]:
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": str(authority)}}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "me"}}],
    }


def free_port() -> int:
    """One that the system gives to nobody by itself: a server that was killed comes back to it."""
    while True:
        port = random.randrange(15000, 32000)  # noqa: S311 - no secret
        with socket.socket() as held, suppress(OSError):
            held.bind(("127.0.0.1", port))
            return port
