"""One resource made true, or not: what its status says of every way in which that can fail."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from weft.clusters import ANNOTATION
from weft.errors import FilterRefused, WeftError
from weft.kube import Kube, KubeError
from weft.mesh import KINDS, Facts, ImageUrl, Intent
from weft.operator.keeping import FINALIZER
from weft.operator.reconciler import Reconciler, Unsigned
from worlds.clock import FakeClock
from worlds.http import hang_up
from worlds.intents import IMAGE, MODULE
from worlds.kube_api import KubeWorld, merged, open_client, open_world, refusing

HOME = "bookinfo"
KEY = ("filterdeployments", HOME, "add-header")
PLUGIN = ("wasmplugins", HOME, "details-add-header")
OWN = KINDS[0]


class Modules:
    """Images that are there, unless a test says what is wrong with them."""

    def __init__(self) -> None:
        self.wrong: dict[str, WeftError] = {}

    def _raise(self, what: str) -> None:
        if what in self.wrong:
            raise self.wrong[what]

    async def facts(self, kube: Kube, intent: Intent) -> Facts:  # noqa: ARG002
        self._raise("facts")
        return Facts(image=ImageUrl.parse(IMAGE), module=MODULE)

    async def check(self, intent: Intent, facts: Facts) -> None:  # noqa: ARG002
        self._raise("check")

    async def credential(self, kube: Kube, intent: Intent) -> str:  # noqa: ARG002
        self._raise("credential")
        return "{}"


class Bench:
    """An operator's reconciler, and the one resource it is asked about."""

    def __init__(self, world: KubeWorld, kube: Kube) -> None:
        self.world, self.modules, self.said = world, Modules(), list[str]()
        self.reconciler = Reconciler(
            kube=kube, images=self.modules, system="weft-system", clock=FakeClock(), say=self.said.append
        )

    def asked(self, **spec: Any) -> None:
        """Somebody makes or changes the resource."""
        held = self.world.objects.get(KEY, {})
        generation = held.get("metadata", {}).get("generation", 0) + 1
        more = {**held, "spec": {"image": IMAGE, **spec}}
        for name in ("apiVersion", "kind"):
            more.pop(name, None)
        metadata = more.pop("metadata", {})
        self.world.put(KEY[2], namespace=HOME, plural=KEY[0], **more)
        self.change(metadata={**metadata, "generation": generation})

    def change(self, **fields: Any) -> None:
        self.world._keep(KEY, merged(self.world.objects[KEY], fields))

    async def reconcile(self) -> WeftError | None:
        return await self.reconciler.reconcile(OWN, KEY[2], HOME)

    @property
    def metadata(self) -> dict[str, Any]:
        return dict(self.world.objects[KEY]["metadata"])

    def conditions(self) -> dict[str, tuple[str, str]]:
        """Status and reason of each."""
        held = self.world.objects[KEY]["status"]["conditions"]
        return {one["type"]: (one["status"], one["reason"]) for one in held}

    def message(self) -> str:
        held = self.world.objects[KEY]["status"]["conditions"]
        return str(next(one["message"] for one in held if one["type"] == "Ready"))

    def events(self) -> list[tuple[str, str]]:
        held = [one for key, one in self.world.objects.items() if key[0] == "events"]
        return [(one["type"], one["reason"]) for one in held]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_world() as world, open_client(world) as kube:
        for name, namespace, app in (("details", HOME, "details"), ("istiod", "istio-system", "istiod")):
            template = {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"image": "a:1.26"}]}}
            spec = {"replicas": 0, "template": template}
            world.put(name, namespace=namespace, plural="deployments", spec=spec)
            world.mark(name, namespace=namespace, plural="deployments", app=app)
        bench = Bench(world, kube)
        bench.asked(rollout={"steps": []})
        yield bench


