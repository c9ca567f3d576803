"""Who changes a filter: one at a time, the others are told, and the place of who was killed is taken."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from weft.clusters import Outrun, Record
from weft.clusters.carrying import Carrier
from weft.clusters.nodes import Nodes
from weft.clusters.records import record_map
from weft.clusters.turns import Turn, TurnLost
from weft.kube import Kube
from weft.mesh import Do, Step
from worlds.clock import FakeClock, HeldBack, until
from worlds.http import hang_up
from worlds.kube_api import KubeWorld, refusing

KEY = ("configmaps", "shop", "weft-filter-headers")
HINT = "look with `weft status` how it stands, and do it again where that is still needed"
ONE = Record(
    name="headers", namespace="shop", filter_id="headers", target="istio/wasmplugin", image="one", removal=()
)
TWO = replace(ONE, image="two")


class Somebody:
    """One who wants to change the filter, and whose time passes up to ``clock.late``."""

    def __init__(self, kube: Kube, holder: str = "me", *, late: float = 0.0) -> None:
        self.clock = HeldBack(late=late)
        self.said: list[str] = []
        self.turn = Turn(kube=kube, clock=self.clock, holder=holder, say=self.said.append)


def deployed(world: KubeWorld, record: Record = ONE, **data: str) -> None:
    """A record that stands."""
    held = record_map(record, **data)
    world.put(KEY[2], namespace=KEY[1], data=held["data"])
    world.mark(KEY[2], namespace=KEY[1], **held["metadata"]["labels"])


def data(world: KubeWorld) -> dict[str, Any]:
    """The record's image, and who changes it."""
    held = world.objects[KEY]["data"]
    image = json.loads(held["record"])["image"]
    return {"image": image} | ({"by": json.loads(held["changing"])["by"]} if "changing" in held else {})


class TestBeginning:
    async def test_the_record_says_who_is_at_work_and_then_that_nobody_is(
        self, world: KubeWorld, kube: Kube
    ) -> None:
        me = Somebody(kube)
        async with me.turn.taken(None, ONE):
            assert data(world) == {"image": "one", "by": "me"}
            await me.turn.write(TWO)
            assert data(world) == {"image": "two", "by": "me"}
        assert data(world) == {"image": "two"}
        assert world.objects[KEY]["metadata"]["labels"]["weft.dev/record"] == "filter"

    async def test_a_record_that_stands_is_taken_in_one_write(self, world: KubeWorld, kube: Kube) -> None:
        deployed(world)
        async with Somebody(kube).turn.taken(ONE, TWO):
            assert data(world) == {"image": "two", "by": "me"}
        assert len(world.requests("PATCH")) == 2

    async def test_of_two_who_begin_at_once_one_is_refused(self, world: KubeWorld, kube: Kube) -> None:
        both = [Somebody(kube, "a"), Somebody(kube, "b")]
        arrived = asyncio.Barrier(2)

        async def meet(request: web.BaseRequest) -> web.StreamResponse:
            await arrived.wait()
            return world._create(KEY[:2], json.loads(world.seen[-1].body))

        async def begin(one: Somebody) -> str:
            try:
                async with one.turn.taken(None, ONE):
                    return "done"
            except Outrun as error:
                return f"{error.exit_code}: {error}: {error.hint}"

        world.meet("POST", "configmaps", meet, times=2)
        said = await asyncio.gather(*map(begin, both))
        assert sorted(said) == [f"8: filter shop/headers is being changed by somebody else: {HINT}", "done"]

    async def test_of_two_who_change_it_at_once_one_is_refused(self, world: KubeWorld, kube: Kube) -> None:
        deployed(world)

        async def outrun(request: web.BaseRequest) -> web.StreamResponse:
            deployed(world, changing='{"by": "b"}')
            return world._one("PATCH", KEY, world.seen[-1].body)

        world.meet("PATCH", "configmaps", outrun, times=1)
        with pytest.raises(Outrun, match=r"^filter shop/headers is being changed by somebody else$"):
            async with Somebody(kube).turn.taken(ONE, TWO):
                raise AssertionError
        assert data(world) == {"image": "one", "by": "b"}

    @pytest.mark.parametrize("there", [None, TWO], ids=["gone", "another"])
    async def test_a_plan_made_on_another_record_is_not_carried_out(
        self, world: KubeWorld, kube: Kube, there: Record | None
    ) -> None:
        if there:
            deployed(world, there)
        with pytest.raises(Outrun, match=r"^filter shop/headers was changed by somebody else meanwhile$"):
            async with Somebody(kube).turn.taken(ONE, ONE):
                raise AssertionError
        assert world.requests("PATCH") == world.requests("POST") == []

    async def test_what_the_api_forbids_is_said_as_it_is(self, world: KubeWorld, kube: Kube) -> None:
        world.meet("POST", "configmaps", refusing(403, "Forbidden", "no"))
        with pytest.raises(Exception, match="create ConfigMap shop/weft-filter-headers: no"):
            async with Somebody(kube).turn.taken(None, ONE):
                raise AssertionError


