"""Steps carried out: how much is asked for it, and what is done when others change things meanwhile."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from weft.clusters import Nodes, RolledBack
from weft.clusters.carrying import Carrier
from weft.kube import Kube
from weft.mesh import Do, Step, Workload
from weft.mesh.istio.mounts import VOLUME, VOLUME_MOUNT, mount_patch
from worlds.clock import FakeClock
from worlds.kube_api import KubeWorld, open_client, open_world, refuse, refusing

VOLUME_ENTRY = {"name": "cache", "hostPath": {"path": "/modules"}}
MOUNT_ENTRY = {"name": "cache", "mountPath": "/modules"}
THEIRS = json.dumps([{"name": "theirs", "emptyDir": {}}])


@pytest.fixture
async def world() -> AsyncIterator[KubeWorld]:
    async with open_world() as world:
        yield world


@pytest.fixture
async def kube(world: KubeWorld) -> AsyncIterator[Kube]:
    async with open_client(world) as kube:
        yield kube


def carrier(kube: Kube, **words: Any) -> Carrier:
    clock = FakeClock()
    return Carrier(kube=kube, nodes=Nodes(kube, "system", clock), name="f", clock=clock, **words)


def config_maps(many: int, do: Do = Do.APPLY) -> list[Step]:
    return [
        Step(
            do=do,
            object={
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": f"c{number}", "namespace": "default"},
                "data": {"x": "1"},
            },
            why="",
        )
        for number in range(many)
    ]


def put_workloads(world: KubeWorld, many: int) -> None:
    for number in range(many):
        labels = {"app": f"w{number}"}
        world.put(
            f"w{number}",
            plural="deployments",
            spec={"replicas": 0, "template": {"metadata": {"labels": labels}}},
        )


def mounts(world: KubeWorld) -> list[Step]:
    held = [one for key, one in world.objects.items() if key[0] == "deployments"]
    patches = (mount_patch(Workload.of(one), VOLUME_ENTRY, MOUNT_ENTRY) for one in held)
    return [Step(do=Do.MOUNT, object=patch, volume="cache", why="") for patch in patches]


def annotations(world: KubeWorld, name: str) -> dict[str, list[str]]:
    held = world.objects["deployments", "default", name]["spec"]["template"]["metadata"]
    texts = held.get("annotations", {})
    return {key: [one["name"] for one in json.loads(text)] for key, text in texts.items()}


def asked(world: KubeWorld, plural: str) -> list[str]:
    """Method and name (or none) of each request, kinds looked up left out."""
    found = [(one.method, one.path.partition(f"/{plural}")) for one in world.seen]
    return [f"{method} {rest.strip('/')}".strip() for method, (_, is_one, rest) in found if is_one]


def somebody_changes(world: KubeWorld, change: Callable[[], None]) -> None:
    """Right before the next change arrives."""

    async def fault(request: web.BaseRequest) -> web.Response:
        change()
        *_, namespace, plural, name = request.path.split("/")
        return world._apply((plural, namespace, name), json.loads(world.seen[-1].body), "weft")

    world.meet("PATCH", "", fault, times=1)


class TestApply:
    async def test_many_are_looked_up_at_once(self, world: KubeWorld, kube: Kube) -> None:
        world.put("c0", data={"x": "1"})
        world.put("c1", data={"x": "2"})
        await carrier(kube).carry_out(config_maps(8))
        requests = asked(world, "configmaps")
        assert requests[0] == "GET"
        assert sorted(requests[1:]) == [f"PATCH c{number}" for number in range(1, 8)]
        assert {held["data"]["x"] for held in world.objects.values()} == {"1"}

    async def test_few_are_looked_up_one_by_one(self, world: KubeWorld, kube: Kube) -> None:
        await carrier(kube).carry_out(config_maps(2))
        assert sorted(asked(world, "configmaps")) == ["GET c0", "GET c1", "PATCH c0", "PATCH c1"]

    async def test_who_may_not_list_asks_for_each(self, world: KubeWorld, kube: Kube) -> None:
        world.meet("GET", "configmaps?", refusing(403, "Forbidden", "no"))
        await carrier(kube).carry_out(config_maps(6))
        assert len(asked(world, "configmaps")) == 1 + 6 + 6

    async def test_what_changed_since_the_look_is_looked_at_again(self, world: KubeWorld, kube: Kube) -> None:
        world.put("c0", data={"x": "2"})
        somebody_changes(world, lambda: world.put("c0", data={"x": "3", "y": "4"}))
        steps = config_maps(6)
        work = carrier(kube)
        await work.carry_out(steps[:6])
        assert world.objects["configmaps", "default", "c0"]["data"]["x"] == "1"
        assert asked(world, "configmaps").count("GET c0") == 1
        world.meet("PATCH", "configmaps/c9", refusing(422, "Invalid", "no"))
        world.put("c0", data={"x": "5"})
        with pytest.raises(RolledBack, match="all that was done is undone"):
            await work.carry_out([*steps, *config_maps(10)[9:]])
        assert world.objects["configmaps", "default", "c0"]["data"]["x"] == "5"

    async def test_a_field_of_others_is_a_conflict_still(self, world: KubeWorld, kube: Kube) -> None:
        world.put("c0", data={"x": "2"})

        async def owned(_: web.BaseRequest) -> web.Response:
            return refuse(409, "Conflict", 'conflict with "them": .data.x')

        world.meet("PATCH", "configmaps/c0", owned, times=2)
        with pytest.raises(RolledBack) as caught:
            await carrier(kube).carry_out(config_maps(6))
        assert 'conflict with "them": .data.x' in str(caught.value)
        assert caught.value.hint == "let go of it there, or take it with --force-conflicts"
        assert asked(world, "configmaps").count("PATCH c0") == 3  # the last puts it back
        assert {key[2]: held["data"] for key, held in world.objects.items()} == {"c0": {"x": "2"}}


class TestMount:
    async def test_many_are_looked_up_at_once(self, world: KubeWorld, kube: Kube) -> None:
        put_workloads(world, 8)
        await carrier(kube).carry_out(mounts(world))
        requests = asked(world, "deployments")
        assert requests[0] == requests[-1] == "GET"  # the second is for their rollouts
        assert sorted(requests[1:-1]) == [f"PATCH w{number}" for number in range(8)]
        for number in range(8):
            assert annotations(world, f"w{number}") == {VOLUME: ["cache"], VOLUME_MOUNT: ["cache"]}

    async def test_what_others_mount_meanwhile_stays(self, world: KubeWorld, kube: Kube) -> None:
        put_workloads(world, 8)
        steps = mounts(world)

        def mount() -> None:
            template = {"metadata": {"labels": {"app": "w0"}, "annotations": {VOLUME: THEIRS}}}
            world.put("w0", plural="deployments", spec={"replicas": 0, "template": template})

        somebody_changes(world, mount)
        await carrier(kube).carry_out(steps)
        assert annotations(world, "w0") == {VOLUME: ["theirs", "cache"], VOLUME_MOUNT: ["cache"]}
        assert asked(world, "deployments").count("GET w0") == 1

    async def test_one_that_is_gone_needs_nothing(self, world: KubeWorld, kube: Kube) -> None:
        put_workloads(world, 8)
        steps = mounts(world)
        world.remove("w3", plural="deployments")
        await carrier(kube).carry_out(steps)
        assert "PATCH w3" not in asked(world, "deployments")


async def test_many_are_deleted_without_a_look_at_each(world: KubeWorld, kube: Kube) -> None:
    for number in range(7):
        world.put(f"c{number}", data={"x": "1"})
    await carrier(kube).carry_out(config_maps(8, Do.DELETE))
    requests = asked(world, "configmaps")
    assert requests[0] == "GET"
    assert sorted(requests[1:]) == [f"DELETE c{number}" for number in range(7)]
    assert world.objects == {}