async def test_it_comes_and_goes(bench: Bench) -> None:
    assert await bench.reconcile() is None
    assert set(bench.conditions().values()) == {("True", one) for one in (
        "Resolved", "Verified", "Compatible", "Distributed", "Programmed", "Deployed",
    )}  # fmt: skip
    assert PLUGIN in bench.world.objects
    assert (FINALIZER in bench.metadata["finalizers"], ANNOTATION in bench.metadata["annotations"]) == (
        True,
        True,
    )
    assert bench.events() == [("Normal", "Deployed")]
    bench.change(metadata={"deletionTimestamp": "2026-11-21T07:00:00Z"})
    assert await bench.reconcile() is None
    assert PLUGIN not in bench.world.objects
    assert (bench.metadata["finalizers"], ANNOTATION in bench.metadata["annotations"]) == ([], False)


async def test_what_is_as_it_should_be_is_written_no_more(bench: Bench) -> None:
    await bench.reconcile()
    bench.world.seen.clear()
    assert await bench.reconcile() is None
    assert [one.method for one in bench.world.seen if one.method != "GET"] == []


@pytest.mark.parametrize(
    ("what", "error", "stage", "reason"),
    [
        pytest.param("facts", WeftError("hub is away"), "Resolved", "WeftError", id="registry away"),
        pytest.param("facts", Unsigned("no signature"), "Verified", "Unsigned", id="unsigned"),
        pytest.param(
            "check", FilterRefused("no such key"), "Compatible", "FilterRefused", id="config refused"
        ),
    ],
)
async def test_the_first_stage_that_failed_says_why_and_later_ones_wait(
    bench: Bench, what: str, error: WeftError, stage: str, reason: str
) -> None:
    bench.modules.wrong[what] = error
    assert await bench.reconcile() is error
    found = bench.conditions()
    names = list(found)
    before, after = names[: names.index(stage)], names[names.index(stage) + 1 : -1]
    assert found[stage] == found["Ready"] == ("False", reason)
    assert {found[name][0] for name in before} <= {"True"}
    assert {found[name] for name in after} <= {("Unknown", "Waiting")}
    assert bench.message() == str(error)
    assert bench.events() == [("Warning", reason)]
    assert PLUGIN not in bench.world.objects


async def test_trouble_later_takes_nothing_away(bench: Bench) -> None:
    await bench.reconcile()
    bench.modules.wrong["facts"] = WeftError("hub is away")
    bench.asked(rollout={"steps": []}, config={"value": 2})
    assert await bench.reconcile() is not None
    assert PLUGIN in bench.world.objects
    assert bench.world.objects[KEY]["status"]["resolvedImage"] == f"oci://{IMAGE}", "what runs is known still"


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"image": 5}, id="no text"),
        pytest.param({"colour": "red"}, id="a field that nobody knows"),
        pytest.param({"target": {"istio": {}, "gloo": {}}}, id="two targets"),
    ],
)
async def test_a_resource_that_no_webhook_kept_away(bench: Bench, spec: dict[str, Any]) -> None:
    bench.asked(**spec)
    assert await bench.reconcile() is not None
    assert bench.conditions()["Ready"] == ("False", "UsageError")
    assert "FilterDeployment bookinfo/add-header" in bench.message()


async def test_what_its_reader_has_not_taken_is_not_ready(bench: Bench) -> None:
    bench.asked(target={"envoyGateway": {}}, targetRefs=[{"name": "eg"}])
    assert await bench.reconcile() is not None
    assert bench.conditions()["Programmed"] == ("False", "Unread")
    [key] = [key for key in bench.world.objects if key[0] == "envoyextensionpolicies"]
    for accepted, reason in (("False", "Refused"), ("True", "Deployed")):
        conditions = [{"type": "Accepted", "status": accepted, "message": "no such gateway"}]
        said = {"status": {"ancestors": [{"conditions": conditions}]}}
        bench.world._keep(key, merged(bench.world.objects[key], said))
        await bench.reconcile()
        assert bench.conditions()["Ready"][1] == reason


