"""An API whose reads are answered at hand: never older than what was written, never without end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from weft.kube import CachedKube, Conflict, Missing, Object, Ref
from worlds.clock import FakeClock, until
from worlds.kube_api import KubeWorld, open_client, open_world, refuse, refusing

A = Ref("v1", "ConfigMap", "a", "default")


@pytest.fixture
async def world() -> AsyncIterator[KubeWorld]:
    async with open_world() as world:
        world.put("a", data={"x": "1"})
        world.put("b", namespace="other", data={"x": "1"})
        yield world


@asynccontextmanager
async def following(
    world: KubeWorld, told: list[str] | None = None, **words: Any
) -> AsyncIterator[CachedKube]:
    def on_change(before: Object | None, now: Object | None) -> None:
        held = now or before
        assert held is not None
        sign = "-" if now is None else "+" if before is None else "=" if now is before else "~"
        (told if told is not None else []).append(sign + held["metadata"]["name"])

    clock = FakeClock()
    async with open_client(world, clock=clock) as kube:
        cached = CachedKube(kube)
        cached.follow("v1", "ConfigMap", on_change=on_change, clock=clock, **words)
        async with cached.following():
            await until(lambda: bool(world.watches))
            yield cached


async def test_what_is_followed_is_read_without_a_request(world: KubeWorld) -> None:
    async with following(world) as kube:
        before = len(world.seen)
        assert (await kube.get(A))["data"] == {"x": "1"}
        assert await kube.find(Ref("v1", "ConfigMap", "zz", "default")) is None
        with pytest.raises(Missing, match="^get ConfigMap default/zz: there is none$"):  # noqa: RUF043
            await kube.get(Ref("v1", "ConfigMap", "zz", "default"))
        listed = await kube.list("v1", "ConfigMap", namespace="other")
        assert [one["metadata"]["name"] for one in listed.items] == ["b"]
        assert await kube.knows("v1", "ConfigMap")
        assert len(world.seen) == before


async def test_what_is_not_followed_is_asked_for(world: KubeWorld) -> None:
    world.put("n", namespace="", plural="nodes")
    async with following(world, namespace="default") as kube:
        before = len(world.seen)
        assert (await kube.get(Ref("v1", "Node", "n")))["metadata"]["name"] == "n"
        assert (await kube.get(Ref("v1", "ConfigMap", "b", "other")))["data"] == {"x": "1"}
        assert len((await kube.list("v1", "ConfigMap")).items) == 2
        assert len(world.seen) == before + 3 + 1  # and once which kinds there are


async def test_what_was_written_is_read_at_once(world: KubeWorld) -> None:
    async with following(world) as kube:
        held = await kube.get(A)
        await kube.replace({**held, "data": {"x": "2"}})
        assert (await kube.get(A))["data"] == {"x": "2"}
        await kube.create({**held, "metadata": {"name": "c", "namespace": "default"}})
        assert len((await kube.list("v1", "ConfigMap")).items) == 3
        assert await kube.delete(A)
        assert await kube.find(A) is None
        assert kube.writes == 3


async def test_what_was_missed_is_found_by_asking_the_api_and_not_itself(world: KubeWorld) -> None:
    told: list[str] = []
    async with following(world, told) as kube:
        assert told == ["+a", "+b"]
        world.end_watches()
        world.remove("a")
        world.put("c")
        world.forget()
        await until(lambda: len(told) >= 4)
        assert told[2:] == ["-a", "+c"]
        assert await kube.find(A) is None
    assert len(world.requests("GET", "limit=500")) == 2


async def test_what_is_made_anew_is_not_removed_with_its_predecessor(world: KubeWorld) -> None:
    told: list[str] = []
    async with following(world, told) as kube:
        held = await kube.get(A)
        world.meet("GET", "watch=1", refusing(429, "TooManyRequests", "later"))
        world.end_watches()
        await until(lambda: not world.watches)
        await kube.delete(A)
        await kube.create({**held, "data": {"x": "new"}})
        world.come_back()
        world.put("last")
        await until(lambda: "+last" in told)
        assert told == ["+a", "+b", "=a", "+last"]
        assert (await kube.get(A))["data"] == {"x": "new"}


async def test_what_was_deleted_does_not_come_back_with_old_news(world: KubeWorld) -> None:
    told: list[str] = []
    async with following(world, told) as kube:
        world.meet("GET", "watch=1", refusing(429, "TooManyRequests", "later"))
        world.end_watches()
        await until(lambda: not world.watches)
        await kube.merge(A, {"data": {"x": "2"}})
        await kube.delete(A)
        world.come_back()
        world.put("last")
        await until(lambda: "+last" in told)
        assert told == ["+a", "+b", "+last"]


async def test_what_one_wrote_is_no_news_though_the_watch_hurries(world: KubeWorld) -> None:
    told: list[str] = []

    async def late(_: web.BaseRequest) -> web.Response:
        world.put("a", data={"x": "2"})
        world.put("meanwhile")
        await until(lambda: "+meanwhile" in told)
        return web.json_response(world.objects["configmaps", "default", "a"])

    async with following(world, told) as kube:
        world.meet("PATCH", "configmaps/a", late)
        await kube.merge(A, {"data": {"x": "2"}})
        assert told[2:] == ["+meanwhile", "=a"]
        world.put("a", data={"x": "3"})
        await until(lambda: told[-1] == "~a")


async def test_who_fails_to_write_still_hears_of_others(world: KubeWorld) -> None:
    told: list[str] = []

    async def refused(_: web.BaseRequest) -> web.Response:
        world.remove("a")
        world.put("meanwhile")
        await until(lambda: "+meanwhile" in told)
        return refuse(409, "Conflict", "no")

    async with following(world, told) as kube:
        world.meet("PUT", "configmaps/a", refused)
        with pytest.raises(Conflict):
            await kube.replace(await kube.get(A))
        assert told[2:] == ["+meanwhile", "-a"]


async def test_only_what_changed_is_read_again(world: KubeWorld) -> None:
    read: list[str] = []

    def name(held: Object) -> str:
        read.append(held["metadata"]["name"])
        return read[-1]

    async with following(world) as kube:
        first = await kube.read("v1", "ConfigMap", name)
        assert first == ("a", "b")
        assert await kube.read("v1", "ConfigMap", name) is first
        assert await kube.read("v1", "ConfigMap", name, namespace="other") == ("b",)
        assert read == ["a", "b", "b"]
        await kube.merge(A, {"data": {"x": "2"}})
        assert await kube.read("v1", "ConfigMap", name) == first
        assert await kube.delete(A)
        assert await kube.read("v1", "ConfigMap", name) == ("b",)
        assert read == ["a", "b", "b", "a"]


async def test_what_is_not_followed_is_read_from_the_api(world: KubeWorld) -> None:
    async with following(world, namespace="default") as kube:
        before = len(world.requests("GET", "limit=500"))
        for _ in range(2):
            found = await kube.read("v1", "ConfigMap", lambda held: held["metadata"]["name"])
            assert found == ("a", "b")
        assert len(world.requests("GET", "limit=500")) == before + 2
