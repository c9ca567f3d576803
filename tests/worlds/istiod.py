"""A real istiod on a real Kubernetes API; what a cluster's nodes would do is played.

Istio's filters that a plain Envoy does not know (metadata exchange, ALPN) and mutual TLS are switched off.
"""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from parts import tool
from worlds.deployments import ISTIO
from worlds.kubernetes import Cluster, free_port
from worlds.waiting import until

KINDS = (
    *ISTIO,
    ("extensions.istio.io", "v1alpha1", "TrafficExtension", "trafficextensions"),
    ("networking.istio.io", "v1", "Gateway", "gateways"),
    ("networking.istio.io", "v1", "ServiceEntry", "serviceentries"),
    ("networking.istio.io", "v1", "VirtualService", "virtualservices"),
    ("security.istio.io", "v1", "PeerAuthentication", "peerauthentications"),
)
_SWITCHED_OFF = {
    "ENABLE_CA_SERVER": "false",
    "ENABLE_LEADER_ELECTION": "false",
    "INJECTION_WEBHOOK_CONFIG_NAME": "",
    "PILOT_CERT_PROVIDER": "none",
    "PILOT_ENABLE_ALPN_FILTER": "false",
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    "VALIDATION_WEBHOOK_CONFIG_NAME": "",
}


_PLAIN = {
    "kind": "PeerAuthentication",
    "metadata": {"name": "plain"},
    "spec": {"mtls": {"mode": "DISABLE"}},
}


@dataclass(frozen=True)
class Istiod:
    """One that answers."""

    cluster: Cluster
    root: str
    """What Istio calls its root namespace."""
    port: int
    """Of discovery, in plain text."""
    debug: int
    log: Path

    def ask(self, path: str) -> str:
        """What its debug interface says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.debug}{path}", timeout=10) as answer:
            return str(answer.read().decode())


@contextmanager
def control_plane(cluster: Cluster, folder: Path) -> Iterator[Istiod]:
    """An istiod for all namespaces of the cluster."""
    for kind in KINDS:
        cluster.knows(*kind)
    root = cluster.namespace(f"istio-root-{uuid4().hex[:8]}")
    custom(cluster, root, "security.istio.io/v1", "peerauthentications", _PLAIN)
    mesh = folder / "mesh.json"
    mesh.write_text(json.dumps({"rootNamespace": root, "enableAutoMtls": False}))
    istiod = Istiod(cluster, root, free_port(), free_port(), folder / "istiod.log")
    words = [
        "discovery",
        f"--kubeconfig={cluster.admin}",
        f"--namespace={root}",
        f"--meshConfig={mesh}",
        f"--grpcAddr=127.0.0.1:{istiod.port}",
        f"--httpAddr=127.0.0.1:{istiod.debug}",
        f"--monitoringAddr=127.0.0.1:{free_port()}",
        "--secureGRPCAddr=",
        "--httpsAddr=",
        "--ctrlz_port=0",
    ]
    env = {"PATH": "/nowhere", "PILOT_DEBOUNCE_AFTER": "20ms", "POD_NAMESPACE": root, **_SWITCHED_OFF}
    with process(istiod.log, folder, program(), *words, **env) as running:

        def ready() -> bool:
            assert running.poll() is None, istiod.log.read_text()
            try:
                istiod.ask("/ready")
            except OSError:
                return False
            return True

        until(ready, "answer of istiod", 120)
        yield istiod


def custom(cluster: Cluster, namespace: str, api: str, plural: str, held: dict[str, Any]) -> None:
    """Make an object of others."""
    path = f"/apis/{api}/namespaces/{namespace}/{plural}"
    cluster.ask("POST", path, {"apiVersion": api, **held})


def program() -> Path:
    """istiod, and the agent beside a proxy."""
    built = tool("istiod", "istiod")
    assert built is not None
    return built


@contextmanager
def process(
    log: Path, folder: Path, program: Path, *words: str | Path, **env: str
) -> Iterator[subprocess.Popen[bytes]]:
    """It runs in ``folder`` while the block does."""
    with log.open("wb") as output:
        started = subprocess.Popen([program, *words], stdout=output, stderr=output, cwd=folder, env=env)
    try:
        yield started
    finally:
        started.kill()
        started.wait()