class TestApiTrouble:
    async def test_a_right_that_is_granted_by_namespace_says_the_command(self, bench: Bench) -> None:
        bench.world.meet("GET", "secrets", refusing(403, "Forbidden", "no", kind="secrets"))
        bench.asked(config={}, configFrom=[{"secretKeyRef": {"name": "s", "key": "k"}, "path": "a"}])
        await bench.reconcile()
        assert bench.message() == (
            "get Secret bookinfo/s: no; let the operator: kubectl create rolebinding weft-namespace"
            " -n bookinfo --clusterrole=weft-namespace --serviceaccount=weft-system:weft-operator"
        )

    async def test_an_object_that_may_not_be_written(self, bench: Bench) -> None:
        bench.world.meet("PATCH", "wasmplugins", refusing(403, "Forbidden", "not yours"))
        assert await bench.reconcile() is not None
        assert bench.conditions()["Programmed"] == ("False", "Denied")
        assert "not yours" in bench.message()
        assert FINALIZER in bench.metadata["finalizers"], "what may be there is on record"

    async def test_a_resource_that_went_before_its_status(self, bench: Bench) -> None:
        bench.world.meet("PATCH", "add-header/status", refusing(404, "NotFound", "gone"))
        assert await bench.reconcile() is None
        assert bench.events() == []

    async def test_one_that_is_not_there(self, bench: Bench) -> None:
        bench.world.remove(KEY[2], namespace=HOME, plural=KEY[0])
        assert await bench.reconcile() is None
        assert PLUGIN not in bench.world.objects

    async def test_a_status_that_cannot_be_written_is_raised(self, bench: Bench) -> None:
        bench.world.meet("PATCH", "add-header/status", refusing(403, "Forbidden", "no status"))
        with pytest.raises(KubeError, match="no status"):
            await bench.reconcile()

    async def test_an_event_that_cannot_be_said_is_not(self, bench: Bench) -> None:
        bench.world.meet("POST", "events", refusing(403, "Forbidden", "no"))
        assert await bench.reconcile() is None
        assert bench.conditions()["Ready"] == ("True", "Deployed")

    async def test_an_api_that_goes_away_in_the_middle(self, bench: Bench) -> None:
        async def leave(request: web.BaseRequest) -> web.StreamResponse:
            bench.world.leave()
            return await hang_up(request)

        bench.world.meet("PATCH", "wasmplugins", leave)
        with pytest.raises(WeftError):
            await bench.reconcile()
        bench.world.come_back()
        assert await bench.reconcile() is None
        assert bench.conditions()["Ready"] == ("True", "Deployed")

    async def test_finalizers_of_others_stay_though_they_come_in_between(self, bench: Bench) -> None:
        async def outrun(request: web.BaseRequest) -> web.StreamResponse:
            bench.change(metadata={"finalizers": ["theirs"]})
            return bench.world._one("PATCH", KEY, bench.world.seen[-1].body)

        bench.world.meet("PATCH", "add-header", outrun, times=1)
        assert await bench.reconcile() is not None
        assert bench.metadata["finalizers"] == ["theirs"]
        assert await bench.reconcile() is None
        assert bench.metadata["finalizers"] == ["theirs", FINALIZER]


