"""Who may act: taking a lease, keeping it, losing it and giving it back."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from weft.errors import WeftError
from weft.kube import Lease, LeaseLost
from worlds.clock import HeldBack, until
from worlds.http import Handler, hang_up
from worlds.kube_api import KubeWorld, open_client, open_world, refuse, refusing

KEY = ("leases", "weft", "operator")


@dataclass
class Contender:
    """One that wants to act."""

    name: str
    seconds: float = 15.0
    clock: HeldBack = field(default_factory=HeldBack)
    troubles: list[str] = field(default_factory=list)
    acting: bool = False

    @asynccontextmanager
    async def holding(self, world: KubeWorld) -> AsyncIterator[None]:
        async with open_client(world, clock=self.clock) as kube:
            lease = Lease(
                kube,
                "operator",
                "weft",
                self.name,
                seconds=self.seconds,
                on_trouble=self.hear,
                clock=self.clock,
            )
            async with lease.held():
                self.acting = True
                try:
                    yield
                finally:
                    self.acting = False

    def hear(self, error: WeftError) -> None:
        self.troubles.append(str(error))


@pytest.fixture
async def world() -> AsyncIterator[KubeWorld]:
    async with open_world() as world:
        yield world


def lease(world: KubeWorld) -> dict[str, Any]:
    return dict(world.objects[KEY]["spec"])


def others(world: KubeWorld, holder: str = "other", time: str = "2026-11-21T07:00:00.000000Z") -> None:
    """Somebody else takes or renews it."""
    spec = {"holderIdentity": holder, "renewTime": time, "leaseDurationSeconds": 20, "leaseTransitions": 3}
    world.put("operator", namespace="weft", plural="leases", spec=spec)


def written(world: KubeWorld) -> list[dict[str, Any]]:
    """What was asked to be the lease, one after the other."""
    asked = [one for one in world.requests(part="leases") if one.body]
    return [json.loads(one.body)["spec"] for one in asked]


async def for_ever() -> None:
    async with asyncio.timeout(20):
        await asyncio.Event().wait()


class TestTaking:
    """Nobody acts before it is theirs."""

    async def test_a_lease_that_is_not_there_is_made(self, world: KubeWorld) -> None:
        async with Contender("a", clock=HeldBack(late=1)).holding(world):
            spec = lease(world)
        assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == (
            "a",
            15,
            0,
        )
        assert spec["acquireTime"] == spec["renewTime"]

    async def test_a_lease_that_was_given_back_is_taken_at_once(self, world: KubeWorld) -> None:
        others(world, holder="")
        contender = Contender("a", clock=HeldBack(late=1))
        async with contender.holding(world):
            assert (lease(world)["holderIdentity"], lease(world)["leaseTransitions"]) == ("a", 4)
        assert contender.clock.slept == []

    async def test_our_own_is_ours_again(self, world: KubeWorld) -> None:
        others(world, holder="a")
        async with Contender("a", clock=HeldBack(late=1)).holding(world):
            assert lease(world)["leaseTransitions"] == 3
            assert lease(world)["renewTime"] != "2026-11-21T07:00:00.000000Z"

    @pytest.mark.parametrize("time", ["1999-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z", ""])
    async def test_another_s_is_waited_for_by_our_own_clock_whatever_theirs_says(
        self, world: KubeWorld, time: str
    ) -> None:
        others(world, time=time)
        contender = Contender("a", clock=HeldBack(late=21))
        async with contender.holding(world):
            assert contender.clock.slept == [3.0] * 7  # the first that is no less than its 20 s
            assert lease(world)["leaseTransitions"] == 4

    async def test_another_that_renews_is_waited_for_anew(self, world: KubeWorld) -> None:
        others(world)
        contender = Contender("a", clock=HeldBack(late=15))
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._hold(contender, world))
            await until(lambda: contender.clock.time == 15)
            others(world, time="2026-11-21T07:00:15.000000Z")
            contender.clock.late = 33
            await until(lambda: contender.clock.time == 33)
            assert not contender.acting
            task.cancel()
        assert lease(world)["holderIdentity"] == "other"

    @staticmethod
    async def _hold(contender: Contender, world: KubeWorld) -> None:
        async with contender.holding(world):
            await for_ever()

    @pytest.mark.parametrize(("there", "method"), [(False, "POST"), (True, "PUT")])
    async def test_who_comes_second_waits(self, world: KubeWorld, there: bool, method: str) -> None:
        async def too_late(_: web.BaseRequest) -> web.StreamResponse:
            others(world)
            return refuse(409, "Conflict" if there else "AlreadyExists", "too late")

        if there:
            others(world, holder="")
        world.meet(method, "leases", too_late, times=1)
        contender = Contender("a", clock=HeldBack(late=30))
        async with contender.holding(world):
            assert len(contender.clock.slept) == 8
        assert contender.troubles == []

    async def test_why_it_cannot_be_had_is_told_until_it_can(self, world: KubeWorld) -> None:
        contender = Contender("a", clock=HeldBack(late=10))
        world.meet("POST", "leases", refusing(403, "Forbidden", "no rights"), times=3)
        async with contender.holding(world):
            assert contender.troubles == ["create Lease weft/operator: no rights"] * 3
            assert contender.clock.slept == [3.0] * 3

    async def test_an_api_that_is_away_is_asked_again(self, world: KubeWorld) -> None:
        contender = Contender("a", clock=HeldBack(late=200))
        world.meet("GET", "leases", hang_up, times=20)
        async with contender.holding(world):
            assert contender.troubles[0].startswith(f"GET {world.host}: the connection broke")

    async def test_who_stops_waiting_leaves_nothing_behind(self, world: KubeWorld) -> None:
        others(world)
        contender = Contender("a", clock=HeldBack(late=1))
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._hold(contender, world))
            await until(lambda: bool(world.requests("GET", "leases")))
            task.cancel()
        assert lease(world)["holderIdentity"] == "other"

    async def test_what_was_taken_with_an_answer_that_never_came_is_given_back(
        self, world: KubeWorld
    ) -> None:
        async def taken(request: web.BaseRequest) -> web.StreamResponse:
            others(world, holder="a")
            return await silent(request)

        world.meet("POST", "leases", taken)
        contender = Contender("a")
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._hold(contender, world))
            await until(lambda: KEY in world.objects)
            task.cancel()
        assert lease(world)["holderIdentity"] == ""


class TestKeeping:
    """It is ours as long as it is renewed."""

    async def test_it_is_renewed_in_time(self, world: KubeWorld) -> None:
        contender = Contender("a", clock=HeldBack(late=300))
        async with contender.holding(world):
            acquired = lease(world)["acquireTime"]
            await until(lambda: len(world.requests("PUT", "leases")) == 100)
            assert contender.clock.slept == [3.0] * 100
            spec = lease(world)
        assert len(world.requests("PUT", "leases")) == 100 + 1  # to give it back
        assert (spec["acquireTime"], spec["leaseTransitions"]) == (acquired, 0)
        assert spec["renewTime"] > acquired

    async def test_it_is_given_back_at_the_end_and_when_the_block_fails(self, world: KubeWorld) -> None:
        async with Contender("a", clock=HeldBack(late=1)).holding(world):
            pass
        assert (lease(world)["holderIdentity"], lease(world)["leaseTransitions"]) == ("", 0)
        with pytest.raises(ZeroDivisionError):
            async with Contender("b", clock=HeldBack(late=1)).holding(world):
                raise ZeroDivisionError
        assert (lease(world)["holderIdentity"], lease(world)["leaseTransitions"]) == ("", 1)

    async def test_what_the_lease_has_beside_stays(self, world: KubeWorld) -> None:
        others(world, holder="")
        world.objects[KEY]["metadata"]["labels"] = {"x": "y"}
        world.objects[KEY]["spec"]["strategy"] = "z"
        async with Contender("a", clock=HeldBack(late=1)).holding(world):
            pass
        assert world.objects[KEY]["metadata"]["labels"] == {"x": "y"}
        assert lease(world)["strategy"] == "z"

    async def test_one_that_was_removed_is_made_again(self, world: KubeWorld) -> None:
        contender = Contender("a", clock=HeldBack(late=6))
        async with contender.holding(world):
            await until(lambda: contender.clock.time == 6)
            world.remove("operator", namespace="weft", plural="leases")
            contender.clock.late = 1000
            await until(lambda: KEY in world.objects)
            assert lease(world)["holderIdentity"] == "a"

    async def test_a_moment_without_the_api_is_survived(self, world: KubeWorld) -> None:
        contender = Contender("a", clock=HeldBack(late=3))
        async with contender.holding(world):
            await until(lambda: contender.clock.time == 3)
            world.meet("GET", "leases", refusing(403, "Forbidden", "not yet"), times=2)
            contender.clock.late = 60
            await until(lambda: contender.clock.time == 60)
        assert contender.troubles == ["get Lease weft/operator: not yet"] * 2


async def losing(contender: Contender, world: KubeWorld, then: Callable[[], None]) -> None:
    """Hold it until the clock stands still, let ``then`` happen, and time go on."""
    async with contender.holding(world):
        await until(lambda: contender.clock.time == contender.clock.late)
        then()
        contender.clock.late = 1e9
        await for_ever()


async def silent(_: web.BaseRequest) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


class TestLosing:
    """It ends before another may start."""

    @pytest.mark.parametrize(
        "fault",
        [
            pytest.param(refusing(500, "InternalError", "etcd is away"), id="an error"),
            pytest.param(refusing(403, "Forbidden", "no rights"), id="no rights"),
            pytest.param(hang_up, id="no connection"),
        ],
    )
    async def test_who_cannot_renew_stops_after_two_thirds_of_its_time(
        self, world: KubeWorld, fault: Handler
    ) -> None:
        contender = Contender("a", clock=HeldBack(late=6))
        with pytest.raises(LeaseLost, match=r"^the Lease weft/operator could not be renewed for 1"):
            await losing(contender, world, lambda: world.meet("", "leases/", fault))
        assert contender.troubles
        assert not contender.acting

    async def test_an_answer_that_does_not_come_is_not_waited_for_too_long(self, world: KubeWorld) -> None:
        contender = Contender("a", seconds=0.3, clock=HeldBack(late=0.0))
        with pytest.raises(LeaseLost):
            await losing(contender, world, lambda: world.meet("", "leases/", silent))
        assert contender.troubles[0] == "the Lease weft/operator: no answer within 0.1 s"

    async def test_time_counts_from_when_the_last_renewal_was_asked_for(self, world: KubeWorld) -> None:
        contender = Contender("a", clock=HeldBack(late=0.0))

        async def slow(_: web.BaseRequest) -> web.StreamResponse:
            contender.clock.time += 8  # the API had it at once, the answer took this long
            world.meet("GET", "leases", refusing(403, "Forbidden", "no rights"))
            return web.json_response(world.objects[KEY])

        with pytest.raises(LeaseLost, match="could not be renewed for 10 s"):
            await losing(contender, world, lambda: world.meet("PUT", "leases", slow, times=1))
        assert contender.clock.time == pytest.approx(3 + 10)

    async def test_who_was_asleep_has_lost_even_when_nobody_came(self, world: KubeWorld) -> None:
        contender = Contender("a", clock=HeldBack(late=3))

        def sleep() -> None:
            contender.clock.time = 63

        with pytest.raises(LeaseLost, match="the Lease weft/operator could not be renewed for 6"):
            await losing(contender, world, sleep)
        assert [one["holderIdentity"] for one in written(world)] in (["a", "a", ""], ["a", ""])

    async def test_one_that_another_has_is_lost_at_once_and_left_alone(self, world: KubeWorld) -> None:
        contender = Contender("a", clock=HeldBack(late=3))
        with pytest.raises(LeaseLost, match="the Lease weft/operator was taken by other"):
            await losing(contender, world, lambda: others(world))
        assert contender.clock.time <= 6
        assert lease(world)["holderIdentity"] == "other"
