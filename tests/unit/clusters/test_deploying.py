"""A filter deployed and undeployed where an API refuses, goes away, or holds what nobody expects."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace

from weft.clusters import Deployer, Outrun, Prospect, RolledBack, look, read_records, standing
from weft.clusters.nodes import Nodes
from weft.clusters.turns import TurnLost
from weft.errors import NotFound, UsageError, WeftError
from weft.kube import Denied, Kube
from weft.mesh import Facts, ImageUrl
from worlds.clock import FakeClock, HeldBack
from worlds.http import hang_up
from worlds.intents import IMAGE, MODULE, an_intent
from worlds.kube_api import KubeWorld, open_world, refuse, refusing

HOME = "bookinfo"
RECORD = ("configmaps", HOME, "weft-filter-add-header")
NAMES = ("details", "ratings", "reviews")
PLUGINS = [f"{name}-add-header" for name in NAMES]
FLYING = {"name": "x", "id": "x", "target": "t", "image": "i", "removal": [{"do": "fly", "why": ""}]}
STANDS = "what stands is on record: do the same again, or `weft undeploy` it"


@pytest.fixture
async def world() -> AsyncIterator[KubeWorld]:
    async with open_world() as world:
        for name in NAMES:
            labels = {"app": name}
            template = {"metadata": {"labels": labels}}
            world.put(name, namespace=HOME, plural="deployments", spec={"replicas": 0, "template": template})
            world.mark(name, namespace=HOME, plural="deployments", **labels)
        containers = [{"name": "discovery", "image": "istio/pilot:1.26.2"}]
        istiod = {"template": {"spec": {"containers": containers}}}
        world.put("istiod", namespace="istio-system", plural="deployments", spec=istiod)
        world.mark("istiod", namespace="istio-system", plural="deployments", app="istiod")
        yield world


def deployer(kube: Kube, **words: Any) -> Deployer:
    return Deployer(kube=kube, **{"clock": HeldBack(late=0.0), **words})


async def prospect(kube: Kube, value: int = 1, **spec: Any) -> Prospect:
    """With a rollout, so that each workload has an object of its own."""
    intent = an_intent(**{"istio": {}, "config": {"value": value}, "rollout": {"steps": []}, **spec})
    facts = await look(kube, intent, Facts(image=ImageUrl.parse(IMAGE), module=MODULE))
    return await deployer(kube).prospect(intent, facts)


async def deploy(kube: Kube, value: int = 1, **words: Any) -> None:
    await deployer(kube, **words).deploy(await prospect(kube, value))


def values(world: KubeWorld) -> dict[str, int]:
    """What each plugin says."""
    return {
        key[2]: held["spec"]["pluginConfig"]["value"]
        for key, held in sorted(world.objects.items())
        if key[0] == "wasmplugins"
    }


async def test_it_comes_changes_and_goes(world: KubeWorld, kube: Kube) -> None:
    for value in (1, 2):
        await deploy(kube, value)
        assert values(world) == dict.fromkeys(PLUGINS, value)
        [record] = await read_records(kube, HOME)
        assert (record.name, record.image, record.control_plane) == (
            "add-header",
            f"oci://{IMAGE}",
            "istio-system",
        )
        found = await standing(kube, Nodes(kube, "weft-system", FakeClock()), record)
        assert {str(part.state) for part in found.parts} == {"Ready"}
    assert (await deployer(kube).undeploy("add-header", HOME)).name == "add-header"
    assert (values(world), RECORD in world.objects) == ({}, False)


class TestRefused:
    async def test_one_object_that_may_not_be_made_leaves_none(self, world: KubeWorld, kube: Kube) -> None:
        world.meet("PATCH", f"wasmplugins/{PLUGINS[2]}", refusing(403, "Forbidden", "reviews are not yours"))
        with pytest.raises(RolledBack) as caught:
            await deploy(kube)
        assert str(caught.value) == (
            f"apply WasmPlugin {HOME}/{PLUGINS[2]}: reviews are not yours; all that was done is undone"
        )
        assert (values(world), RECORD in world.objects) == ({}, False)

    async def test_a_change_that_may_not_be_made_brings_the_former_back(
        self, world: KubeWorld, kube: Kube
    ) -> None:
        await deploy(kube, 1)
        before = world.objects[RECORD]["data"]
        world.meet("PATCH", f"wasmplugins/{PLUGINS[1]}", refusing(403, "Forbidden", "no"), times=1)
        with pytest.raises(RolledBack, match="all that was done is undone"):
            await deploy(kube, 2)
        assert values(world) == dict.fromkeys(PLUGINS, 1)
        assert world.objects[RECORD]["data"] == before

    async def test_what_cannot_be_undone_is_named_and_stays_on_record(
        self, world: KubeWorld, kube: Kube
    ) -> None:
        world.meet("PATCH", f"wasmplugins/{PLUGINS[2]}", refusing(403, "Forbidden", "no"))
        world.meet("DELETE", f"wasmplugins/{PLUGINS[0]}", refusing(403, "Forbidden", "never"), times=1)
        with pytest.raises(RolledBack) as caught:
            await deploy(kube)
        left = f"WasmPlugin {HOME}/{PLUGINS[0]}"
        assert f"what stands: {left} is still there (delete {left}: never)" in str(caught.value)
        assert caught.value.hint == STANDS
        assert list(values(world)) == PLUGINS[:1]
        assert "changing" not in world.objects[RECORD]["data"], "the next may begin at once"
        await deployer(kube).undeploy("add-header", HOME)
        assert (values(world), RECORD in world.objects) == ({}, False)

    async def test_who_does_not_back_out_leaves_what_was_done(self, world: KubeWorld, kube: Kube) -> None:
        world.meet("PATCH", f"wasmplugins/{PLUGINS[2]}", refusing(403, "Forbidden", "no"), times=1)
        with pytest.raises(Denied):
            await deploy(kube, back_out=False)
        assert list(values(world)) == PLUGINS[:2]
        await deploy(kube, back_out=False)
        assert list(values(world)) == PLUGINS

    async def test_a_record_that_may_not_be_written_means_that_nothing_is_done(
        self, world: KubeWorld, kube: Kube
    ) -> None:
        world.meet("POST", "configmaps", refusing(403, "Forbidden", "no records here"))
        with pytest.raises(Denied, match="create ConfigMap bookinfo/weft-filter-add-header: no records here"):
            await deploy(kube)
        assert values(world) == {}

    async def test_a_field_of_somebody_else_is_named_with_its_owner(
        self, world: KubeWorld, kube: Kube
    ) -> None:
        await deploy(kube, 1)
        cause = {
            "reason": "FieldManagerConflict",
            "field": ".spec.pluginConfig",
            "message": 'conflict with "helm"',
        }

        async def owned(request: web.BaseRequest) -> web.StreamResponse:
            if request.query["force"] == "true":
                body = world.seen[-1].body
                return world._apply(("wasmplugins", HOME, PLUGINS[0]), json.loads(body), "weft")
            return refuse(409, "Conflict", "Apply failed", causes=[cause])

        world.meet("PATCH", f"wasmplugins/{PLUGINS[0]}", owned)
        with pytest.raises(RolledBack) as caught:
            await deploy(kube, 2)
        assert f"apply WasmPlugin {HOME}/{PLUGINS[0]}: .spec.pluginConfig belongs to helm" in str(
            caught.value
        )
        assert caught.value.hint == "let go of it there, or take it with --force-conflicts"
        assert values(world) == dict.fromkeys(PLUGINS, 1)
        await deploy(kube, 2, force=True)
        assert values(world) == dict.fromkeys(PLUGINS, 2)

    async def test_a_kind_that_went_in_the_middle(self, world: KubeWorld, kube: Kube) -> None:
        planned = await prospect(kube)
        world.meet("", "wasmplugins", refusing(404, "NotFound", "the server could not find the resource"))
        with pytest.raises(RolledBack, match="could not find the resource"):
            await deployer(kube).deploy(planned)
        assert RECORD not in world.objects

    async def test_an_api_that_goes_away_says_what_stands(self, world: KubeWorld, kube: Kube) -> None:
        planned = await prospect(kube)

        async def leave(request: web.BaseRequest) -> web.StreamResponse:
            world.meet("", "", hang_up)
            return await hang_up(request)

        world.meet("PATCH", f"wasmplugins/{PLUGINS[2]}", leave)
        with pytest.raises(RolledBack) as caught:
            await deployer(kube).deploy(planned)
        for name in PLUGINS:
            assert f"WasmPlugin {HOME}/{name} is still there" in str(caught.value)
        assert caught.value.hint == STANDS
        world.come_back()
        await deployer(kube, clock=HeldBack(late=15.0)).undeploy("add-header", HOME)
        assert (values(world), RECORD in world.objects) == ({}, False)


class TestTaking:
    """What is taken away though not all is there, or may go."""

    async def test_what_others_took_already_is_no_trouble(self, world: KubeWorld, kube: Kube) -> None:
        await deploy(kube)
        world.remove(PLUGINS[1], namespace=HOME, plural="wasmplugins")
        await deployer(kube).undeploy("add-header", HOME)
        assert (values(world), RECORD in world.objects) == ({}, False)

    async def test_what_may_not_go_keeps_all_there_and_on_record(self, world: KubeWorld, kube: Kube) -> None:
        await deploy(kube)
        world.meet("DELETE", f"wasmplugins/{PLUGINS[1]}", refusing(403, "Forbidden", "no"), times=1)
        with pytest.raises(RolledBack, match="all that was done is undone"):
            await deployer(kube).undeploy("add-header", HOME)
        assert values(world) == dict.fromkeys(PLUGINS, 1)
        await deployer(kube).undeploy("add-header", HOME)
        assert (values(world), RECORD in world.objects) == ({}, False)

    async def test_nobody_knows_it(self, kube: Kube) -> None:
        with pytest.raises(NotFound) as caught:
            await deployer(kube).undeploy("other", HOME)
        assert (str(caught.value), caught.value.hint) == (
            "no filter other in namespace bookinfo",
            "there is none",
        )

    async def test_an_operator_does_not_take_what_a_person_deployed(self, kube: Kube) -> None:
        await deploy(kube)
        with pytest.raises(UsageError) as caught:
            await deployer(kube, owner="FilterDeployment.weft.dev").undeploy("add-header", HOME)
        assert str(caught.value) == "filter bookinfo/add-header was deployed by hand"
        assert caught.value.hint == "`weft undeploy add-header` first"


class TestRecords:
    @pytest.mark.parametrize(
        "data",
        [
            pytest.param({}, id="without the key"),
            pytest.param({"record": "{"}, id="no JSON"),
            pytest.param({"record": "[]"}, id="no mapping"),
            pytest.param({"record": '{"name": "x"}'}, id="half of it"),
            pytest.param({"record": json.dumps(FLYING)}, id="a step that nobody knows"),
        ],
    )
    async def test_one_that_cannot_be_read_stops_all_and_is_named(
        self, world: KubeWorld, kube: Kube, data: dict[str, str]
    ) -> None:
        world.put("weft-filter-x", namespace=HOME, data=data)
        world.mark("weft-filter-x", namespace=HOME, **{"weft.dev/record": "filter"})
        with pytest.raises(
            WeftError, match=r"^ConfigMap bookinfo/weft-filter-x is weft's record of a filter"
        ):
            await prospect(kube)

    async def test_one_of_a_resource_that_cannot_be_read(self, world: KubeWorld, kube: Kube) -> None:
        metadata = {"name": "r", "namespace": HOME, "annotations": {"weft.dev/record": "%%"}}
        world.put("r", namespace=HOME, plural="filterdeployments")
        world.objects["filterdeployments", HOME, "r"]["metadata"] |= metadata
        with pytest.raises(WeftError, match=r"^annotation weft.dev/record of FilterDeployment bookinfo/r"):
            await prospect(kube)

    async def test_two_filters_of_one_id(self, kube: Kube) -> None:
        await deploy(kube)
        named = an_intent(istio={}, config={}, id="add-header.bookinfo")
        intent = replace(named, metadata=replace(named.metadata, name="other"))
        facts = await look(kube, intent, Facts(image=ImageUrl.parse(IMAGE), module=MODULE))
        with pytest.raises(UsageError) as caught:
            await deployer(kube).prospect(intent, facts)
        assert str(caught.value) == (
            "filter other: its id add-header.bookinfo is that of filter bookinfo/add-header"
        )


class TestTurns:
    async def test_a_plan_that_somebody_outran_changes_nothing(self, world: KubeWorld, kube: Kube) -> None:
        first, second = await prospect(kube, 1), await prospect(kube, 2)
        await deployer(kube).deploy(first)
        with pytest.raises(
            Outrun, match=r"^filter bookinfo/add-header was changed by somebody else meanwhile$"
        ):
            await deployer(kube).deploy(second)
        assert values(world) == dict.fromkeys(PLUGINS, 1)

    async def test_who_lost_the_turn_says_what_stands_and_undoes_nothing(
        self, world: KubeWorld, kube: Kube
    ) -> None:
        clock = HeldBack(late=0.0)

        async def silence(_: web.BaseRequest) -> web.StreamResponse:
            world.meet("PATCH", "configmaps", hang_up)
            clock.late = 1e9
            await asyncio.Event().wait()
            raise AssertionError

        world.meet("PATCH", f"wasmplugins/{PLUGINS[2]}", silence)
        with pytest.raises(TurnLost) as caught:
            await deploy(kube, clock=clock)
        assert str(caught.value).startswith("that we are at work could not be said for 10 s (")
        stands = str(caught.value).partition("what stands: ")[2].split("; ")
        assert sorted(stands) == [f"WasmPlugin {HOME}/{name} is still there" for name in PLUGINS]
        assert caught.value.hint == STANDS
        assert "changing" in world.objects[RECORD]["data"]
        assert world.requests("DELETE") == []