class TestRemoval:
    @pytest.fixture
    async def going(self, bench: Bench) -> Bench:
        await bench.reconcile()
        bench.change(metadata={"deletionTimestamp": "2026-11-21T07:00:00Z"})
        return bench

    async def test_what_may_not_go_keeps_the_resource_and_is_said(self, going: Bench) -> None:
        going.world.meet("DELETE", "wasmplugins", refusing(403, "Forbidden", "no"), times=1)
        assert await going.reconcile() is not None
        assert FINALIZER in going.metadata["finalizers"]
        assert ("Warning", "Denied") in going.events()
        assert "cannot be removed: delete WasmPlugin" in going.said[-1]
        assert await going.reconcile() is None
        assert going.metadata["finalizers"] == []

    async def test_a_record_that_somebody_took_leaves_the_finalizer_to_be_let_go(self, going: Bench) -> None:
        going.change(metadata={"annotations": {ANNOTATION: None}})
        assert await going.reconcile() is None
        assert going.metadata["finalizers"] == []

    async def test_a_record_that_somebody_broke_is_named(self, going: Bench) -> None:
        going.change(metadata={"annotations": {ANNOTATION: "%%"}})
        error = await going.reconcile()
        assert f"annotation {ANNOTATION} of FilterDeployment bookinfo/add-header" in str(error)
        assert FINALIZER in going.metadata["finalizers"]

    async def test_one_that_others_keep_is_left_to_them(self, going: Bench) -> None:
        going.change(metadata={"finalizers": ["theirs"]})
        assert await going.reconcile() is None
        assert PLUGIN in going.world.objects

    async def test_one_that_went_while_we_let_it_go(self, going: Bench) -> None:
        async def went(request: web.BaseRequest) -> web.StreamResponse:
            going.world.remove(KEY[2], namespace=HOME, plural=KEY[0])
            return going.world._one("DELETE", PLUGIN, b"")

        going.world.meet("DELETE", "wasmplugins", went, times=1)
        assert await going.reconcile() is None
        assert KEY not in going.world.objects


class TestHalfFinishedRollouts:
    """Pods are those of nobody: a Deployment says how many are ready."""

    def workload(self, bench: Bench, ready: int) -> None:
        held = bench.world.objects["deployments", HOME, "details"]
        status = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": ready}
        bench.world._keep(
            ("deployments", HOME, "details"), merged(held, {"spec": {"replicas": 1}, "status": status})
        )

    async def test_one_that_does_not_get_ready_is_called_off_and_stays_so(self, bench: Bench) -> None:
        self.workload(bench, 1)
        bench.asked(rollout={"steps": [{"percent": 50}]}, config={"value": 1})
        assert await bench.reconcile() is None
        self.workload(bench, 0)
        bench.asked(rollout={"steps": [{"percent": 50}]}, config={"value": 2})
        error = await bench.reconcile()
        assert type(error).__name__ == "CalledOff"
        assert f"oci://{IMAGE} is back" in bench.message()
        assert bench.world.objects[PLUGIN]["spec"]["pluginConfig"] == {"value": 1}
        self.workload(bench, 1)
        assert type(await bench.reconcile()).__name__ == "CalledOff"
        assert bench.world.objects[PLUGIN]["spec"]["pluginConfig"] == {"value": 1}
        bench.asked(rollout={"steps": [{"percent": 50}]}, config={"value": 3})
        assert await bench.reconcile() is None
        assert bench.world.objects[PLUGIN]["spec"]["pluginConfig"] == {"value": 3}

    async def test_the_first_version_that_fails_leaves_nothing(self, bench: Bench) -> None:
        self.workload(bench, 0)
        bench.asked(rollout={"steps": [{"percent": 50}]})
        assert type(await bench.reconcile()).__name__ == "CalledOff"
        assert "it is taken away, there was none before" in bench.message()
        assert (PLUGIN in bench.world.objects, bench.metadata.get("finalizers")) == (False, [])

    async def test_one_that_is_held_waits_and_that_is_no_trouble(self, bench: Bench) -> None:
        self.workload(bench, 1)
        bench.asked(rollout={"steps": [{"percent": 50, "hold": "1h"}]})
        assert await bench.reconcile() is None
        assert bench.conditions()["Ready"] == ("False", "RollingOut")
        held = bench.world.objects[KEY]["status"]
        assert (held["rollout"]["state"], held["workloads"][0]["state"]) == ("RollingOut", "Ready")
        assert json.dumps(bench.events()) == '[["Normal", "RollingOut"]]'
