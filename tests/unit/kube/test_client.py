"""Requests one by one: what is sent, what is sent again, and what is made of strange answers."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from weft.errors import UsageError, WeftError
from weft.kube import Cluster, Denied, Expired, Kube, KubeError, Listing, Missing, Ref, Resource, open_kube
from weft.kube.kubeconfig import User
from weft.net import HttpFailure
from worlds.certificates import certificates
from worlds.clock import FakeClock, until
from worlds.http import Handler, answer, hang_up, serving, short
from worlds.kube_api import KubeWorld, open_client, open_world, refusing

A = Ref("v1", "ConfigMap", "a", "default")
PODS = Resource("v1", "Pod", "pods", namespaced=True)
NODES = Resource("v1", "Node", "nodes", namespaced=False)
DEPLOYMENTS = Resource("apps/v1", "Deployment", "deployments", namespaced=True)


@pytest.fixture
async def world() -> AsyncIterator[KubeWorld]:
    async with open_world() as world:
        world.put("a", data={"x": "1"})
        yield world


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def kube(world: KubeWorld, clock: FakeClock) -> AsyncIterator[Kube]:
    async with open_client(world, clock=clock) as kube:
        yield kube


def configmap(name: str, namespace: str = "default") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}}


@pytest.mark.parametrize(
    ("resource", "words", "path"),
    [
        pytest.param(PODS, (), "/api/v1/pods", id="all"),
        pytest.param(
            PODS, ("n", "a", "status"),
            "/api/v1/namespaces/n/pods/a/status", id="one",
        ),
        pytest.param(
            DEPLOYMENTS, ("n",),
            "/apis/apps/v1/namespaces/n/deployments", id="of a namespace",
        ),
        pytest.param(
            NODES, ("n", "a"), "/api/v1/nodes/a", id="of no namespace"
        ),
        pytest.param(
            PODS, ("a/b?c", "d%e f"),
            "/api/v1/namespaces/a%2Fb%3Fc/pods/d%25e%20f", id="quoted",
        ),
    ],
)  # fmt: skip
def test_where_things_are(resource: Resource, words: tuple[str, ...], path: str) -> None:
    assert resource.path(*words) == path


class TestRequests:
    """What is asked."""

    async def test_a_kind_is_looked_for_once(self, world: KubeWorld, kube: Kube) -> None:
        for _ in range(3):
            await kube.get(A)
        assert [str(one) for one in world.seen] == ["GET /api/v1"] + [
            "GET /api/v1/namespaces/default/configmaps/a"
        ] * 3

    async def test_a_kind_that_is_not_there_is_looked_for_each_time(
        self, world: KubeWorld, kube: Kube
    ) -> None:
        for api_version in ("v1", "nobody/v1"):
            assert not await kube.knows(api_version, "Nope")
            assert not await kube.knows(api_version, "Nope")
        assert [one.path for one in world.seen] == ["/api/v1"] * 2 + ["/apis/nobody/v1"] * 2
        assert await kube.find(Ref("v1", "Nope", "a")) is None

    async def test_all_pages_are_one_moment_s(self, world: KubeWorld, kube: Kube) -> None:
        world.page = 2
        for number in range(6):
            world.put(f"b{number}")
        listing = await kube.list("v1", "ConfigMap")
        assert [one["metadata"]["name"] for one in listing.items] == ["a", *(f"b{n}" for n in range(6))]
        assert listing.version == str(world.version)
        assert len(world.requests("GET", "limit=500")) == 4

    async def test_pages_that_are_no_longer_kept_are_asked_for_at_once(
        self, world: KubeWorld, kube: Kube
    ) -> None:
        world.page = 2
        for number in range(6):
            world.put(f"b{number}")
        world.meet("GET", "continue=4", refusing(410, "Expired", "too slow"))
        listing = await kube.list("v1", "ConfigMap", namespace="default", labels="")
        assert len({one["metadata"]["name"] for one in listing.items}) == len(listing.items) == 7
        assert [one.query for one in world.seen[1:]] == [
            "limit=500", "limit=500&continue=2", "limit=500&continue=4", "",
        ]  # fmt: skip

    async def test_a_list_that_has_always_expired_is_an_error(self, world: KubeWorld, kube: Kube) -> None:
        world.meet("GET", "configmaps", refusing(410, "Expired", "too slow"))
        with pytest.raises(Expired) as caught:
            await kube.list("v1", "ConfigMap", labels="a=b")
        assert str(caught.value) == "list configmaps: too slow"
        assert len(world.requests(part="configmaps")) == 2

    async def test_what_a_change_sends(self, world: KubeWorld, kube: Kube) -> None:
        world.meet("", "configmaps/a", answer(200, b"{}"))
        await kube.apply(configmap("a"), manager="weft", dry_run=True, subresource="status")
        await kube.apply(configmap("a"), manager="weft", force=True)
        await kube.merge(A, {"data": {"x": "ü"}})
        await kube.delete(A, uid="u", wait_for_children=True)
        sent = [(one.method, one.path, one.query, one.headers["Content-Type"]) for one in world.seen[1:]]
        path = "/api/v1/namespaces/default/configmaps/a"
        apply, merge = "application/apply-patch+yaml", "application/merge-patch+json"
        assert sent == [
            ("PATCH", f"{path}/status", "fieldManager=weft&force=false&dryRun=All", apply),
            ("PATCH", path, "fieldManager=weft&force=true", apply),
            ("PATCH", path, "", merge),
            ("DELETE", path, "", "application/json"),
        ]
        bodies = [json.loads(one.body) for one in world.seen[1:]]
        assert bodies[0] == bodies[1] == configmap("a")
        assert bodies[2] == {"data": {"x": "ü"}}
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground"}
        assert bodies[3] == {**options, "preconditions": {"uid": "u"}}

    async def test_a_change_names_its_namespace_or_is_in_the_context_s(
        self, world: KubeWorld, kube: Kube
    ) -> None:
        nowhere = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}}
        await kube.create(nowhere)
        await kube.create(configmap("b", "other"))
        assert {key[1:] for key in world.objects} == {("default", "a"), ("default", "b"), ("other", "b")}
        assert (await kube.get(Ref("v1", "ConfigMap", "b")))["metadata"]["name"] == "b"

    @pytest.mark.parametrize("name", ["", "/", "a/b"])
    async def test_no_name_is_never_asked_for(self, world: KubeWorld, kube: Kube, name: str) -> None:
        with pytest.raises(UsageError) as caught:
            await kube.delete(Ref("v1", "ConfigMap", name))
        assert str(caught.value) == f"delete ConfigMap {name}: {name!r} is not a name"
        assert world.seen == []


class TestTryingAgain:
    """What may be sent twice is, when that may help."""

    @pytest.mark.parametrize(
        "fault",
        [
            pytest.param(refusing(429, "TooManyRequests", "slow", wait=2), id="429"),
            pytest.param(refusing(500, "InternalError", "etcd"), id="500"),
            pytest.param(refusing(503, "ServiceUnavailable", "starting"), id="503"),
            pytest.param(short(b"{", 100), id="half an answer"),
        ],
    )
    async def test_a_question_is_asked_again(
        self, world: KubeWorld, kube: Kube, clock: FakeClock, fault: Handler
    ) -> None:
        world.meet("GET", "configmaps/a", fault, times=2)
        assert (await kube.get(A))["data"] == {"x": "1"}
        assert (len(world.requests("GET", "configmaps/a")), len(clock.slept)) == (3, 2)

    async def test_it_is_not_asked_for_ever(self, world: KubeWorld, kube: Kube, clock: FakeClock) -> None:
        world.meet("GET", "configmaps/a", refusing(503, "ServiceUnavailable", "starting"))
        with pytest.raises(KubeError) as caught:
            await kube.get(A)
        assert str(caught.value) == "get ConfigMap default/a: starting"
        assert clock.slept == [0.25, 0.5, 1.0, 2.0, 4.0]

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            pytest.param(hang_up, HttpFailure, id="no answer"),
            pytest.param(refusing(500, "InternalError", "etcd timed out"), KubeError, id="500"),
            pytest.param(refusing(504, "Timeout", "slow"), KubeError, id="504"),
        ],
    )
    async def test_what_may_have_been_made_is_not_made_again(
        self, world: KubeWorld, kube: Kube, fault: Handler, error: type[WeftError]
    ) -> None:
        world.meet("POST", "configmaps", fault)
        with pytest.raises(error):
            await kube.create(configmap("b"))
        assert len(world.requests("POST")) == 1

    async def test_what_was_put_off_is_made_later(
        self, world: KubeWorld, kube: Kube, clock: FakeClock
    ) -> None:
        world.meet("POST", "configmaps", refusing(429, "TooManyRequests", "slow", wait=1), times=2)
        await kube.create(configmap("b"))
        assert (len(world.requests("POST")), clock.slept) == (3, [1.0, 1.0])

    @pytest.mark.parametrize(("status", "kind"), [(400, KubeError), (403, Denied), (404, Missing)])
    async def test_a_plain_no_is_taken(
        self, world: KubeWorld, kube: Kube, clock: FakeClock, status: int, kind: type[KubeError]
    ) -> None:
        world.meet("GET", "configmaps/a", refusing(status, "", "no"))
        with pytest.raises(kind, match="get ConfigMap default/a: no"):
            await kube.get(A)
        assert clock.slept == []


class TestStrangeAnswers:
    """What answers may be no API at all."""

    @pytest.mark.parametrize(
        "body",
        [b"<html>", b"", b'{"a":"\xff"}', b"[" * 100_000, b"\x1f\x8b"],
        ids=["a page", "nothing", "not UTF-8", "too deep", "packed"],
    )
    async def test_what_is_not_json_is_an_error(self, world: KubeWorld, kube: Kube, body: bytes) -> None:
        world.meet("GET", "configmaps/a", answer(200, body))
        with pytest.raises(HttpFailure) as caught:
            await kube.get(A)
        assert str(caught.value) == "get ConfigMap default/a: the answer is not JSON"

    @pytest.mark.parametrize(
        "body",
        [
            b"<html>",
            b"[]",
            b'{"items": {}}',
            b'{"items": [1]}',
            b'{"items": [{"a": "\xff"}]}',
            b'{"items": [{}, {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
            b'{"metadata": {"continue": 1}}',
        ],
        ids=["a page", "a list", "no members", "a number", "not UTF-8", "too deep", "no word to go on with"],
    )
    async def test_what_is_no_list_is_an_error(self, world: KubeWorld, kube: Kube, body: bytes) -> None:
        world.meet("GET", "configmaps?", answer(200, body))
        with pytest.raises(HttpFailure) as caught:
            await kube.list("v1", "ConfigMap")
        assert str(caught.value) == "list configmaps: the answer is no list"

    @pytest.mark.parametrize("body", [b"{}", b'{"metadata": null, "items": null}'], ids=["not", "null"])
    async def test_a_list_need_not_say_that_it_is_empty(
        self, world: KubeWorld, kube: Kube, body: bytes
    ) -> None:
        world.meet("GET", "configmaps?", answer(200, body))
        assert await kube.list("v1", "ConfigMap") == Listing((), "")

    @pytest.mark.parametrize(
        ("status", "body", "said"),
        [
            pytest.param(502, b"<h1>Bad\n Gateway</h1>", "<h1>Bad Gateway</h1>", id="a page"),
            pytest.param(418, b"", "status 418", id="nothing"),
            pytest.param(418, b"\xff\x1b[31m", "\ufffd [31m", id="not UTF-8"),
            pytest.param(418, b"[" * 100_000, "[" * 500, id="too deep"),
            pytest.param(418, b"[]", "status 418", id="a list"),
            pytest.param(302, b"", "status 302", id="a redirect"),
        ],
    )
    async def test_a_refusal_without_a_status(
        self, world: KubeWorld, kube: Kube, status: int, body: bytes, said: str
    ) -> None:
        world.meet("GET", "configmaps/a", answer(status, body, location="https://elsewhere"))
        with pytest.raises(KubeError) as caught:
            await kube.get(A)
        assert str(caught.value) == f"get ConfigMap default/a: {said}"

    async def test_a_refusal_without_end_is_not_read(self, world: KubeWorld, kube: Kube) -> None:
        world.meet("GET", "configmaps/a", answer(403, b"x" * 2_000_000))
        with pytest.raises(HttpFailure) as caught:
            await kube.get(A)
        assert str(caught.value) == f"get ConfigMap default/a from {world.host} is larger than 1048576 bytes"


class TestOpening:
    """Connections, certificates and what is left of them."""

    async def test_a_watch_that_is_left_is_over(self, world: KubeWorld, kube: Kube) -> None:
        async with aclosing(kube.watch("v1", "ConfigMap", "0")) as events:
            assert (await anext(events)).object["metadata"]["name"] == "a"
            assert len(world.watches) == 1

        def over() -> bool:
            world.bookmark()  # a server finds out when it writes
            return not world.watches

        await until(over)

    async def test_watches_leave_room_for_other_requests(self, world: KubeWorld, kube: Kube) -> None:
        async def watch() -> None:
            async with aclosing(kube.watch("v1", "ConfigMap", str(world.version))) as events:
                await anext(events)

        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            watches = [tasks.create_task(watch()) for _ in range(20)]
            await until(lambda: len(world.watches) == 20)
            await asyncio.gather(*(kube.get(A) for _ in range(16)))
            for one in watches:
                one.cancel()

    async def test_both_sides_show_their_certificates(self, world: KubeWorld) -> None:
        held = certificates()
        user = User(certificate=held.client.read_bytes(), key=held.client_key.read_bytes())
        authority = held.authority.read_bytes()
        async with serving(world.handle, held.server_context(ask_client=True)) as host:
            cluster = Cluster(name="x", server=f"https://{host}", authority=authority, user=user)
            async with open_kube(cluster, {}) as kube:
                assert (await kube.get(A))["data"] == {"x": "1"}

    @pytest.mark.parametrize(
        "more",
        [
            pytest.param({"authority": b""}, id="the system"),
            pytest.param({"server_name": "kubernetes"}, id="another name"),
        ],
    )
    async def test_who_cannot_show_one_is_not_spoken_to(self, world: KubeWorld, more: dict[str, Any]) -> None:
        held = certificates()
        told = {"authority": held.authority.read_bytes()} | more
        async with serving(world.handle, held.server_context()) as host:
            cluster = Cluster(name="x", server=f"https://{host}", user=User(), **told)
            async with open_kube(cluster, {}) as kube:
                with pytest.raises(HttpFailure) as caught:
                    await kube.get(A)
            assert str(caught.value).startswith(f"{host} is not who it should be: ")
            unsafe = Cluster(name="x", server=f"https://{host}", user=User(), insecure=True, **told)
            async with open_kube(unsafe, {}) as kube:
                assert (await kube.get(A))["data"] == {"x": "1"}

    async def test_keys_do_not_come_on_disk(
        self, world: KubeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        cluster = Cluster(name="x", server=f"http://{world.host}", user=User(key=b"KEY", certificate=b"C"))
        async with open_kube(cluster, {}):
            assert modes(tmp_path) == {}

    async def test_keys_on_disk_are_ours_alone_and_gone_afterwards(
        self, world: KubeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        monkeypatch.delattr(os, "memfd_create")  # as on macOS
        cluster = Cluster(name="x", server=f"http://{world.host}", user=User(key=b"KEY", certificate=b"C"))
        async with open_kube(cluster, {}):
            there = modes(tmp_path)
        assert {mode for name, mode in there.items() if "/" not in name} == {0o700}
        assert {name.partition("/")[2] for name in there} == {"", "cert.pem", "key.pem"}
        assert modes(tmp_path) == {}

    @pytest.mark.parametrize(
        ("more", "error"),
        [
            pytest.param({"authority": b"no PEM"}, "cannot use the authorities in ca.pem: ", id="authority"),
            pytest.param(
                {"user": User(certificate=b"no PEM", key=b"KEY")},
                "cannot use the client certificate cert.pem with key.pem: ",
                id="client",
            ),
        ],
    )
    async def test_certificates_that_are_none_are_named(self, more: dict[str, Any], error: str) -> None:
        cluster = Cluster(name="prod", server="https://127.0.0.1:1", **({"user": User()} | more))
        with pytest.raises(UsageError) as caught:
            async with open_kube(cluster, {}):
                pass
        assert str(caught.value).startswith(f"context prod: {error}")


def modes(folder: Path) -> dict[str, int]:
    """Everything in ``folder``, and who may look into it."""
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")}
