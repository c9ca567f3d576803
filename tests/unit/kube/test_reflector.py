"""A reflector and an API that ends, breaks, forgets, lies and comes back."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from weft.base.effort import Persistence
from weft.errors import WeftError
from weft.kube import Cluster, Kube, Object, Reflector
from weft.kube.credentials import Credentials
from weft.kube.kubeconfig import User
from weft.kube.transport import Transport
from weft.net import Http, Network
from worlds.clock import FakeClock, until
from worlds.http import Handler, short
from worlds.kube_api import KubeWorld, open_client, open_world, refusing

Change = tuple[str, str | None, str | None]


@dataclass
class Told:
    """What a reflector says, in order; ``clock`` is its own."""

    clock: FakeClock = field(default_factory=FakeClock)
    changes: asyncio.Queue[Change] = field(default_factory=asyncio.Queue)
    troubles: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def on_change(self, before: Object | None, now: Object | None) -> None:
        held = now or before
        assert held is not None
        self.changes.put_nowait((held["metadata"]["name"], value(before), value(now)))

    def on_trouble(self, error: WeftError) -> None:
        self.troubles.put_nowait(str(error))

    async def next(self, count: int = 1) -> list[Change]:
        async with asyncio.timeout(20):
            return [await self.changes.get() for _ in range(count)]

    async def trouble(self) -> str:
        async with asyncio.timeout(20):
            return await self.troubles.get()


def value(held: Object | None) -> str | None:
    return None if held is None else held.get("data", {}).get("x", "")


def configmap(name: str, version: int, x: str = "1") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "resourceVersion": str(version)}
    return {"metadata": metadata, "data": {"x": x}}


def line(kind: str, held: object) -> bytes:
    return json.dumps({"type": kind, "object": held}).encode() + b"\n"


@pytest.fixture
async def world() -> AsyncIterator[KubeWorld]:
    async with open_world() as world:
        world.put("a", data={"x": "1"})
        world.put("b", data={"x": "1"})
        yield world


@pytest.fixture
def told() -> Told:
    return Told()


@asynccontextmanager
async def following(
    world: KubeWorld, told: Told, kind: str = "ConfigMap", **more: Any
) -> AsyncIterator[Reflector]:
    """A reflector that has listed what is there; what it told of that is taken."""
    async with open_client(world, clock=told.clock) as kube:
        reflector = made(kube, told, kind, **more)
        async with reflector.running(), asyncio.timeout(20):
            await reflector.synced.wait()
            await told.next(len(reflector))
            yield reflector


def made(kube: Kube, told: Told, kind: str = "ConfigMap", **more: Any) -> Reflector:
    return Reflector(
        kube, "v1", kind, on_change=told.on_change, on_trouble=told.on_trouble, clock=told.clock, **more
    )


async def watched(world: KubeWorld, count: int) -> None:
    """Until so many watches were asked for."""
    await until(lambda: len(world.requests("GET", "watch=1")) >= count)


async def watching(world: KubeWorld) -> None:
    """Until a watch is open."""
    await until(lambda: bool(world.watches))


def lists(world: KubeWorld) -> int:
    return len(world.requests("GET", "limit=500"))


def since(world: KubeWorld) -> list[str]:
    """Where each watch began."""
    asked = [one.query.split("&") for one in world.requests("GET", "watch=1")]
    return [word.partition("=")[2] for words in asked for word in words if word.startswith("resourceVersion")]


class TestFollowing:
    """In fair weather."""

    async def test_what_is_there_is_told_first_then_what_happens(self, world: KubeWorld, told: Told) -> None:
        async with open_client(world) as kube, made(kube, told).running() as reflector:
            assert await told.next(2) == [("a", None, "1"), ("b", None, "1")]
            await watching(world)
            world.put("c", data={"x": "1"})
            world.put("a", data={"x": "2"})
            world.remove("b")
            assert await told.next(3) == [("c", None, "1"), ("a", "1", "2"), ("b", "1", None)]
            assert sorted(one["metadata"]["name"] for one in reflector) == ["a", "c"]

    async def test_what_is_there_is_at_hand(self, world: KubeWorld, told: Told) -> None:
        world.put("n", namespace="", plural="nodes")
        async with following(world, told, "Node") as nodes, following(world, told) as reflector:
            assert (len(reflector), len(nodes)) == (2, 1)
            held = reflector.get("a", "default")
            assert held is not None
            assert (held["kind"], held["apiVersion"], held["data"]) == ("ConfigMap", "v1", {"x": "1"})
            assert reflector.get("a", "other") is reflector.get("zz", "default") is None
            assert nodes.get("n") is not None

    async def test_only_one_namespace_and_what_is_selected_is_asked_for(
        self, world: KubeWorld, told: Told
    ) -> None:
        world.put("c", namespace="other", data={"x": "1"})
        world.mark("c", namespace="other", app="x")
        where = {"namespace": "other", "labels": "app in (x,y)", "fields": "metadata.name!=z"}
        async with following(world, told, **where) as reflector:
            assert [one["metadata"]["name"] for one in reflector] == ["c"]
            await watching(world)
            world.put("d", data={"x": "1"})
            world.put("e", namespace="other", data={"x": "1"})
            assert await told.next() == [("e", None, "1")]
        asked = world.requests("GET", "/namespaces/other/configmaps?")
        for query in (parse_qs(one.query) for one in asked):
            assert query["labelSelector"] == ["app in (x,y)"]
            assert query["fieldSelector"] == ["metadata.name!=z"]
        assert len(asked) == 2

    async def test_only_what_is_to_be_kept_is_held(self, world: KubeWorld, told: Told) -> None:
        def keep(held: Object) -> Object:
            return {"metadata": held["metadata"], "data": {"x": f"kept {held['data']['x']}"}}

        async with following(world, told, keep=keep) as reflector:
            await watching(world)
            world.put("a", data={"x": "2"}, huge="x" * 1000)
            assert await told.next() == [("a", "kept 1", "kept 2")]
            held = reflector.get("a", "default")
            assert held is not None
            assert "huge" not in held

    async def test_events_may_come_in_pieces_and_several_at_once(self, world: KubeWorld, told: Told) -> None:
        async with following(world, told):
            await watching(world)
            whole = line("ADDED", configmap("c", 900, "ü")) + b"\n" + line("ADDED", configmap("d", 901))
            for start in range(0, len(whole), 7):
                world.say(whole[start : start + 7])
            world.say(line("MODIFIED", configmap("c", 902)) + line("DELETED", configmap("d", 903)))
            assert await told.next(4) == [
                ("c", None, "ü"), ("d", None, "1"), ("c", "ü", "1"), ("d", "1", None),
            ]  # fmt: skip

    async def test_a_removal_of_what_was_never_seen_is_no_change(self, world: KubeWorld, told: Told) -> None:
        async with following(world, told):
            await watching(world)
            world.say(line("DELETED", configmap("zz", 900)) + line("ADDED", configmap("c", 901)))
            assert await told.next() == [("c", None, "1")]

    async def test_everything_ends_with_the_block(self, world: KubeWorld, told: Told) -> None:
        async with following(world, told):
            await watching(world)

        def over() -> bool:
            world.bookmark()  # a server finds out when it writes
            return not world.watches

        await until(over)

    async def test_who_fails_to_be_told_ends_the_block(self, world: KubeWorld) -> None:
        def fail(before: Object | None, now: Object | None) -> None:
            raise ZeroDivisionError

        async with open_client(world) as kube:
            reflector = Reflector(kube, "v1", "ConfigMap", on_change=fail)
            with pytest.raises(ZeroDivisionError):
                async with reflector.running():
                    await asyncio.Event().wait()


class TestGoingOn:
    """A watch is over: nothing is lost and nothing asked twice."""

    async def test_a_watch_that_ended_goes_on_where_it_stopped(self, world: KubeWorld) -> None:
        told = Told(FakeClock(tick=1.0))
        async with following(world, told):
            await watching(world)
            world.put("c", data={"x": "1"})
            await told.next()
            world.end_watches()
            world.put("d", data={"x": "1"})
            assert await told.next() == [("d", None, "1")]
            await watched(world, 2)
        assert (lists(world), since(world)) == (1, ["102", "103"])
        assert (told.clock.slept, told.troubles.empty()) == ([], True)

    async def test_a_bookmark_says_how_far_we_are(self, world: KubeWorld, told: Told) -> None:
        async with following(world, told):
            await watching(world)
            for _ in range(50):
                world.put("n", namespace="", plural="nodes")
            world.bookmark()
            world.forget()
            world.end_watches()
            await watched(world, 2)
            await watching(world)
            world.put("c", data={"x": "1"})
            assert await told.next() == [("c", None, "1")]
        assert (lists(world), since(world)) == (1, ["102", "152"])

    async def test_watches_that_end_at_once_are_asked_for_more_and_more_seldom(
        self, world: KubeWorld, told: Told
    ) -> None:
        async def over(_: web.BaseRequest) -> web.StreamResponse:
            return web.Response()

        world.meet("GET", "watch=1", over)
        async with following(world, told):
            await watched(world, 9)
        assert len(told.clock.slept) >= 8
        bounds = [min(0.2 * 2**number, 15.0) for number in range(30)]
        assert all(bound / 2 <= wait <= bound for wait, bound in zip(told.clock.slept, bounds, strict=False))
        assert (lists(world), told.troubles.empty()) == (1, True)

    @pytest.mark.parametrize("cut", [0, 1, 30, -1])
    async def test_an_event_that_breaks_off_is_not_believed_and_comes_again(
        self, world: KubeWorld, told: Told, cut: int
    ) -> None:
        async with following(world, told):
            await watching(world)
            whole = line("ADDED", configmap("c", 103, "broken"))
            world.say(whole[:cut])
            world.say(b"")
            assert await told.trouble() == f"{world.host} broke off in the middle of a body"
            await watched(world, 2)
            world.put("c", data={"x": "1"})
            assert await told.next() == [("c", None, "1")]
        assert (lists(world), since(world)) == (1, ["102", "102"])

    async def test_silence_is_noticed(self, world: KubeWorld, told: Told) -> None:
        async with Http(Network(), idle=0.05) as http:
            cluster = Cluster(name="world", server=f"http://{world.host}", user=User())
            transport = Transport(http, cluster.server, Credentials(cluster, {}), Persistence())
            async with made(Kube(transport, cluster), told).running():
                assert await told.trouble() == f"{world.host} fell silent in the middle of a body"
                world.put("c", data={"x": "1"})
                assert ("c", None, "1") in await told.next(3)
        assert lists(world) == 1


class TestCatchingUp:
    """What happened while nobody looked."""

    async def test_after_an_outage_what_was_missed_is_told_removals_too(
        self, world: KubeWorld, told: Told
    ) -> None:
        async with following(world, told) as reflector:
            await watching(world)
            world.leave()
            assert await told.trouble() == f"{world.host} broke off in the middle of a body"
            world.remove("a")
            world.put("b", data={"x": "2"})
            world.put("c", data={"x": "1"})
            world.forget()
            world.put("n", namespace="", plural="nodes")
            for _ in range(3):
                assert (await told.trouble()).startswith(f"GET {world.host}: the connection broke: ")
            assert told.changes.empty()
            world.come_back()
            assert await told.next(3) == [("a", "1", None), ("b", "1", "2"), ("c", None, "1")]
            assert len(reflector) == 2
        assert lists(world) == 2

    async def test_a_version_too_long_ago_is_no_trouble(self, world: KubeWorld, told: Told) -> None:
        async with following(world, told):
            await watching(world)
            world.end_watches()
            world.remove("a")
            world.put("c", data={"x": "1"})
            world.forget()
            assert await told.next(2) == [("a", "1", None), ("c", None, "1")]
            await watching(world)
        assert (lists(world), told.troubles.empty()) == (2, True)

    async def test_what_did_not_change_is_not_told_again(self, world: KubeWorld, told: Told) -> None:
        async with following(world, told):
            await watching(world)
            world.put("n", namespace="", plural="nodes")
            world.forget()
            world.end_watches()
            await watched(world, 3)
            await watching(world)
            world.put("c", data={"x": "1"})
            assert await told.next() == [("c", None, "1")]
        assert lists(world) == 2

    async def test_an_api_that_has_always_forgotten_is_not_asked_without_end(
        self, world: KubeWorld, told: Told
    ) -> None:
        world.oldest = 1_000_000
        async with following(world, told):
            await watched(world, 8)
        assert len(told.clock.slept) >= 7
        assert told.clock.slept[6] >= 0.2 * 2**6 / 2

    @pytest.mark.parametrize(
        "garbage",
        [
            pytest.param(b"<html>\n", id="a page"),
            pytest.param(b'{"type":"ADDED","object":{"metadata":{"name":"\xff"}}}\n', id="not UTF-8"),
            pytest.param(b"[]\n", id="a list"),
            pytest.param(b"7\n", id="a number"),
            pytest.param(b'{"type":"ADDED"}\n', id="no object"),
            pytest.param(line("ADDED", None), id="nothing for an object"),
            pytest.param(line("ADDED", {"metadata": {"name": "x"}}), id="no version"),
            pytest.param(line("BOOKMARK", {"metadata": []}), id="no metadata"),
            pytest.param(b"[" * 100_000 + b"\n", id="too deep"),
        ],
    )
    async def test_what_is_no_event_is_trouble_and_all_is_listed_again(
        self, world: KubeWorld, told: Told, garbage: bytes
    ) -> None:
        async with following(world, told):
            await watching(world)
            world.say(garbage)
            assert await told.trouble() == "watch configmaps: what came is no event"
            await watched(world, 2)
            world.put("c", data={"x": "1"})
            assert await told.next() == [("c", None, "1")]
        assert lists(world) == 2

    @pytest.mark.parametrize(
        ("status", "complaint"),
        [
            pytest.param(
                {"code": 500, "message": "etcd is\naway", "reason": "InternalError"}, "etcd is away", id="own"
            ),
            pytest.param({"code": "x"}, "status 0", id="no number"),
            pytest.param([], "status 0", id="no status"),
        ],
    )
    async def test_an_error_in_the_stream_is_trouble(
        self, world: KubeWorld, told: Told, status: object, complaint: str
    ) -> None:
        async with following(world, told):
            await watching(world)
            world.say(line("ERROR", status))
            assert await told.trouble() == f"watch configmaps: {complaint}"
            await watched(world, 2)
            world.put("c", data={"x": "1"})
            assert await told.next() == [("c", None, "1")]

    async def test_an_event_that_never_ends_is_cut_off(
        self, world: KubeWorld, told: Told, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("weft.kube.client._MAX_LINE", 1000)
        async with following(world, told):
            await watching(world)
            world.say(b" " * 1001)
            assert await told.trouble() == "watch configmaps: an event is larger than 1000 bytes"


class TestPatience:
    """The API asks for time, or says no."""

    async def test_a_list_waits_as_long_as_it_is_asked_to(self, world: KubeWorld, told: Told) -> None:
        world.meet("GET", "limit=500", refusing(429, "TooManyRequests", "too many requests", wait=7), times=2)
        async with following(world, told):
            assert told.clock.slept == [7.0, 7.0]
        assert told.troubles.empty()

    @pytest.mark.parametrize(("asked", "granted"), [(7, 7.0), (86400, 60.0)])
    async def test_a_watch_waits_as_long_as_it_is_asked_to_within_reason(
        self, world: KubeWorld, told: Told, asked: int, granted: float
    ) -> None:
        world.meet("GET", "watch=1", refusing(429, "TooManyRequests", "not so fast", wait=asked), times=1)
        async with following(world, told):
            assert await told.trouble() == "watch configmaps: not so fast"
            await watched(world, 2)
        assert told.clock.slept == [granted]

    @pytest.mark.parametrize(
        ("part", "fault", "complaint"),
        [
            pytest.param(
                "limit=500",
                refusing(403, "Forbidden", "no rights"),
                "list configmaps: no rights",
                id="no right to list",
            ),
            pytest.param(
                "watch=1",
                refusing(403, "Forbidden", "no rights"),
                "watch configmaps: no rights",
                id="nor",
            ),
            pytest.param(
                "/api/v1?",
                refusing(404, "NotFound", "no such page"),
                "the cluster world has no ConfigMap of v1",
                id="no such group",
            ),
            pytest.param(
                "limit=500", short(b"{", 100), "{host} broke off in the middle of a body", id="a broken list"
            ),
        ],
    )
    async def test_what_goes_wrong_is_told_and_tried_until_it_goes_well(
        self, world: KubeWorld, told: Told, part: str, fault: Handler, complaint: str
    ) -> None:
        world.meet("GET", part, fault)
        async with open_client(world) as kube, made(kube, told).running() as reflector:
            for _ in range(3):
                assert await told.trouble() == complaint.format(host=world.host)
            world.come_back()
            await told.next(2)
            await watching(world)
            assert reflector.synced.is_set()

    async def test_a_kind_that_is_installed_later_is_found(
        self, world: KubeWorld, told: Told, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kinds: dict[str, Any] = {"v1": []}
        monkeypatch.setattr("worlds.kube_api._KINDS", kinds)
        async with open_client(world) as kube, made(kube, told).running():
            assert await told.trouble() == "the cluster world has no ConfigMap of v1"
            kinds["v1"] = [("ConfigMap", "configmaps", True)]
            assert await told.next(2) == [("a", None, "1"), ("b", None, "1")]

    async def test_something_good_makes_patience_short_again(self, world: KubeWorld, told: Told) -> None:
        def waits() -> Callable[[], list[float]]:
            seen = len(told.clock.slept)
            return lambda: told.clock.slept[seen:]

        async with following(world, told):
            await watching(world)
            world.leave()
            for _ in range(8):
                await told.trouble()
            assert told.clock.slept[6] >= 6
            world.come_back()
            await watching(world)
            world.put("c", data={"x": "1"})
            await told.next()
            after = waits()
            world.say(b"")
            while "middle of a body" not in await told.trouble():
                pass
            await watching(world)
            assert after()[0] <= 0.2