class TestLookingOn:
    """Somebody else seems to be at work."""

    MARK = '{"by": "ci-7", "since": "2026-11-21T07:00:00Z", "token": "t"}'

    async def test_who_was_killed_is_followed_after_a_while(self, world: KubeWorld, kube: Kube) -> None:
        deployed(world, changing=self.MARK)
        me = Somebody(kube, late=15.0)
        async with me.turn.taken(ONE, TWO):
            assert data(world) == {"image": "two", "by": "me"}
        assert me.clock.time == 15.0
        who = "ci-7 (since 2026-11-21T07:00:00Z)"
        assert me.said == [
            f"filter shop/headers is being changed by {who}; looking whether that goes on",
            f"filter shop/headers: {who} is heard of no more; going on from what stands",
        ]

    async def refused(self, me: Somebody) -> str:
        with pytest.raises(Outrun) as caught:
            async with me.turn.taken(ONE, TWO):
                raise AssertionError
        return str(caught.value)

    async def test_who_goes_on_is_left_alone(self, world: KubeWorld, kube: Kube) -> None:
        deployed(world)
        other, me = Somebody(kube, "ci-7", late=1e9), Somebody(kube, late=1e9)
        other.clock.late = 3.0
        async with other.turn.taken(ONE, ONE):
            said = await self.refused(me)
        assert said.startswith("filter shop/headers is being changed by ci-7 (since 2")

    @pytest.mark.parametrize("end", ["done", "undeployed"])
    async def test_who_ends_meanwhile_was_faster(self, world: KubeWorld, kube: Kube, end: str) -> None:
        deployed(world, changing=self.MARK)
        me = Somebody(kube)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(self.refused(me))
            await until(lambda: bool(me.said))
            deployed(world, TWO) if end == "done" else world.remove(KEY[2], namespace=KEY[1])
            me.clock.late = 15.0
        assert waiting.result() == (
            "filter shop/headers was changed by ci-7 (since 2026-11-21T07:00:00Z) meanwhile"
        )

    @pytest.mark.parametrize("mark", ["?", "[]", "{}", '"x"'])
    async def test_what_cannot_be_read_is_somebody(self, world: KubeWorld, kube: Kube, mark: str) -> None:
        deployed(world, changing=mark)
        me = Somebody(kube, late=15.0)
        async with me.turn.taken(ONE, TWO):
            assert data(world) == {"image": "two", "by": "me"}
        assert "being changed by somebody (since some time)" in me.said[0]


