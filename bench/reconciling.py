"""The operator at scale, against kopf doing the same, on one real Kubernetes API in one run.

    .venv/bin/python bench/reconciling.py [FILTERS [DEPLOYMENTS]]

A namespace has DEPLOYMENTS (1000) Deployments, five with each label, and FILTERS (200) custom resources that
mean five each. Measured for each operator, from the start of its process until every resource says that it is
Ready: wall time, own CPU, peak memory (the process' own; and with its children, pages that are shared counted
once, looked at ten times a second), and the requests that change something, as the API server counts them.
Then, with nothing to do, what it still writes. weft's makes a WasmPlugin and a status of six conditions from
an image it has looked into; kopf's handler (with lightkube, fetched into weft's cache) lists the Deployments,
applies the same WasmPlugin and says Ready.
"""

import compileall
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import weft
from modules.sample_images import sample
from modules.tiny import tiny_filter
from weft.base.paths import Places
from weft.installing import Installation, objects
from weft.oci import Reference
from weft.store import Store
from worlds.kubernetes import Cluster, api_server
from worlds.real_registry import running

KOPF = ("kopf==1.45.0", "lightkube==1.0.1")
NAMESPACE, SYSTEM = "bench", "weft-system"
PLUGINS = ("extensions.istio.io", "v1alpha1", "WasmPlugin", "wasmplugins")
FILTERS = ("weft.dev", "v1alpha1", "FilterDeployment", "filterdeployments")
WRITES = re.compile(r'apiserver_request_total\{.*verb="(?:POST|PUT|PATCH|APPLY|DELETE)".*\} (\d+)')
COUNTED = re.compile(r'resource="(?:filterdeployments|wasmplugins|configmaps)"')

KOPF_OPERATOR = """
import kopf
from lightkube import AsyncClient
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.apps_v1 import Deployment

WasmPlugin = create_namespaced_resource("extensions.istio.io", "v1alpha1", "WasmPlugin", "wasmplugins")
FilterDeployment = create_namespaced_resource(
    "weft.dev", "v1alpha1", "FilterDeployment", "filterdeployments"
)
client = AsyncClient(field_manager="peer")

@kopf.on.startup()
def settings(settings, **_):
    settings.posting.enabled = False
    settings.batching.worker_limit = 16

@kopf.on.resume("weft.dev", "v1alpha1", "filterdeployments")
@kopf.on.create("weft.dev", "v1alpha1", "filterdeployments")
@kopf.on.update("weft.dev", "v1alpha1", "filterdeployments", field="spec")
async def bring(name, namespace, spec, patch, meta, **_):
    labels = spec["workloads"]["labels"]
    found = [one async for one in client.list(Deployment, namespace=namespace, labels=labels)]
    plugin = WasmPlugin(
        metadata={"name": name, "namespace": namespace},
        spec={"selector": {"matchLabels": labels}, "url": spec["image"], "pluginConfig": spec["config"]},
    )
    await client.apply(plugin, force=True)
    patch.status["observedGeneration"] = meta["generation"]
    patch.status["workloads"] = [
        {"kind": "Deployment", "name": one.metadata.name, "state": "Ready"} for one in found
    ]
    ready = {"type": "Ready", "status": "True", "reason": "Deployed", "message": ""}
    patch.status["conditions"] = [{**ready, "lastTransitionTime": "2026-01-01T00:00:00Z"}]
"""


def main(filters: int = 200, deployments: int = 1000) -> None:
    """Run all and print a table."""
    with TemporaryDirectory() as name, api_server(Path(name) / "cluster") as cluster:
        folder = Path(name)
        prepare(cluster, deployments)
        with running("distribution", folder / "registry") as registry:
            env = {
                **os.environ,
                "WEFT_HOME": str(folder / "home"),
                "WEFT_REGISTRY_PLAIN_HTTP": registry,
                "KUBECONFIG": str(cluster.admin),
            }
            image = publish(folder, registry, env)
            weft = [sys.executable, "-m", "weft", "serve", "operator", "--port", "0"]
            kopf = [str(kopf_python().with_name("kopf")), "run", "-n", NAMESPACE, str(folder / "peer.py")]
            (folder / "peer.py").write_text(KOPF_OPERATOR)
            print(f"{filters} FilterDeployments, {deployments} Deployments")
            print(
                f"{'':8}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}{'and all':>9}{'writes':>8}{'idle writes':>13}"
            )
            walls = {}
            for title, command in (("kopf", kopf), ("weft", weft)):
                create(cluster, filters, image)
                walls[title] = measure(cluster, title, command, env, filters, folder / f"{title}.log")
                remove(cluster)
            print(f"weft is {walls['kopf'] / walls['weft']:.2f} times as fast")


