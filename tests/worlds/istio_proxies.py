"""Real Envoys as the proxies that a real istiod tells: sidecars before applications, and gateways.

The agent of a proxy is a relay of ours with Istio's own code for wasm modules. In place of the redirection
by iptables an EnvoyFilter of ours has a sidecar listen on loopback, and clients say where they meant to go
(PROXY protocol).
"""

import http.client
import json
import random
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worlds.bare_envoy import envoy_binary
from worlds.istiod import Istiod, custom, process, program
from worlds.kubernetes import free_port
from worlds.threads import Handler, answering
from worlds.waiting import until

GATEWAY = "gateway.networking.k8s.io/gateway-name"
_API = "type.googleapis.com/envoy"


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
    with answering(_application(name), ip=ip) as port:
        proxy = Proxy(name, folder, ip, port, {"inbound": free_port(), "outbound": free_port()}, free_port())
        istiod.cluster.pod(name, namespace, ip=ip, app=name)
        _service(istiod, namespace, proxy)
        custom(istiod.cluster, namespace, "networking.istio.io/v1alpha3", "envoyfilters", _redirection(proxy))
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
    custom(istiod.cluster, namespace, "networking.istio.io/v1", "gateways", {
        "kind": "Gateway", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "servers": [server]},
    })  # fmt: skip
    route = {"route": [{"destination": {"host": behind, "port": {"number": 80}}}]}
    custom(istiod.cluster, namespace, "networking.istio.io/v1", "virtualservices", {
        "kind": "VirtualService", "metadata": {"name": name},
        "spec": {"hosts": ["*"], "gateways": [name], "http": [route]},
    })  # fmt: skip
    with _envoy(istiod, f"router~{ip}~{name}.{namespace}", namespace, proxy):
        yield proxy


def outside(istiod: Istiod, namespace: str, host: str, proxy: Proxy) -> None:
    """The application behind ``proxy`` as a host outside of the mesh, at port 80."""
    custom(istiod.cluster, namespace, "networking.istio.io/v1", "serviceentries", {
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


@contextmanager
def _envoy(istiod: Istiod, node: str, namespace: str, proxy: Proxy) -> Iterator[None]:
    folder = proxy.folder
    (folder / "modules").mkdir(parents=True)
    bootstrap = folder / "bootstrap.json"
    bootstrap.write_text(json.dumps(_bootstrap(node, namespace, proxy)))
    agent = ("agent", f"--discovery=127.0.0.1:{istiod.port}", "--socket=xds", "--modules=modules")
    words = ("-c", bootstrap, "--use-dynamic-base-id", "--concurrency", "1", "-l", "warning")
    with (
        process(folder / "agent.log", folder, program(), *agent),
        process(folder / "envoy.log", folder, envoy_binary(), *words) as running,
    ):

        def listening() -> bool:
            assert running.poll() is None, (folder / "envoy.log").read_text()
            for port in proxy.listens.values():
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                except OSError:
                    return False
            return True

        try:
            until(listening, f"listeners of {proxy.name}", 120)
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


def _application(name: str) -> type[Handler]:
    class Application(Handler):
        def respond(self) -> None:
            self.answer(x_from=name)

    return Application
