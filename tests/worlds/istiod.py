"""A real istiod on a real Kubernetes API, and real Envoys as the proxies it tells.

What a cluster's nodes would do is played. The agent of a proxy is a relay of ours with Istio's own code for
wasm modules. In place of the redirection by iptables an EnvoyFilter of ours has a sidecar listen on loopback,
and clients say where they meant to go (PROXY protocol). Istio's filters that a plain Envoy does not know
(metadata exchange, ALPN) and mutual TLS are switched off.
"""

import http.client
import json
import random
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from bare_envoy import envoy_binary
from parts import tool
from worlds.deployments import ISTIO, until
from worlds.kubernetes import Cluster, free_port

ROOT = "istio-system"
KINDS = (
    *ISTIO,
    ("extensions.istio.io", "v1alpha1", "TrafficExtension", "trafficextensions"),
    ("networking.istio.io", "v1", "Gateway", "gateways"),
    ("networking.istio.io", "v1", "ServiceEntry", "serviceentries"),
    ("networking.istio.io", "v1", "VirtualService", "virtualservices"),
    ("security.istio.io", "v1", "PeerAuthentication", "peerauthentications"),
)
GATEWAY = "gateway.networking.k8s.io/gateway-name"
_API = "type.googleapis.com/envoy"
_SWITCHED_OFF = {
    "ENABLE_CA_SERVER": "false",
    "ENABLE_LEADER_ELECTION": "false",
    "INJECTION_WEBHOOK_CONFIG_NAME": "",
    "PILOT_CERT_PROVIDER": "none",
    "PILOT_ENABLE_ALPN_FILTER": "false",
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    "VALIDATION_WEBHOOK_CONFIG_NAME": "",
}


@dataclass(frozen=True)
class Istiod:
    """One that answers."""

    cluster: Cluster
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
    cluster.namespace(ROOT)
    plain = {
        "kind": "PeerAuthentication",
        "metadata": {"name": "plain"},
        "spec": {"mtls": {"mode": "DISABLE"}},
    }
    _custom(cluster, ROOT, "security.istio.io/v1", "peerauthentications", plain)
    port, debug, monitoring = (free_port() for _ in range(3))
    mesh = folder / "mesh.json"
    mesh.write_text(json.dumps({"rootNamespace": ROOT, "enableAutoMtls": False}))
    words = [
        "discovery",
        f"--kubeconfig={cluster.admin}",
        f"--namespace={ROOT}",
        f"--meshConfig={mesh}",
        f"--grpcAddr=127.0.0.1:{port}",
        f"--httpAddr=127.0.0.1:{debug}",
        f"--monitoringAddr=127.0.0.1:{monitoring}",
        "--secureGRPCAddr=",
        "--httpsAddr=",
        "--ctrlz_port=0",
    ]
    env = {"PATH": "/nowhere", "PILOT_DEBOUNCE_AFTER": "20ms", "POD_NAMESPACE": ROOT, **_SWITCHED_OFF}
    istiod = Istiod(cluster, port, debug, folder / "istiod.log")
    with _process(istiod.log, folder, _program(), *words, **env) as process:

        def ready() -> bool:
            assert process.poll() is None, istiod.log.read_text()
            try:
                istiod.ask("/ready")
            except OSError:
                return False
            return True

        until(ready, "answer of istiod", 60)
        yield istiod


@dataclass(frozen=True)
class Proxy:
    """One that istiod tells what to do, in front of an application at ``ip:port``."""

    name: str
    folder: Path
    ip: str
    port: int
    listens: dict[str, int]
    admin: int

    def ask(
        self,
        path: str = "/",
        *,
        to: tuple[str, int] | None = None,
        by: str = "inbound",
        host: str = "test",
        **headers: str,
    ) -> http.client.HTTPResponse:
        """The answer to a client that meant to reach ``to``: the application, where nothing is said."""
        address, port = to or (self.ip, self.port)
        with socket.create_connection(("127.0.0.1", self.listens[by]), timeout=10) as client:
            if by != "gateway":
                client.sendall(f"PROXY TCP4 127.0.0.1 {address} 40000 {port}\r\n".encode())
            fields = {"host": host, "connection": "close"} | headers
            named = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
            client.sendall("\r\n".join([f"GET {path} HTTP/1.1", *named, "", ""]).encode())
            answer = http.client.HTTPResponse(client)
            answer.begin()
            return answer

    def told(self) -> Any:
        """What Envoy took of what it was told."""
        return json.loads(self._admin("/config_dump"))

    def chain(self) -> list[str]:
        """The names of the HTTP filters before the application, in their order."""
        dumps = [one for one in self.told()["configs"] if "dynamic_listeners" in one]
        [inbound] = [one for one in dumps[0]["dynamic_listeners"] if one["name"] == "virtualInbound"]
        for chain in inbound["active_state"]["listener"]["filter_chains"]:
            if chain.get("filter_chain_match", {}).get("destination_port") == self.port:
                for one in chain["filters"]:
                    if "http_filters" in one["typed_config"]:
                        return [held["name"] for held in one["typed_config"]["http_filters"]]
        raise AssertionError("no chain of the application")

    def refused(self) -> str:
        """What it says of the latest listeners that it did not take."""
        return json.dumps(list(found(self.told(), "error_state")))

    def refusals(self) -> str:
        """Of Envoy, as its statistics count them."""
        text = self._admin("/stats?usedonly&filter=(update_rejected|config_fail)")
        return "\n".join(line for line in text.splitlines() if not line.endswith(": 0"))

    def _admin(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=10) as answer:
            return str(answer.read().decode())


