"""Real Envoys as sidecars of workloads, told by EnvoyFilters: the part of Istio that matters here, in short.

``Sidecar`` is a proxy on a node: it has the filters of the EnvoyFilters that select its pods, as soon as the
pods mount the folder they are in. What Envoy refuses it does not take, and goes on as before.
"""

import json
import os
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worlds.bare_envoy import envoy_binary
from worlds.deployments import VOLUMES, World
from worlds.threads import Handler, answering

_API = "type.googleapis.com/envoy"


@dataclass(frozen=True)
class Sidecar:
    """A proxy that answers on ``port``."""

    port: int
    log: Path

    def header(self, name: str, path: str = "/") -> str | None:
        """What a client gets."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            value: str | None = answer.headers.get(name)
            return value


@contextmanager
def sidecar(world: World, workload: str, node: Path, folder: Path) -> Iterator[Sidecar]:
    """The proxy of a pod of ``workload`` on a node whose modules are in the folder ``node``."""
    folder.mkdir()
    with answering(_Application) as upstream, ThreadPoolExecutor(1) as threads:
        port = _free_port()
        listeners = folder / "listeners.json"
        _write(listeners, _listener(port, upstream, []))
        log, over = folder / "envoy.log", threading.Event()
        (folder / "bootstrap.json").write_text(json.dumps(_bootstrap(listeners, upstream)))
        words = ("--use-dynamic-base-id", "--concurrency", "1", "-l", "warning")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [envoy_binary(), "-c", folder / "bootstrap.json", *words], stdout=output, stderr=output
            )
        agent = threads.submit(_follow, world, workload, node, listeners, (port, upstream), over)
        try:
            _wait(port, process, log)
            yield Sidecar(port, log)
        finally:
            over.set()
            process.kill()
            process.wait()
            agent.result()


def _follow(
    world: World, workload: str, node: Path, listeners: Path, ports: tuple[int, int], over: threading.Event
) -> None:
    told: list[Any] = []
    while not over.wait(0.1):
        filters = _filters(world, workload, node)
        if filters != told:
            told = filters
            _write(listeners, _listener(*ports, filters))


def _filters(world: World, workload: str, node: Path) -> list[Any]:
    """What EnvoyFilters say, with the files where the node has them, if the pods mount them at all."""
    path = f"networking.istio.io/v1alpha3/namespaces/{world.namespace}/envoyfilters"
    mounts = json.loads(world.annotations(workload).get(VOLUMES[1], "[]"))
    found = []
    for held in world.ask("GET", path)["items"]:
        if held["spec"]["workloadSelector"]["labels"] != {"app": workload}:
            continue
        values = [one["patch"]["value"] for one in held["spec"]["configPatches"] if "value" in one["patch"]]
        text = json.dumps(values)
        for mount in mounts:
            text = text.replace(mount["mountPath"], str(node))
        found += json.loads(text)
    return found


def _bootstrap(listeners: Path, upstream: int) -> dict[str, Any]:
    endpoint = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": upstream}}}
    cluster = {
        "name": "app",
        "load_assignment": {
            "cluster_name": "app",
            "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}],
        },
    }
    source = {"path_config_source": {"path": str(listeners)}, "resource_api_version": "V3"}
    return {
        "node": {"id": "sidecar", "cluster": "sidecar"},
        "dynamic_resources": {"lds_config": source},
        "static_resources": {"clusters": [cluster]},
    }


def _listener(port: int, upstream: int, filters: list[Any]) -> dict[str, Any]:
    router = {"@type": f"{_API}.extensions.filters.http.router.v3.Router"}
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "app"}}]
    manager = {
        "@type": f"{_API}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "inbound",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [*filters, {"name": "envoy.filters.http.router", "typed_config": router}],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {
        "resources": [
            {
                "@type": f"{_API}.config.listener.v3.Listener",
                "name": "virtualInbound",
                "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
                "filter_chains": [chain],
            }
        ]
    }


def _write(path: Path, document: object) -> None:
    """Envoy looks when a file is moved there."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(document))
    os.replace(new, path)  # noqa: PTH105 - the very call that Envoy waits for


class _Application(Handler):
    def respond(self) -> None:
        self.answer(body=b"ok")


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the sidecar did not start:\n{log.read_text()}")


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])
