"""Steps carried out: how much is asked for it, and what is done when others change things meanwhile."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from aiohttp import web

from weft.clusters import CACHE_PODS, Nodes, RolledBack, node_report
from weft.clusters.carrying import Carrier
from weft.kube import Kube
from weft.mesh import Do, ModuleFile, Step, Workload
from weft.mesh.istio.mounts import VOLUME, VOLUME_MOUNT, mount_patch
from weft.mesh.plan.entries import with_entry
from worlds.clock import FakeClock
from worlds.kube_api import KubeWorld, refuse, refusing

VOLUME_ENTRY = {"name": "cache", "hostPath": {"path": "/modules"}}
MOUNT_ENTRY = {"name": "cache", "mountPath": "/modules"}
THEIRS = json.dumps([{"name": "theirs", "emptyDir": {}}])


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


FILE = ModuleFile("/modules/" + "a" * 64, "a" * 64, f"oci://hub/f@sha256:{'b' * 64}")
REFUSED = Step(
    do=Do.APPLY,
    object={"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "last", "namespace": "default"}},
    why="",
)
WISHES = f"weft-module-f-{'a' * 12}"


def node(world: KubeWorld, state: str) -> None:
    """One with a node cache that says so of the module."""
    label, _, value = CACHE_PODS.partition("=")
    world.put("cache", namespace="system", plural="pods", spec={"nodeName": "one"})
    world.mark("cache", namespace="system", plural="pods", **{label: value})
    image = {"module": f"sha256:{FILE.sha256}", "state": state, "reference": "x", "message": "no route"}
    report = node_report("one", "system", {"images": [image]})
    world.put(report["metadata"]["name"], namespace="system", data=report["data"])
    world.mark(report["metadata"]["name"], namespace="system", **report["metadata"]["labels"])


class TestHold:
    HOLD = Step(do=Do.HOLD, file=FILE, why="")

    async def test_what_is_held_for_a_plan_that_fails_is_released(self, world: KubeWorld, kube: Kube) -> None:
        node(world, "Ready")
        world.meet("PATCH", "secrets", refusing(403, "Forbidden", "no"))
        with pytest.raises(RolledBack, match="all that was done is undone"):
            await carrier(kube).carry_out([self.HOLD, REFUSED])
        assert ("configmaps", "system", WISHES) not in world.objects

    async def test_what_is_held_by_half_is_released(self, world: KubeWorld, kube: Kube) -> None:
        carrying = carrier(kube, credential="{}")  # for which there is no Secret
        with pytest.raises(RolledBack, match="all that was done is undone"):
            await carrying.carry_out([self.HOLD])
        assert ("configmaps", "system") not in {key[:2] for key in world.objects}

    async def test_what_was_held_before_stays(self, world: KubeWorld, kube: Kube) -> None:
        node(world, "Ready")
        await carrier(kube).carry_out([self.HOLD])
        world.meet("PATCH", "secrets", refusing(403, "Forbidden", "no"))
        with pytest.raises(RolledBack, match="all that was done is undone"):
            await carrier(kube).carry_out([self.HOLD, REFUSED])
        assert ("configmaps", "system", WISHES) in world.objects
        await carrier(kube).carry_out([Step(do=Do.RELEASE, file=FILE, why="")])
        assert ("configmaps", "system", WISHES) not in world.objects

    async def test_nodes_that_do_not_get_it_are_named_in_the_end(self, world: KubeWorld, kube: Kube) -> None:
        node(world, "Failed")
        said = list[str]()
        with pytest.raises(RolledBack) as caught:
            await carrier(kube, hold_seconds=3, say=said.append).carry_out([self.HOLD])
        assert str(caught.value) == (
            f"not every node holds {FILE.image} after 3 s: one: it is not there yet;"
            " all that was done is undone"
        )
        assert said == [f"0 of 1 nodes hold {FILE.image}"]


class TestUnmount:
    async def mounted(self, world: KubeWorld, kube: Kube) -> list[Step]:
        put_workloads(world, 1)
        await carrier(kube).carry_out(mounts(world))
        world.seen.clear()
        return [Step(do=Do.UNMOUNT, object=one.object, volume="cache", why="") for one in mounts_of(world)]

    async def test_a_mount_comes_back_where_a_later_step_fails(self, world: KubeWorld, kube: Kube) -> None:
        steps = await self.mounted(world, kube)
        world.meet("PATCH", "secrets", refusing(403, "Forbidden", "no"))
        with pytest.raises(RolledBack, match="all that was done is undone"):
            await carrier(kube).carry_out([*steps, REFUSED])
        assert annotations(world, "w0") == {VOLUME: ["cache"], VOLUME_MOUNT: ["cache"]}

    async def test_what_is_gone_already_is_not_written(self, world: KubeWorld, kube: Kube) -> None:
        steps = await self.mounted(world, kube)
        for _ in range(2):
            await carrier(kube).carry_out(steps)
        assert annotations(world, "w0") == {}
        assert len(world.requests("PATCH", "deployments")) == 1

    async def test_pods_that_ail_from_something_else_do_not_keep_it(
        self, world: KubeWorld, kube: Kube
    ) -> None:
        steps, said = await self.mounted(world, kube), list[str]()
        held = world.objects["deployments", "default", "w0"]
        world.put("w0", plural="deployments", spec={**held["spec"], "replicas": 2}, status={"replicas": 2})
        await carrier(kube, seconds=1, say=said.append).carry_out(steps)
        assert said[-1].startswith("the pods did not get ready within 1 s: Deployment default/w0: 0 of 2")
        assert said[-1].endswith("; the filter is gone from them")

    async def test_somebody_who_is_faster_again_and_again_is_a_conflict(
        self, world: KubeWorld, kube: Kube
    ) -> None:
        steps = await self.mounted(world, kube)
        world.meet("PATCH", "deployments", refusing(409, "Conflict", "the object has been modified"))
        with pytest.raises(RolledBack) as caught:
            await carrier(kube).carry_out(steps)
        # Whether the last one arrived nobody knows, so it is undone, which is no better answered.
        assert str(caught.value) == (
            "patch Deployment default/w0: the object has been modified; what stands: Deployment default/w0"
            " keeps a changed mount of cache (apply Deployment default/w0: the object has been modified)"
        )
        assert len(world.requests("PATCH", "deployments")) >= 30


def mounts_of(world: KubeWorld) -> list[Step]:
    held = world.objects["deployments", "default", "w0"]
    metadata = {"name": "w0", "namespace": "default"}
    return [Step(do=Do.UNMOUNT, object={**held, "metadata": metadata}, volume="cache", why="")]


class TestEntries:
    """The list of a Gateway belongs to everybody."""

    OURS: ClassVar = {"name": "mine", "image": "hub/f:v1"}

    def gateway(self, world: KubeWorld, *entries: dict[str, str], name: str = "g") -> Step:
        options = {"wasm": {"filters": list(entries)}} if entries else {}
        world.put(name, plural="gateways", spec={"httpGateway": {"options": options}})
        held = with_entry(world.objects["gateways", "default", name], self.OURS)
        return Step(do=Do.INSERT, object=held, entry="mine", why="")

    def names(self, world: KubeWorld, name: str = "g") -> list[str]:
        options = world.objects["gateways", "default", name]["spec"]["httpGateway"].get("options", {})
        return [one["name"] for one in options.get("wasm", {}).get("filters", [])]

    async def test_what_others_put_in_meanwhile_stays(self, world: KubeWorld, kube: Kube) -> None:
        step = self.gateway(world, {"name": "a"})

        async def outrun(request: web.BaseRequest) -> web.StreamResponse:
            self.gateway(world, {"name": "a"}, {"name": "z"})
            return world._one("PATCH", ("gateways", "default", "g"), world.seen[-1].body)

        world.meet("PATCH", "gateways", outrun, times=1)
        await carrier(kube).carry_out([step])
        assert self.names(world) == ["a", "mine", "z"]
        await carrier(kube).carry_out([replace(step, do=Do.EXTRACT)])
        assert self.names(world) == ["a", "z"]

    async def test_one_gateway_that_went_leaves_no_other_changed(self, world: KubeWorld, kube: Kube) -> None:
        first, second = self.gateway(world, {"name": "a"}), self.gateway(world, name="gone")
        world.remove("gone", plural="gateways")
        with pytest.raises(RolledBack, match="Gateway default/gone is not there any more; all that was done"):
            await carrier(kube).carry_out([first, second])
        assert self.names(world) == ["a"]
        await carrier(kube).carry_out([replace(second, do=Do.EXTRACT)])

    async def test_a_list_that_is_none_is_left_alone(self, world: KubeWorld, kube: Kube) -> None:
        step = self.gateway(world)
        broken = {"httpGateway": {"options": {"wasm": {"filters": "?"}}}}
        world.put("g", plural="gateways", spec=broken)
        with pytest.raises(RolledBack, match="is no list of mappings; nothing was changed"):
            await carrier(kube).carry_out([step])
        assert world.objects["gateways", "default", "g"]["spec"] == broken
