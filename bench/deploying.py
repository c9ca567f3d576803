"""`weft deploy istio` for many workloads, the whole command, on one real Kubernetes API.

    .venv/bin/python bench/deploying.py [WORKLOADS [DEPLOYMENTS]]

A namespace has DEPLOYMENTS (1000) Deployments, of which WORKLOADS (200) are meant by one label. Each mode is
deployed, deployed again where nothing is to be done, and taken away; measured are wall time and own CPU of
the process, and the requests that reach the API, as it counts them. Beside them what no command can do
without: the program that only says its version.

Pods are done at once: the Deployments have no replicas, and their status says from the beginning that any
change to come was noticed. Nodes hold the module already: three pods of node caches, and their reports, are
there. So what is left is weft's own time.
"""

import hashlib
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench.reconciling import NAMESPACE, SYSTEM, prepare, publish

from modules.tiny import tiny_filter
from weft.clusters import node_report
from weft.mesh.intent.intent import Volume
from worlds.kubernetes import Cluster, api_server
from worlds.real_registry import running

MODES = ("wasmplugin", "envoyfilter")
NODES = 3
REQUESTS = re.compile(r"apiserver_request_total\{.*\} (\d+)")
OF_THE_BENCH = re.compile(r'resource="(?:wasmplugins|envoyfilters|deployments|configmaps|pods)"')


def main(workloads: int = 200, deployments: int = 1000) -> None:
    """Run all and print a table."""
    with TemporaryDirectory() as name, api_server(Path(name) / "cluster") as cluster:
        folder = Path(name)
        prepare(cluster, deployments)
        choose(cluster, workloads)
        nodes(cluster)
        with running("distribution", folder / "registry") as registry:
            env = {
                **os.environ,
                "WEFT_HOME": str(folder / "home"),
                "WEFT_REGISTRY_PLAIN_HTTP": registry,
                "KUBECONFIG": str(cluster.admin),
            }
            image = publish(folder, registry, env)
            print(f"{workloads} workloads of {deployments} Deployments")
            print(f"{'':34}{'wall s':>8}{'CPU s':>8}{'requests':>10}")
            run(cluster, "weft version", ["version"], env)
            for mode in MODES:
                where = ["-n", NAMESPACE]
                what = ["-l", "many=yes", "--config", "{}", "--id", "many", "--mode", mode, image]
                run(cluster, f"deploy istio, {mode}", ["deploy", "istio", *where, *what], env)
                run(cluster, "  the same again", ["deploy", "istio", *where, *what], env)
                run(cluster, "  undeploy", ["undeploy", "istio", *where, "--id", "many"], env)


def choose(cluster: Cluster, workloads: int) -> None:
    """Label the workloads that are meant; their rollouts are done whatever comes."""
    for number in range(workloads):
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/app-{number}"
        template = {"metadata": {"labels": {"many": "yes"}}}
        cluster.ask("PATCH", path, {**template, "spec": {"template": template}})
        cluster.ask("PATCH", f"{path}/status", {"status": {"observedGeneration": 1_000_000}})


def nodes(cluster: Cluster) -> None:
    """Node caches that hold the module."""
    digest = hashlib.sha256(tiny_filter()).hexdigest()
    for number in range(NODES):
        node = f"node-{number}"
        cluster.node(node)
        component = {"app.kubernetes.io/component": "node-cache"}
        cluster.pod(f"cache-{number}", SYSTEM, node=node, **component)
        images = [{"reference": "", "state": "Ready", "module": f"sha256:{digest}"}]
        report = node_report(node, SYSTEM, {"images": images, "folders": [Volume().path]})
        cluster.ask("POST", f"/api/v1/namespaces/{SYSTEM}/configmaps", report)


def run(cluster: Cluster, title: str, words: list[str], env: dict[str, str]) -> None:
    """One command, timed."""
    before, used, began = requests(cluster), cpu(), time.monotonic()
    done = subprocess.run([sys.executable, "-m", "weft", *words], env=env, capture_output=True, check=False)
    wall, used = time.monotonic() - began, cpu() - used
    if done.returncode:
        raise SystemExit(f"{title}: {done.stderr.decode()}")
    print(f"{title:34}{wall:8.2f}{used:8.2f}{requests(cluster) - before:10}")


def cpu() -> float:
    """Of the children that ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def requests(cluster: Cluster) -> int:
    """How many for the kinds that are deployed, so far."""
    lines = cluster.text("/metrics").splitlines()
    found = (REQUESTS.match(line) for line in lines if OF_THE_BENCH.search(line))
    return sum(int(one[1]) for one in found if one)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
