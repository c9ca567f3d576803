"""How a filter stands, part by part."""

from typing import Any

import pytest

from weft.clusters import CACHE_PODS, Nodes, Record, State, node_report, standing
from weft.kube import Denied, Kube
from weft.mesh import Do, ModuleFile, Step, Workload
from weft.mesh.istio.mounts import mount_patch
from worlds.clock import FakeClock
from worlds.kube_api import KubeWorld, refusing

FILE = ModuleFile("/modules/" + "a" * 64, "a" * 64, f"oci://hub/f@sha256:{'b' * 64}")
VOLUME = {"name": "cache", "hostPath": {"path": "/modules"}}
MOUNT = {"name": "cache", "mountPath": "/modules"}


def named(kind: str, name: str, api_version: str = "v1") -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}}


DELETE = Step(do=Do.DELETE, object=named("WasmPlugin", "w", "extensions.istio.io/v1alpha1"), why="")
UNMOUNT = Step(do=Do.UNMOUNT, object=named("Deployment", "details", "apps/v1"), volume="cache", why="")
RELEASE = Step(do=Do.RELEASE, file=FILE, why="")


async def parts(kube: Kube, *steps: Step) -> tuple[State, list[tuple[str, State, str]]]:
    record = Record(name="f", namespace="shop", filter_id="f", target="t", image="i", removal=steps)
    found = await standing(kube, Nodes(kube, "system", FakeClock()), record)
    return found.state, [(part.what, part.state, part.message) for part in found.parts]


def workload(world: KubeWorld, *, mounts: bool = True, **status: Any) -> None:
    held: dict[str, Any] = {
        **named("Deployment", "details", "apps/v1"),
        "spec": {"template": {"metadata": {"labels": {"app": "details"}}}},
    }
    if mounts:
        patch = mount_patch(Workload.of(held), VOLUME, MOUNT)
        assert patch is not None
        held["spec"]["template"] |= patch["spec"]["template"]
    world.put("details", namespace="shop", plural="deployments", spec=held["spec"], status=status)


DONE: dict[str, Any] = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
STUCK = [{"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "too slow"}]
WHAT = "Deployment shop/details"


@pytest.mark.parametrize(
    ("mounts", "status", "state", "message"),
    [
        pytest.param(True, DONE, State.READY, "", id="it mounts the folder"),
        pytest.param(True, {}, State.CHANGING, "0 of 1 pods are new", id="its pods are replaced"),
        pytest.param(False, DONE, State.MISSING, "its pods do not mount cache", id="it does not"),
        pytest.param(True, {"conditions": STUCK}, State.FAILED, f"{WHAT}: too slow", id="Kubernetes gave up"),
    ],
)
async def test_a_workload(
    world: KubeWorld, kube: Kube, mounts: bool, status: dict[str, Any], state: State, message: str
) -> None:
    workload(world, mounts=mounts, **status)
    assert await parts(kube, UNMOUNT) == (state, [(WHAT, state, message)])


async def test_a_workload_that_is_gone_needs_nothing(kube: Kube) -> None:
    assert await parts(kube, UNMOUNT) == (State.READY, [])


async def test_an_object_that_is_gone(world: KubeWorld, kube: Kube) -> None:
    what = "WasmPlugin shop/w"
    assert await parts(kube, DELETE) == (State.MISSING, [(what, State.MISSING, "it is not there")])
    world.put("w", namespace="shop", plural="wasmplugins")
    assert await parts(kube, DELETE) == (State.READY, [(what, State.READY, "")])


async def test_a_module_on_nodes(world: KubeWorld, kube: Kube) -> None:
    what, none = "module aaaaaaaaaaaa on nodes", "no node cache runs in namespace system"
    assert await parts(kube, RELEASE) == (State.CHANGING, [(what, State.CHANGING, none)])
    label, _, value = CACHE_PODS.partition("=")
    world.put("cache", namespace="system", plural="pods", spec={"nodeName": "one"})
    world.mark("cache", namespace="system", plural="pods", **{label: value})
    lacking = f"not every node holds {FILE.image} after 0 s: one: its node cache has not reported yet"
    assert await parts(kube, RELEASE) == (State.CHANGING, [(what, State.CHANGING, lacking)])
    report = node_report("one", "system", {"images": [{"module": f"sha256:{FILE.sha256}", "state": "Ready"}]})
    name = report["metadata"]["name"]
    world.put(name, namespace="system", data=report["data"])
    world.mark(name, namespace="system", **report["metadata"]["labels"])
    assert await parts(kube, RELEASE) == (State.READY, [(what, State.READY, "")])
    world.put(name, namespace="system", data={"report": "half of"})
    world.mark(name, namespace="system", **report["metadata"]["labels"])
    assert (await parts(kube, RELEASE))[0] is State.CHANGING


async def test_the_whole_is_as_its_worst_part(world: KubeWorld, kube: Kube) -> None:
    workload(world, **DONE)
    assert (await parts(kube, UNMOUNT, RELEASE))[0] is State.CHANGING
    assert (await parts(kube, UNMOUNT, RELEASE, DELETE))[0] is State.MISSING
    workload(world, conditions=STUCK)
    assert (await parts(kube, UNMOUNT, RELEASE, DELETE))[0] is State.FAILED


async def test_who_may_not_look_is_told_so(world: KubeWorld, kube: Kube) -> None:
    world.meet("GET", "wasmplugins", refusing(403, "Forbidden", "no"))
    with pytest.raises(Denied, match=r"^get WasmPlugin shop/w: no$"):
        await parts(kube, DELETE)
