"""The scenario of the seeds end to end: bookinfo, an operator, three node caches, Envoys as sidecars."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from weft.mesh import KINDS
from worlds.deployments import VOLUMES, World
from worlds.sidecars import sidecar
from worlds.waiting import until

pytestmark = pytest.mark.real("kubernetes", "distribution", "envoy")

WASME = KINDS[1]
CONFIG = "type.googleapis.com/google.protobuf.StringValue"


def filter_deployment(image: str, value: str) -> dict[str, object]:
    """As the documents of wasme print it."""
    return {
        "apiVersion": WASME.api_version,
        "kind": WASME.name,
        "metadata": {"name": "myfilter"},
        "spec": {
            "deployment": {"istio": {"kind": "Deployment"}},
            "filter": {"image": image, "config": {"@type": CONFIG, "value": value}},
        },
    }


def test_a_header_comes_changes_and_goes(world: World, tmp_path: Path) -> None:
    for kind in KINDS:
        world.cluster.knows(kind.group, kind.version, kind.name, kind.plural)
    resources = f"{WASME.api_version}/namespaces/{world.namespace}/{WASME.plural}"
    nodes = [tmp_path / name for name in ("one", "two", "three")]
    with ExitStack() as stack:
        for node in nodes:
            world.node_cache(node.name)
            stack.enter_context(world.cache_process(node))
        operator = ("--port", "0", "--again", "1")
        stack.enter_context(world.process("operator", tmp_path / "operator.log", *operator))
        stack.enter_context(world.cluster.kubelet(world.namespace))
        for workload in ("details", "productpage"):
            world.workload(workload)
        details = stack.enter_context(sidecar(world, "details", nodes[0], tmp_path / "details"))
        page = stack.enter_context(sidecar(world, "productpage", nodes[2], tmp_path / "productpage"))
        assert details.header("hello", "/details/123") is None

        world.ask("POST", resources, filter_deployment(world.publish("hello", header="hello"), "init-jitter"))
        until(lambda: details.header("hello", "/details/123") == "init-jitter", "header")
        until(lambda: page.header("hello", "/productpage") == "init-jitter", "header of productpage")
        assert VOLUMES[0] in world.annotations("details")

        change = {"spec": filter_deployment(world.image, "world")["spec"]}
        world.ask("PATCH", f"{resources}/myfilter", change)
        until(lambda: details.header("hello", "/details/123") == "world", "new header")
        until(
            lambda: world.ask("GET", f"{resources}/myfilter")["status"]["observedGeneration"] == 2, "status"
        )

        world.publish("goodbye", header="goodbye")  # the tag moves, and nobody tells the caches
        until(lambda: details.header("goodbye", "/details/123") == "world", "header of the new module")
        assert details.header("hello") is None

        world.ask("DELETE", f"{resources}/myfilter")
        until(lambda: details.header("goodbye", "/details/123") is None, "end of the header")
        until(lambda: not world.ask("GET", resources)["items"], "end of the resource")
        assert (world.annotations("details"), world.annotations("productpage")) == ({}, {})
        assert "Invalid path" not in details.log.read_text()
