"""The operator at work on an API that somebody else changes, too, and that refuses or goes away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from weft.base.tasks import beside
from weft.errors import WeftError
from weft.kube import Kube
from weft.mesh import KINDS, Facts, ImageUrl, Intent
from weft.operator import Operator, Settings
from weft.operator.counting import metrics
from weft.operator.keeping import FINALIZER
from worlds.clock import until
from worlds.intents import IMAGE, MODULE
from worlds.kube_api import KubeWorld, merged, open_client, open_world, refusing

HOME = "bookinfo"
OWN = KINDS[0]


class Modules:
    """Every image is there."""

    async def facts(self, kube: Kube, intent: Intent) -> Facts:  # noqa: ARG002
        return Facts(image=ImageUrl.parse(IMAGE), module=MODULE)

    async def check(self, intent: Intent, facts: Facts) -> None:
        """Whatever config is good."""

    async def credential(self, kube: Kube, intent: Intent) -> str:  # noqa: ARG002
        return "{}"


class Place:
    """A world with an operator in it."""

    def __init__(self, world: KubeWorld, kube: Kube, again: float) -> None:
        self.world, self.said = world, list[str]()
        settings = Settings(workers=2, seconds=5.0, again=again)
        self.operator = Operator(kube, Modules(), settings, self.said.append)

    def workload(self, name: str) -> None:
        labels = {"app": name}
        containers = [{"image": "istio/pilot:1.26.2"}]
        template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
        where = "istio-system" if name == "istiod" else HOME
        self.world.put(
            name, namespace=where, plural="deployments", spec={"replicas": 0, "template": template}
        )
        self.world.mark(name, namespace=where, plural="deployments", **labels)

    def asks(self, name: str = "headers", **spec: Any) -> None:
        key = ("filterdeployments", HOME, name)
        held = self.world.objects.get(key, {})
        metadata = {**held.get("metadata", {}), "name": name, "namespace": HOME}
        metadata["generation"] = metadata.get("generation", 0) + 1
        document = {"apiVersion": OWN.api_version, "kind": OWN.name, "spec": {"image": IMAGE, **spec}}
        self.world._keep(key, merged({**held, **document}, {"metadata": metadata}))

    def change(self, name: str = "headers", **fields: Any) -> None:
        key = ("filterdeployments", HOME, name)
        self.world._keep(key, merged(self.world.objects[key], fields))

    def ready(self, name: str = "headers") -> str:
        """``True``, ``False``, or nothing yet."""
        held = self.world.objects["filterdeployments", HOME, name]
        conditions = held.get("status", {}).get("conditions", [])
        return str(next((one["status"] for one in conditions if one["type"] == "Ready"), ""))

    def message(self, name: str = "headers") -> str:
        held = self.world.objects["filterdeployments", HOME, name]
        conditions = held.get("status", {}).get("conditions", [])
        return str(next((one["message"] for one in conditions if one["type"] == "Ready"), ""))

    @property
    def plugins(self) -> dict[str, Any]:
        held = self.world.objects.items()
        return {key[2]: one["spec"].get("pluginConfig") for key, one in held if key[0] == "wasmplugins"}

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        async with beside(self.operator.run()):
            yield


@pytest.fixture
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    """It does not look again by itself, but where a test says when."""
    async with open_world() as world, open_client(world) as kube:
        place = Place(world, kube, getattr(request, "param", 3600.0))
        place.workload("details")
        place.workload("istiod")
        yield place


async def test_what_is_asked_for_comes_changes_and_goes(place: Place) -> None:
    place.asks(config={"v": 1})
    async with place.working():
        await until(lambda: place.ready() == "True")
        place.asks(config={"v": 2})
        await until(lambda: list(place.plugins.values()) == [{"v": 2}])
        place.change(metadata={"deletionTimestamp": "2026-11-21T07:00:00Z"})
        await until(lambda: not place.plugins)


async def test_what_others_take_or_change_comes_back(place: Place) -> None:
    place.asks(config={"v": 1})
    async with place.working():
        await until(lambda: place.ready() == "True")
        [name] = place.plugins
        place.world.remove(name, namespace=HOME, plural="wasmplugins")
        await until(lambda: name in place.plugins)
        key = ("wasmplugins", HOME, name)
        place.world._keep(key, merged(place.world.objects[key], {"spec": {"pluginConfig": {"v": 3}}}))
        await until(lambda: place.plugins[name] == {"v": 1})


async def test_a_workload_that_comes_later_gets_it_too(place: Place) -> None:
    place.asks(rollout={"steps": []})
    async with place.working():
        await until(lambda: len(place.plugins) == 1)
        place.workload("later")
        await until(lambda: len(place.plugins) == 2)
        place.world.remove("later", namespace=HOME, plural="deployments")
        await until(lambda: len(place.plugins) == 1)


async def test_a_workload_that_is_relabelled_gets_it_or_loses_it(place: Place) -> None:
    where = {"namespace": HOME, "plural": "deployments"}
    place.workload("other")
    place.world.mark("details", **where, tier="web")
    place.asks(rollout={"steps": []}, workloads={"labels": {"tier": "web"}})
    async with place.working():
        await until(lambda: list(place.plugins) == ["details-headers"])
        place.world.mark("other", **where, tier="web")
        await until(lambda: len(place.plugins) == 2)
        place.world.mark("details", **where, tier="none")
        await until(lambda: list(place.plugins) == ["other-headers"])


async def test_a_finalizer_that_somebody_took_is_put_back(place: Place) -> None:
    place.asks()
    async with place.working():
        await until(lambda: place.ready() == "True")
        place.change(metadata={"finalizers": None, "annotations": None})
        held = ("filterdeployments", HOME, "headers")
        await until(lambda: FINALIZER in place.world.objects[held]["metadata"].get("finalizers", []))


async def test_one_that_cannot_be_done_does_not_keep_the_others(place: Place) -> None:
    place.asks("broken", colour="red")
    place.asks("good")
    async with place.working():
        await until(lambda: place.ready("good") == "True" and place.ready("broken") == "False")
        for state in ("ready", "failed"):
            await until(lambda: f'weft_operator_filters{{state="{state}"}} 1' in metrics(place.operator))  # noqa: B023 - asked at once
        place.world.remove("broken", namespace=HOME, plural="filterdeployments")
        await until(lambda: 'weft_operator_filters{state="failed"} 0' in metrics(place.operator))
    assert metrics(None).splitlines()[-1] == "weft_operator_leading 0"


async def test_what_may_not_be_seen_is_said_of_every_resource(place: Place) -> None:
    place.asks()
    place.world.meet("GET", "wasmplugins?", refusing(403, "Forbidden", "plugins are not yours"))
    async with place.working():
        await until(lambda: "plugins are not yours" in place.message())
        assert place.operator.ready is False
        place.world.come_back()
        await until(lambda: place.ready() == "True", 60)


async def test_an_api_that_goes_away_and_comes_back(place: Place) -> None:
    place.asks(config={"v": 1})
    async with place.working():
        await until(lambda: place.ready() == "True")
        place.world.leave()
        [name] = place.plugins
        place.world.remove(name, namespace=HOME, plural="wasmplugins")
        await until(lambda: any("connection" in one or "connect" in one for one in place.said), 60)
        place.world.come_back()
        await until(lambda: name in place.plugins, 60)


async def test_a_new_generation_ends_what_is_under_way(place: Place) -> None:
    """The first never gets an answer."""

    async def silence(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    place.world.meet("PATCH", "wasmplugins", silence, times=1)
    place.asks(config={"v": 1})
    async with place.working():
        await until(lambda: bool(place.world.requests("PATCH", "wasmplugins")))
        place.asks(config={"v": 2})
        await until(lambda: list(place.plugins.values()) == [{"v": 2}])


@pytest.mark.parametrize("place", [0.05], indirect=True, ids=["again and again"])
async def test_the_report_of_a_node_that_is_gone_is_forgotten(place: Place) -> None:
    place.world.put("weft-node-one", namespace="weft-system", data={"report": "{}"})
    labels = {"weft.dev/node": "one", "app.kubernetes.io/managed-by": "weft"}
    place.world.mark("weft-node-one", namespace="weft-system", **labels)
    async with place.working():
        await until(lambda: "node one is gone, and so is its report" in place.said)
    assert ("configmaps", "weft-system", "weft-node-one") not in place.world.objects


async def test_trouble_is_told_once(place: Place) -> None:
    for _ in range(2):
        place.operator._troubled(WeftError("away"))
    place.operator._troubled(WeftError("back"))
    assert place.said == ["away", "back"]
