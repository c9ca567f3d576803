"""A node cache against a registry that behaves, misbehaves and goes away."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from modules import sample_images
from weft.errors import WeftError
from weft.net import Http, Network
from weft.nodecache import Folder, Ledger, NodeCache, Settings, Source, State, Wanted, app, read_wanted
from weft.oci import Digest, Reference
from weft.registry import Persistence, Registries
from worlds.clock import FakeClock
from worlds.http import answer
from worlds.registry import RegistryWorld, open_registry

Client = TestClient[web.Request, web.Application]

ONE = sample_images.module(2000, b"a")
TWO = sample_images.module(3000, b"b")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Node:
    """One node: its folder outlives the processes on it, its clocks are ours."""

    path: Path
    world: RegistryWorld
    clock: FakeClock = field(default_factory=FakeClock)
    wall: FakeClock = field(default_factory=FakeClock)
    said: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def started(self) -> AsyncIterator[NodeCache]:
        """A new process on this node."""
        async with Http(Network.from_env({})) as http:
            registries = Registries(http, plain={self.world.host}, persistence=Persistence(clock=FakeClock()))
            folder = Folder(self.path)
            yield NodeCache(
                folder,
                Source(registries, self.admit if self.refused else None),
                node="worker-1",
                settings=Settings(grace=3600.0, earlier=1),
                clock=self.clock,
                ledger=Ledger(self.path, now=self.wall.now),
                chance=lambda: 1.0,
                say=self.said.append,
            )

    async def admit(self, reference: Reference) -> Reference:
        if reference.repository in self.refused:
            raise WeftError(f"{reference} is not signed")
        raw, _ = self.world.manifests[reference.repository, reference.tag or ""]
        return reference.pinned(Digest.of(raw))

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.path.iterdir() if path.name[0] != "."}

    def publish(self, name: str, tag: str, module: bytes, *, flavor: str = "solo") -> str:
        """Put an image into the registry; its digest."""
        image = sample_images.sample(module, flavor=flavor)
        for data in image.blobs.values():
            self.world.add_blob(name, data)
        return self.world.add_manifest(name, tag, image.manifest.raw, image.manifest.media_type)

    def wants(self, *names: str) -> Wanted:
        return read_wanted("\n".join(f"{self.world.host}/{name}" for name in names), where="images.txt")


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with open_registry() as world:
        yield Node(tmp_path / "cache", world)


def states(cache: NodeCache) -> list[State]:
    return [wish.state for wish in cache.report().wishes]


@pytest.mark.parametrize("flavor", ["solo", "compat", "cncf"])
async def test_a_module_is_a_file_named_by_its_bytes_that_every_user_may_read(
    node: Node, flavor: str
) -> None:
    node.publish("team/f", "v1", ONE, flavor=flavor)
    async with node.started() as cache:
        await cache.settle(node.wants("team/f:v1"))
        assert cache.report().ready
    assert node.files() == {sha(ONE): ONE}
    assert (node.path / sha(ONE)).stat().st_mode & 0o777 == 0o644


async def test_a_second_pass_asks_nothing_of_the_registry(node: Node) -> None:
    node.publish("team/f", "v1", ONE)
    async with node.started() as cache:
        await cache.settle(node.wants("team/f:v1"))
        node.world.seen.clear()
        await cache.settle(node.wants("team/f:v1"))
    assert node.world.seen == []


async def test_a_restart_needs_no_registry_for_what_is_here(node: Node) -> None:
    digest = node.publish("team/f", "v1", ONE)
    wanted = node.wants("team/f:v1", f"team/f@{digest}")
    async with node.started() as cache:
        await cache.settle(wanted)
    node.world.seen.clear()
    node.world.meet("", "/", answer(503))
    async with node.started() as cache:
        await cache.settle(wanted)
        assert states(cache) == [State.STALE, State.READY], "the tag cannot be asked for, the digest need not"
    assert node.world.requests(part="/blobs/") == []
    assert node.files() == {sha(ONE): ONE}


async def test_a_moved_tag_is_noticed_and_the_earlier_module_stays(node: Node) -> None:
    node.publish("team/f", "v1", ONE)
    async with node.started() as cache:
        await cache.settle(node.wants("team/f:v1"))
        node.publish("team/f", "v1", TWO)
        await cache.settle(node.wants("team/f:v1"))
        assert set(node.files()) == {sha(ONE)}, "it is not asked for at every pass"
        node.clock.time += 61
        await cache.settle(node.wants("team/f:v1"))
        assert cache.report().wishes[0].module == f"sha256:{sha(TWO)}"
        node.wall.time += 1_000_000
        await cache.settle(node.wants("team/f:v1"))
    assert set(node.files()) == {sha(ONE), sha(TWO)}, (
        "a proxy may name the earlier one for as long as it runs"
    )


async def test_only_so_many_earlier_modules_stay(node: Node) -> None:
    modules = [sample_images.module(100 + number) for number in range(3)]
    async with node.started() as cache:
        for module in modules:
            node.publish("team/f", "v1", module)
            await cache.settle(node.wants("team/f:v1"))
            node.clock.time += 61
        assert len(node.files()) == 3
        node.wall.time += 3601
        await cache.settle(node.wants("team/f:v1"))
    assert set(node.files()) == {sha(modules[1]), sha(modules[2])}


async def test_what_is_deleted_or_damaged_comes_back(node: Node) -> None:
    node.publish("team/f", "v1", ONE)
    node.publish("team/g", "v1", TWO)
    wanted = node.wants("team/f:v1", "team/g:v1")
    async with node.started() as cache:
        await cache.settle(wanted)
        (node.path / sha(ONE)).unlink()
        (node.path / sha(TWO)).write_bytes(TWO[:-1] + b"!")
        assert not cache.report().ready
        node.clock.time += 61
        await cache.settle(wanted)
        assert cache.report().ready
    assert node.files() == {sha(ONE): ONE, sha(TWO): TWO}


async def test_a_deleted_module_comes_back_at_the_next_pass(node: Node) -> None:
    node.publish("team/f", "v1", ONE)
    async with node.started() as cache:
        await cache.settle(node.wants("team/f:v1"))
        (node.path / sha(ONE)).unlink()
        await cache.settle(node.wants("team/f:v1"))
    assert node.files() == {sha(ONE): ONE}


async def test_a_module_crosses_the_network_once_however_many_images_have_it(node: Node) -> None:
    for name in ("team/f", "team/g", "team/h"):
        node.publish(name, "v1", ONE)
    async with node.started() as cache:
        await cache.settle(node.wants("team/f:v1", "team/g:v1", "team/h:v1", "team/f:v1"))
        assert states(cache) == [State.READY] * 3
    assert len(node.world.requests("GET", f"/blobs/sha256:{sha(ONE)}")) == 1


async def test_one_bad_image_does_not_stop_the_others_and_is_tried_less_and_less(node: Node) -> None:
    node.publish("team/f", "v1", ONE)
    wanted = node.wants("team/none:v1", "team/f:v1")
    looks = []
    async with node.started() as cache:
        for _ in range(12):
            await cache.settle(wanted)
            looks.append(len(node.world.requests("HEAD", "/team/none/")))
            node.clock.time += 2
        assert states(cache) == [State.FAILED, State.READY]
        assert cache.report().wishes[0].message == f"{node.world.host}/team/none:v1 does not exist"
        node.publish("team/none", "v1", TWO)
        node.clock.time += 300
        await cache.settle(wanted)
        assert states(cache) == [State.READY, State.READY]
    assert looks == [1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4], "after 2, 4, 8 and 16 seconds"
    assert len([line for line in node.said if "does not exist" in line]) == 1, "said once"


async def test_wrong_bytes_leave_no_file(node: Node) -> None:
    node.publish("team/f", "v1", ONE)
    node.world.meet("GET", f"/blobs/sha256:{sha(ONE)}", answer(200, b"x" * len(ONE)))
    async with node.started() as cache:
        await cache.settle(node.wants("team/f:v1"))
        (wish,) = cache.report().wishes
    assert wish.state is State.FAILED
    assert "other bytes than blob" in wish.message
    assert node.files() == {}
    assert list(node.path.glob(".unfinished-*")) == []


async def test_what_the_policy_refuses_never_becomes_a_file(node: Node) -> None:
    node.refused = {"team/f"}
    node.publish("team/f", "v1", ONE)
    node.publish("team/g", "v1", TWO)
    async with node.started() as cache:
        await cache.settle(node.wants("team/f:v1", "team/g:v1"))
        assert states(cache) == [State.FAILED, State.READY]
        assert cache.report().wishes[0].message.endswith("team/f:v1 is not signed")
    assert set(node.files()) == {sha(TWO)}


class TestRemoval:
    """Nothing that a proxy may open goes away."""

    async def test_the_unwanted_has_its_grace_over_restarts_and_then_goes(self, node: Node) -> None:
        node.publish("team/f", "v1", ONE)
        async with node.started() as cache:
            await cache.settle(node.wants("team/f:v1"))
            await cache.settle(node.wants())
        node.wall.time += 3599
        async with node.started() as cache:
            await cache.settle(node.wants())
            assert set(node.files()) == {sha(ONE)}
            node.wall.time += 1
            await cache.settle(node.wants())
        assert node.files() == {}

    async def test_the_grace_begins_anew_when_it_was_wanted_meanwhile(self, node: Node) -> None:
        node.publish("team/f", "v1", ONE)
        async with node.started() as cache:
            for wanted in (node.wants("team/f:v1"), node.wants(), node.wants("team/f:v1"), node.wants()):
                node.wall.time += 3000
                await cache.settle(wanted)
        assert set(node.files()) == {sha(ONE)}

    async def test_a_list_with_a_mistake_removes_nothing(self, node: Node) -> None:
        node.publish("team/f", "v1", ONE)
        async with node.started() as cache:
            await cache.settle(node.wants("team/f:v1"))
            broken = read_wanted("NOT AN IMAGE", where="images.txt")
            for _ in range(3):
                node.wall.time += 10_000
                await cache.settle(broken)
            assert not cache.report().ready
        assert set(node.files()) == {sha(ONE)}

    async def test_a_lost_ledger_gives_every_file_its_full_grace(self, node: Node) -> None:
        node.publish("team/f", "v1", ONE)
        async with node.started() as cache:
            await cache.settle(node.wants("team/f:v1"))
        (node.path / ".node-cache.json").write_text("{ half")
        node.wall.time += 10_000
        async with node.started() as cache:
            await cache.settle(node.wants())
            assert set(node.files()) == {sha(ONE)}
            node.wall.time += 3600
            await cache.settle(node.wants())
        assert node.files() == {}


class TestHttp:
    """The same files over HTTP."""

    @pytest.fixture
    async def client(self, node: Node) -> AsyncIterator[Client]:
        node.publish("team/f", "v1", ONE)
        async with node.started() as cache:
            self.cache = cache
            async with TestClient(TestServer(app(cache))) as client:
                yield client

    async def test_it_is_not_ready_before_the_first_pass(self, node: Node, client: Client) -> None:
        assert (await client.get("/healthz")).status == 200
        assert (await client.get("/readyz")).status == 503
        await self.cache.settle(node.wants("team/f:v1"))
        assert (await client.get("/readyz")).status == 200

    async def test_modules_are_served_by_digest_and_by_wanted_name(self, node: Node, client: Client) -> None:
        await self.cache.settle(node.wants("team/f:v1"))
        for path in (sha(ONE), f"{sha(ONE)}.wasm", f"{node.world.host}/team/f:v1"):
            response = await client.get(f"/{path}")
            assert await response.read() == ONE
            assert response.headers["Content-Type"] == "application/wasm"
            assert response.headers["Docker-Content-Digest"] == f"sha256:{sha(ONE)}"

    @pytest.mark.parametrize(
        "path",
        [sha(TWO), "../etc/passwd", ".node-cache.json", "team/f:v1", "%2e%2e/x", "hub.example.com/f:v1"],
    )
    async def test_nothing_else_is_served_and_nothing_is_fetched(
        self,
        node: Node,
        client: Client,
        path: str,
    ) -> None:
        await self.cache.settle(node.wants("team/f:v1"))
        node.world.seen.clear()
        assert (await client.get(f"/{path}")).status == 404
        assert node.world.seen == []

    async def test_status_and_metrics_tell_the_same(self, node: Node, client: Client) -> None:
        await self.cache.settle(node.wants("team/f:v1", "team/none:v1"))
        status = await (await client.get("/status")).json()
        assert status["node"] == "worker-1"
        assert not status["ready"]
        assert (status["files"], status["bytes"]) == (1, len(ONE))
        assert [image["state"] for image in status["images"]] == ["Ready", "Failed"]
        lines = (await (await client.get("/metrics")).text()).splitlines()
        for line in (
            'weft_node_cache_images{state="Ready"} 1',
            'weft_node_cache_images{state="Failed"} 1',
            "weft_node_cache_files 1",
            f"weft_node_cache_downloaded_bytes_total {len(ONE)}",
            "weft_node_cache_failures_total 1",
            "weft_node_cache_ready 0",
        ):
            assert line in lines