@contextmanager
def sidecar(istiod: Istiod, namespace: str, name: str, folder: Path) -> Iterator[Proxy]:
    """The proxy of a pod with the label ``app: name``."""
    ip = _address()
    with _application(ip, name) as port:
        proxy = Proxy(name, folder, ip, port, {"inbound": free_port(), "outbound": free_port()}, free_port())
        istiod.cluster.pod(name, namespace, ip=ip, app=name)
        _service(istiod, namespace, proxy)
        _custom(
            istiod.cluster, namespace, "networking.istio.io/v1alpha3", "envoyfilters", _redirection(proxy)
        )
        with _envoy(istiod, f"sidecar~{ip}~{name}.{namespace}", namespace, proxy):
            yield proxy


@contextmanager
def gateway(istiod: Istiod, namespace: str, name: str, behind: str, folder: Path) -> Iterator[Proxy]:
    """A gateway, the pod with the label ``app: name``, that sends all to the host ``behind``."""
    ip = _address()
    proxy = Proxy(name, folder, ip, 0, {"gateway": free_port()}, free_port())
    istiod.cluster.pod(name, namespace, ip=ip, app=name, **{GATEWAY: name})
    server = {
        "port": {"number": proxy.listens["gateway"], "name": "http", "protocol": "HTTP"},
        "bind": "127.0.0.1",
        "hosts": ["*"],
    }
    _custom(istiod.cluster, namespace, "networking.istio.io/v1", "gateways", {
        "kind": "Gateway", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "servers": [server]},
    })  # fmt: skip
    route = {"route": [{"destination": {"host": behind, "port": {"number": 80}}}]}
    _custom(istiod.cluster, namespace, "networking.istio.io/v1", "virtualservices", {
        "kind": "VirtualService", "metadata": {"name": name},
        "spec": {"hosts": ["*"], "gateways": [name], "http": [route]},
    })  # fmt: skip
    with _envoy(istiod, f"router~{ip}~{name}.{namespace}", namespace, proxy):
        yield proxy


def outside(istiod: Istiod, namespace: str, host: str, proxy: Proxy) -> None:
    """The application behind ``proxy`` as a host outside of the mesh, at port 80."""
    _custom(istiod.cluster, namespace, "networking.istio.io/v1", "serviceentries", {
        "kind": "ServiceEntry",
        "metadata": {"name": host},
        "spec": {
            "hosts": [host],
            "exportTo": ["."],
            "location": "MESH_EXTERNAL",
            "resolution": "STATIC",
            "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
            "endpoints": [{"address": proxy.ip, "ports": {"http": proxy.port}}],
        },
    })  # fmt: skip


def found(document: Any, name: str) -> Iterator[Any]:
    """What stands under ``name``, wherever."""
    parts = (
        document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    )
    if isinstance(document, dict) and name in document:
        yield document[name]
    for part in parts:
        yield from found(part, name)


def _address() -> str:
    """One of loopback that is nobody else's."""
    return f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"  # noqa: S311