def prepare(cluster: Cluster, deployments: int) -> None:
    """Kinds, namespaces and Deployments; and weft's own code compiled, as an installation has it."""
    compileall.compile_dir(Path(weft.__file__).parent, quiet=1)
    cluster.knows(*PLUGINS)
    cluster.knows("networking.istio.io", "v1alpha3", "EnvoyFilter", "envoyfilters")
    for held in objects(Installation()):
        if held["kind"] == "CustomResourceDefinition":
            cluster.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", held)
    cluster.namespace(NAMESPACE)
    cluster.namespace(SYSTEM)
    cluster.istiod("istio/pilot:1.26.2", cluster.namespace("istio-system"))
    for number in range(deployments):
        labels = {"app": f"app-{number}", "group": f"group-{number // 5}"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        held = {"metadata": {"name": f"app-{number}", "labels": labels}, "spec": spec}
        cluster.ask("POST", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments", held)


def publish(folder: Path, registry: str, env: dict[str, str]) -> str:
    """An image that both name."""
    name = f"{registry}/bench/filter:v1"
    Store(folder / "home/store").put(Reference.parse(name), sample(tiny_filter()))
    subprocess.run([sys.executable, "-m", "weft", "push", name], env=env, check=True, capture_output=True)
    return name


def create(cluster: Cluster, filters: int, image: str) -> None:
    """The resources."""
    for number in range(filters):
        held = {
            "apiVersion": "weft.dev/v1alpha1",
            "kind": "FilterDeployment",
            "metadata": {"name": f"filter-{number}"},
            "spec": {
                "image": image,
                "config": {"value": number},
                "workloads": {"labels": {"group": f"group-{number}"}},
            },
        }
        cluster.ask("POST", f"/apis/weft.dev/v1alpha1/namespaces/{NAMESPACE}/filterdeployments", held)


def measure(
    cluster: Cluster, title: str, command: list[str], env: dict[str, str], filters: int, log: Path
) -> float:
    """One operator's work; gives its wall time."""
    before, began = writes(cluster), time.monotonic()
    with log.open("wb") as output, started(command, env, output) as process:
        end, whole = began + 300, 0.0
        while ready(cluster) < filters:
            whole = max(whole, family(process.pid))
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{title} did not finish:\n{log.read_text()[-3000:]}")
            time.sleep(0.1)
        wall = time.monotonic() - began
        status = Path(f"/proc/{process.pid}/status").read_text()
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        time.sleep(1)
        made = writes(cluster)
        time.sleep(5)
        idle = writes(cluster) - made
    peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]
    print(f"{title:8}{wall:8.2f}{cpu:8.2f}{peak:9.0f}{whole:9.0f}{made - before:8}{idle:13}")
    return wall


def family(process: int) -> float:
    """The MB of a process and those it started."""
    root = Path(f"/proc/{process}")
    try:
        children = (root / f"task/{process}/children").read_text().split()
        shares = re.findall(r"^Pss:\s+(\d+) kB", (root / "smaps_rollup").read_text(), re.MULTILINE)
    except OSError:  # it has ended
        return 0.0
    return sum(map(int, shares)) / 1024 + sum(family(int(child)) for child in children)


@contextmanager
def started(command: list[str], env: dict[str, str], output: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block."""
    process = subprocess.Popen(command, env=env, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def ready(cluster: Cluster) -> int:
    """How many resources say that they are."""
    held = cluster.ask("GET", f"/apis/weft.dev/v1alpha1/namespaces/{NAMESPACE}/filterdeployments")["items"]
    conditions = (one for item in held for one in item.get("status", {}).get("conditions", ()))
    return sum(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def writes(cluster: Cluster) -> int:
    """Requests that changed something, of kinds that are ours to change: no leases, no bookkeeping."""
    lines = cluster.text("/metrics").splitlines()
    found = (WRITES.match(line) for line in lines if COUNTED.search(line))
    return sum(int(one[1]) for one in found if one)


def remove(cluster: Cluster) -> None:
    """All resources and plugins, whatever holds them."""
    for group, version, _, plural in (FILTERS, PLUGINS):
        root = f"/apis/{group}/{version}/namespaces/{NAMESPACE}/{plural}"
        for held in cluster.ask("GET", root)["items"]:
            path = f"{root}/{held['metadata']['name']}"
            if held["metadata"].get("finalizers"):
                cluster.ask("PATCH", path, {"metadata": {"finalizers": None}})
            cluster.ask("DELETE", path)


def kopf_python() -> Path:
    """An interpreter with kopf, made once."""
    home = Places.from_env(os.environ).cache / "bench" / KOPF[0].replace("==", "-")
    python = home / "bin/python"
    if not (home / "bin/kopf").exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *KOPF], check=True)
    return python


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