class TestKeeping:
    async def test_it_is_renewed_as_long_as_it_lasts(self, world: KubeWorld, kube: Kube) -> None:
        me = Somebody(kube)
        async with me.turn.taken(None, ONE):
            me.clock.late = 60.0
            await until(lambda: len(world.requests("PATCH")) >= 20)
            me.turn.guard()

    async def test_labels_of_others_take_nothing_from_us(self, world: KubeWorld, kube: Kube) -> None:
        me = Somebody(kube)
        async with me.turn.taken(None, ONE):
            world.mark(KEY[2], namespace=KEY[1], theirs="x")
            me.clock.late = 3.0
            await until(lambda: len(world.requests("PATCH")) >= 2)
            await me.turn.write(TWO)
        assert data(world) == {"image": "two"}
        assert world.objects[KEY]["metadata"]["labels"]["theirs"] == "x"

    async def test_our_own_write_that_arrived_twice_is_ours(self, world: KubeWorld, kube: Kube) -> None:
        deployed(world)

        async def twice(request: web.BaseRequest) -> web.StreamResponse:
            world._one("PATCH", KEY, world.seen[-1].body)
            return await hang_up(request)

        world.meet("PATCH", "configmaps", twice, times=1)
        async with Somebody(kube).turn.taken(ONE, TWO):
            assert data(world) == {"image": "two", "by": "me"}

    @pytest.mark.parametrize(
        ("taken", "message"),
        [
            pytest.param(True, "is being changed by somebody else", id="taken"),
            pytest.param(False, "has no record any more: somebody else deleted it", id="deleted"),
        ],
    )
    async def test_who_lost_it_is_stopped(
        self, world: KubeWorld, kube: Kube, taken: bool, message: str
    ) -> None:
        me = Somebody(kube)

        async def lose() -> None:
            async with me.turn.taken(None, ONE):
                if taken:
                    deployed(world, TWO, changing='{"by": "other"}')
                else:
                    world.remove(KEY[2], namespace=KEY[1])
                me.clock.late = 3.0
                await asyncio.Event().wait()

        with pytest.raises(Outrun, match=rf"^filter shop/headers {message}$"):
            await lose()
        assert not taken or data(world) == {"image": "two", "by": "other"}
        with pytest.raises(TurnLost):
            me.turn.guard()

    async def test_an_api_that_is_away_for_too_long_ends_it(self, world: KubeWorld, kube: Kube) -> None:
        me = Somebody(kube)

        async def lose() -> None:
            async with me.turn.taken(None, ONE):
                world.leave()
                me.clock.late = 10.0
                await asyncio.Event().wait()

        with pytest.raises(TurnLost, match=r"^that we are at work could not be said for 10 s \(.*connect"):
            await lose()

    async def test_one_that_is_away_for_a_moment_does_not(self, world: KubeWorld, kube: Kube) -> None:
        me = Somebody(kube)
        async with me.turn.taken(None, ONE):
            world.meet("PATCH", "configmaps", refusing(403, "Forbidden", "no"), times=2)
            me.clock.late = 9.0
            await until(lambda: me.clock.time == 9.0 and len(world.requests("PATCH")) == 3)
            me.turn.guard()

    async def test_who_slept_too_long_writes_nothing_more(self, world: KubeWorld, kube: Kube) -> None:
        me = Somebody(kube)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(me.turn.taken(None, ONE))
            me.clock.time = 10.0
            for change in (me.turn.write(TWO), me.turn.forget(ONE)):
                with pytest.raises(TurnLost):
                    await change
        assert data(world) == {"image": "one", "by": "me"}, "not even that it is over"

    async def test_a_failure_gives_the_turn_back(self, world: KubeWorld, kube: Kube) -> None:
        with pytest.raises(ZeroDivisionError):
            async with Somebody(kube).turn.taken(None, ONE):
                raise ZeroDivisionError
        assert data(world) == {"image": "one"}

    async def test_what_is_forgotten_is_not_written_again(self, world: KubeWorld, kube: Kube) -> None:
        me = Somebody(kube)
        async with me.turn.taken(None, ONE):
            await me.turn.forget(ONE)
            me.clock.late = 30.0
        assert (world.objects, world.requests("PATCH")) == ({}, [])


class TestCarryingOut:
    """What is under way when the turn is over is neither finished nor undone."""

    STEPS = tuple(
        Step(
            do=do,
            object={
                "apiVersion": "v1",
                "kind": kind,
                "metadata": {"name": "x", "namespace": "shop"},
                "data": {"a": "YQ=="},
            },
            why="",
        )
        for do, kind in ((Do.APPLY, "ConfigMap"), (Do.DELETE, "Pod"), (Do.APPLY, "Secret"))
    )

    def carrier(self, kube: Kube, guard: Any) -> Carrier:
        clock = FakeClock()
        return Carrier(kube=kube, nodes=Nodes(kube, "system", clock), name="f", clock=clock, guard=guard)

    async def test_a_step_that_would_come_too_late(self, world: KubeWorld, kube: Kube) -> None:
        def guard() -> None:
            if ("configmaps", "shop", "x") in world.objects:
                raise TurnLost("over")

        with pytest.raises(TurnLost, match=r"^over$"):
            await self.carrier(kube, guard).carry_out(self.STEPS)
        assert list(world.objects) == [("configmaps", "shop", "x")]

    async def test_a_failure_that_comes_too_late_undoes_nothing(self, world: KubeWorld, kube: Kube) -> None:
        late = False

        def guard() -> None:
            if late:
                raise TurnLost("over")

        async def refuse(request: web.BaseRequest) -> web.StreamResponse:
            nonlocal late
            late = True
            return await refusing(422, "Invalid", "no")(request)

        world.meet("PATCH", "secrets", refuse)
        with pytest.raises(TurnLost, match=r"^over$"):
            await self.carrier(kube, guard).carry_out(self.STEPS)
        assert list(world.objects) == [("configmaps", "shop", "x")]

    @pytest.mark.parametrize("late", [True, False])
    async def test_who_is_stopped_undoes_only_in_time(self, world: KubeWorld, kube: Kube, late: bool) -> None:
        stopped = False

        def guard() -> None:
            if late and stopped:
                raise TurnLost("over")

        async def hold(_: web.BaseRequest) -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError

        world.meet("PATCH", "secrets", hold)
        work = asyncio.ensure_future(self.carrier(kube, guard).carry_out(self.STEPS))
        await until(lambda: bool(world.requests("PATCH", "secrets")))
        stopped = True
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert list(world.objects) == ([("configmaps", "shop", "x")] if late else [])