def _redirection(proxy: Proxy) -> dict[str, Any]:
    """In place of iptables: the listeners of all traffic of a pod are where a test reaches them."""
    patches = []
    for listener, context, way in (
        ("virtualInbound", "SIDECAR_INBOUND", "inbound"),
        ("virtualOutbound", "SIDECAR_OUTBOUND", "outbound"),
    ):
        match = {"context": context, "listener": {"name": listener}}
        place = {"socket_address": {"address": "127.0.0.1", "port_value": proxy.listens[way]}}
        meant = {"@type": f"{_API}.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"}
        first = {"name": "envoy.filters.listener.proxy_protocol", "typed_config": meant}
        patches += [
            {"applyTo": "LISTENER", "match": match,
             "patch": {"operation": "MERGE", "value": {"address": place}}},
            {"applyTo": "LISTENER_FILTER", "match": match,
             "patch": {"operation": "INSERT_FIRST", "value": first}},
        ]  # fmt: skip
    return {
        "kind": "EnvoyFilter",
        "metadata": {"name": f"redirection-{proxy.name}"},
        "spec": {"workloadSelector": {"labels": {"app": proxy.name}}, "configPatches": patches},
    }


def _service(istiod: Istiod, namespace: str, proxy: Proxy) -> None:
    port = {"name": "http", "port": 80, "targetPort": proxy.port}
    held = {"metadata": {"name": proxy.name}, "spec": {"selector": {"app": proxy.name}, "ports": [port]}}
    istiod.cluster.ask("POST", f"/api/v1/namespaces/{namespace}/services", held)


def _custom(cluster: Cluster, namespace: str, api: str, plural: str, held: dict[str, Any]) -> None:
    path = f"/apis/{api}/namespaces/{namespace}/{plural}"
    cluster.ask("POST", path, {"apiVersion": api, **held})


@contextmanager
def _envoy(istiod: Istiod, node: str, namespace: str, proxy: Proxy) -> Iterator[None]:
    folder = proxy.folder
    (folder / "modules").mkdir(parents=True)
    bootstrap = folder / "bootstrap.json"
    bootstrap.write_text(json.dumps(_bootstrap(node, namespace, proxy)))
    agent = ("agent", f"--discovery=127.0.0.1:{istiod.port}", "--socket=xds", "--modules=modules")
    words = ("-c", bootstrap, "--use-dynamic-base-id", "--concurrency", "1", "-l", "warning")
    with (
        _process(folder / "agent.log", folder, _program(), *agent),
        _process(folder / "envoy.log", folder, envoy_binary(), *words) as process,
    ):

        def listening() -> bool:
            assert process.poll() is None, (folder / "envoy.log").read_text()
            for port in proxy.listens.values():
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                except OSError:
                    return False
            return True

        try:
            until(listening, f"listeners of {proxy.name}")
        except AssertionError as error:
            logs = [folder / "envoy.log", folder / "agent.log", istiod.log]
            raise AssertionError(
                "\n".join([str(error), *(log.read_text()[-4000:] for log in logs)])
            ) from None
        yield


def _bootstrap(node: str, namespace: str, proxy: Proxy) -> dict[str, Any]:
    kind = node.partition("~")[0]
    metadata = {
        "CLUSTER_ID": "Kubernetes",
        "ISTIO_VERSION": "1.31.0",
        "NAMESPACE": namespace,
        "INTERCEPTION_MODE": "REDIRECT",
    }
    protocol = f"{_API}.extensions.upstreams.http.v3.HttpProtocolOptions"
    cluster = {
        "name": "xds-grpc",
        "load_assignment": {
            "cluster_name": "xds-grpc",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": "xds"}}}}]}],
        },
        "typed_extension_protocol_options": {
            protocol.partition("/")[2]: {
                "@type": protocol,
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
    }
    told = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
    return {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": proxy.admin}}},
        "node": {"id": f"{node}~{namespace}.svc.cluster.local", "cluster": kind, "metadata": metadata},
        "dynamic_resources": {
            "lds_config": told,
            "cds_config": told,
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [{"envoy_grpc": {"cluster_name": "xds-grpc"}}],
            },
        },
        "static_resources": {"clusters": [cluster]},
        "bootstrap_extensions": [
            {
                "name": "envoy.bootstrap.internal_listener",
                "typed_config": {
                    "@type": f"{_API}.extensions.bootstrap.internal_listener.v3.InternalListener"
                },
            }
        ],
    }


def _program() -> Path:
    program = tool("istiod", "istiod")
    assert program is not None
    return program


@contextmanager
def _process(
    log: Path, folder: Path, program: Path, *words: str | Path, **env: str
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen([program, *words], stdout=output, stderr=output, cwd=folder, env=env)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def _application(ip: str, name: str) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "0")
            self.send_header("x-from", name)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer((ip, 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
