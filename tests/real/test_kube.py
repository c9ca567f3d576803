"""The Kubernetes client against a real API server."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from weft.base.clock import Clock, SystemClock
from weft.errors import WeftError
from weft.kube import (
    Conflict,
    Denied,
    Expired,
    Kube,
    KubeError,
    Lease,
    LeaseLost,
    Missing,
    Object,
    Ref,
    Reflector,
    find_cluster,
    open_kube,
)
from worlds.clock import until as soon
from worlds.kubernetes import Cluster, api_server
from worlds.waiting import until

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
pytestmark = pytest.mark.real("kubernetes")


def deployment(name: str, namespace: str, replicas: int = 1) -> dict[str, Any]:
    labels = {"app": name}
    containers = [{"name": "app", "image": "app"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


@asynccontextmanager
async def as_user(config: Path) -> AsyncIterator[Kube]:
    async with open_kube(find_cluster({"KUBECONFIG": str(config)}), {}) as kube:
        yield kube


@pytest.fixture
async def kube(cluster: Cluster) -> AsyncIterator[Kube]:
    """The API, as its administrator sees it."""
    async with as_user(cluster.admin) as kube:
        yield kube


@pytest.fixture
def other_cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of one test's own, to be killed."""
    with api_server(tmp_path / "cluster") as cluster:
        yield cluster


def configmap(name: str, namespace: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def annotated(namespace: str, **annotations: str) -> dict[str, Any]:
    """What weft wants of the Deployment ``details``: annotations of its pods, and nothing else."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "details", "namespace": namespace},
        "spec": {"template": {"metadata": {"annotations": annotations}}},
    }


def annotations(held: Object) -> dict[str, str]:
    return dict(held["spec"]["template"]["metadata"].get("annotations") or {})


class TestApply:
    """Fields have owners."""

    @pytest.fixture
    async def details(self, kube: Kube, namespace: str) -> Ref:
        return Ref.of(await kube.create(deployment("details", namespace)))

    @pytest.mark.usefixtures("details")
    async def test_the_same_twice_changes_nothing(self, kube: Kube, namespace: str) -> None:
        first = await kube.apply(annotated(namespace, a="1"), manager="weft")
        again = await kube.apply(annotated(namespace, a="1"), manager="weft")
        assert annotations(first) == {"a": "1"}
        assert first["metadata"]["generation"] == again["metadata"]["generation"] == 2
        assert first["metadata"]["resourceVersion"] == again["metadata"]["resourceVersion"]

    @pytest.mark.usefixtures("details")
    async def test_a_conflict_names_the_field_and_its_owner(self, kube: Kube, namespace: str) -> None:
        await kube.apply(annotated(namespace, a="1"), manager="helm")
        with pytest.raises(Conflict) as caught:
            await kube.apply(annotated(namespace, a="2", b="2"), manager="weft")
        assert str(caught.value) == (
            f"apply Deployment {namespace}/details: .spec.template.metadata.annotations.a belongs to helm"
        )
        assert caught.value.fields == ((".spec.template.metadata.annotations.a", "helm"),)
        taken = await kube.apply(annotated(namespace, a="2", b="2"), manager="weft", force=True)
        assert annotations(taken) == {"a": "2", "b": "2"}

    @pytest.mark.usefixtures("details")
    async def test_an_empty_apply_lets_go_of_all_that_is_ours_and_of_nothing_else(
        self, kube: Kube, namespace: str
    ) -> None:
        await kube.apply(annotated(namespace, theirs="1"), manager="helm")
        await kube.apply(annotated(namespace, ours="1"), manager="weft")
        nothing = annotated(namespace)
        del nothing["spec"]
        left = await kube.apply(nothing, manager="weft")
        assert annotations(left) == {"theirs": "1"}
        owners = {(one["manager"], one["operation"]) for one in left["metadata"]["managedFields"]}
        assert owners == {("weft", "Update"), ("helm", "Apply")}  # the first by making it

    async def test_a_dry_run_changes_nothing(self, kube: Kube, namespace: str, details: Ref) -> None:
        tried = await kube.apply(annotated(namespace, a="1"), manager="weft", dry_run=True)
        assert annotations(tried) == {"a": "1"}
        assert annotations(await kube.get(details)) == {}

    async def test_what_is_not_there_and_cannot_be_made_is_refused(self, kube: Kube, namespace: str) -> None:
        with pytest.raises(KubeError) as caught:
            await kube.apply(annotated(namespace, a="1"), manager="weft")
        assert (caught.value.code, caught.value.reason) == (422, "Invalid")
        assert str(caught.value).startswith(f"apply Deployment {namespace}/details: Deployment.apps ")

    async def test_a_status_is_applied_by_itself(self, kube: Kube, namespace: str, details: Ref) -> None:
        status = annotated(namespace) | {"status": {"replicas": 1, "observedGeneration": 1}}
        del status["spec"]
        held = await kube.apply(status, manager="weft", subresource="status")
        assert (held["status"]["replicas"], held["metadata"]["generation"]) == (1, 1)
        held = await kube.merge(details, {"status": {"replicas": 2}}, subresource="status")
        assert held["status"]["replicas"] == 2


class TestObjects:
    """One at a time, and many."""

    async def test_one_from_its_making_to_its_end(self, kube: Kube, namespace: str) -> None:
        ref = Ref("v1", "ConfigMap", "a", namespace)
        assert await kube.find(ref) is None
        made = await kube.create(configmap("a", namespace, x="1"))
        with pytest.raises(KubeError) as caught:
            await kube.create(configmap("a", namespace))
        assert caught.value.reason == "AlreadyExists"
        assert str(caught.value) == f'create ConfigMap {namespace}/a: configmaps "a" already exists'
        assert (await kube.merge(ref, {"data": {"y": "2"}}))["data"] == {"x": "1", "y": "2"}
        with pytest.raises(Conflict):
            await kube.replace({**made, "data": {}})
        with pytest.raises(Conflict):
            await kube.delete(ref, uid="11111111-2222-3333-4444-555555555555")
        assert await kube.delete(ref, uid=made["metadata"]["uid"])
        assert not await kube.delete(ref)
        with pytest.raises(Missing) as missing:
            await kube.get(ref)
        assert str(missing.value) == f'get ConfigMap {namespace}/a: configmaps "a" not found'

    async def test_what_names_no_namespace_is_in_that_of_the_context(self, kube: Kube) -> None:
        held = configmap(f"a-{os.getpid()}-{time.time_ns()}", "")
        del held["metadata"]["namespace"]
        made = await kube.create(held)
        assert made["metadata"]["namespace"] == "default"
        assert await kube.delete(Ref.of(held))

    @pytest.mark.parametrize("name", ["", "/", "a/", "../configmaps/a", "a?x=y", "%2e%2e", "..", "."])
    async def test_what_is_no_name_never_means_another_or_all(
        self, kube: Kube, namespace: str, name: str
    ) -> None:
        await kube.create(configmap("a", namespace))
        with suppress(WeftError):
            assert not await kube.delete(Ref("v1", "ConfigMap", name, namespace))
        with pytest.raises(WeftError):
            await kube.get(Ref("v1", "ConfigMap", "a", f"x/../{namespace}"))
        assert len((await kube.list("v1", "ConfigMap", namespace=namespace)).items) == 1

    async def test_a_kind_the_cluster_does_not_have(self, kube: Kube) -> None:
        for version, kind in (("nobody.example/v1", "Gadget"), ("admissionregistration.k8s.io/v1", "Nope")):
            assert not await kube.knows(version, kind)
            with pytest.raises(Missing) as caught:
                await kube.list(version, kind)
            assert str(caught.value) == f"the cluster test has no {kind} of {version}"
            assert caught.value.hint == "what brings that kind is not installed there, or in another version"
        assert await kube.knows("apps/v1", "Deployment")

    async def test_more_than_a_page_is_listed_once_each(self, kube: Kube, namespace: str) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(1203):
                labels = {"third": str(number % 3)}
                held = configmap(f"c-{number}", namespace)
                tasks.create_task(kube.create({**held, "metadata": {**held["metadata"], "labels": labels}}))
        listing = await kube.list("v1", "ConfigMap", namespace=namespace)
        names = [one["metadata"]["name"] for one in listing.items]
        assert (len(names), len(set(names))) == (1203, 1203)
        assert {(one["kind"], one["apiVersion"]) for one in listing.items} == {("ConfigMap", "v1")}
        third = await kube.list("v1", "ConfigMap", namespace=namespace, labels="third=1")
        assert len(third.items) == 401
        one = await kube.list("v1", "ConfigMap", namespace=namespace, fields="metadata.name=c-7")
        assert [held["metadata"]["name"] for held in one.items] == ["c-7"]

    async def test_the_version_is_the_api_servers(self, kube: Kube) -> None:
        assert (await kube.version()).startswith("v")


class TestRights:
    """RBAC, and who nobody knows."""

    async def test_who_may_nothing_is_told_what_is_missing(self, cluster: Cluster, namespace: str) -> None:
        async with as_user(cluster.user("alice")) as kube:
            with pytest.raises(Denied) as caught:
                await kube.list("apps/v1", "Deployment", namespace=namespace)
            assert str(caught.value) == (
                f'list deployments in {namespace}: deployments.apps is forbidden: User "alice" cannot list '
                f'resource "deployments" in API group "apps" in the namespace "{namespace}"'
            )
            assert (caught.value.code, caught.value.hint) == (403, None)
            with pytest.raises(Denied):
                await anext(kube.watch("v1", "Pod", "1"))
            assert not await kube.allowed("list", "apps", "deployments", namespace=namespace)

    async def test_a_user_may_do_what_was_granted(self, cluster: Cluster, namespace: str) -> None:
        rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
        cluster.grant("reader", rule, namespace=namespace)
        async with as_user(cluster.user("reader")) as kube:
            assert (await kube.list("v1", "Pod", namespace=namespace)).items == ()
            assert await kube.allowed("list", "", "pods", namespace=namespace)
            assert not await kube.allowed("list", "", "pods")

    async def test_a_token_nobody_knows_is_refused(self, cluster: Cluster, tmp_path: Path) -> None:
        text = cluster.admin.read_text()
        config = tmp_path / "config"
        start, end = text.index('"user": {"client'), text.index("}", text.index('"user": {"client'))
        config.write_text(f'{text[:start]}"user": {{"token": "abc"{text[end:]}')
        async with as_user(config) as kube:
            with pytest.raises(Denied) as caught:
                await kube.list("v1", "Pod")
        assert str(caught.value) == "look for v1: Unauthorized"
        assert caught.value.hint == "the credential is not, or no longer, good: log in again"


class Gate(SystemClock):
    """A clock whose sleepers sleep on while it is shut."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.opened.set()

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        await self.opened.wait()


@asynccontextmanager
async def following(
    kube: Kube, clock: Clock | None = None
) -> AsyncIterator[tuple[Reflector, list[str], list[str]]]:
    """A reflector of ConfigMaps, the changes it tells (``+a``, ``-a``, ``~a``) and its troubles."""
    told: list[str] = []
    troubles: list[str] = []

    def on_change(before: Object | None, now: Object | None) -> None:
        held = now or before
        assert held is not None
        sign = "~" if before and now else "+" if now else "-"
        told.append(sign + held["metadata"]["name"])

    reflector = Reflector(
        kube,
        "v1",
        "ConfigMap",
        namespace="default",
        on_change=on_change,
        on_trouble=lambda error: troubles.append(str(error)),
        clock=clock,
    )
    async with reflector.running():
        await asyncio.wait_for(reflector.synced.wait(), 30)
        yield reflector, told, troubles


class TestWatching:
    """What happens, and what happened meanwhile."""

    async def test_what_happened_since_is_told(self, kube: Kube, namespace: str) -> None:
        start = await kube.list("v1", "ConfigMap", namespace=namespace)
        await kube.create(configmap("a", namespace))
        await kube.merge(Ref("v1", "ConfigMap", "a", namespace), {"data": {"x": "ü"}})
        await kube.delete(Ref("v1", "ConfigMap", "a", namespace))
        seen = []
        events = kube.watch("v1", "ConfigMap", start.version, namespace=namespace)
        async with asyncio.timeout(30), aclosing(events):
            async for event in events:
                seen.append((event.type, event.object["kind"], event.object.get("data")))
                if len(seen) == 3:
                    break
        assert seen == [
            ("ADDED", "ConfigMap", None),
            ("MODIFIED", "ConfigMap", {"x": "ü"}),
            ("DELETED", "ConfigMap", {"x": "ü"}),
        ]

    async def test_a_version_that_is_no_longer_kept_has_expired(self, other_cluster: Cluster) -> None:
        other_cluster.ask("POST", CONFIGMAPS, configmap("a", "default"))
        async with as_user(other_cluster.admin) as kube:
            last = await kube.list("v1", "ConfigMap")
            other_cluster.compact(int(last.version))
            other_cluster.kill()  # what it remembers itself is gone too
            other_cluster.start()
            with pytest.raises(Expired) as caught:
                await asyncio.wait_for(anext(kube.watch("v1", "ConfigMap", "1")), 30)
        assert str(caught.value).startswith("watch configmaps: ")

    async def test_a_reflector_survives_an_api_that_is_killed(self, other_cluster: Cluster) -> None:
        async with as_user(other_cluster.admin) as kube, following(kube) as (_, told, troubles):
            other_cluster.ask("POST", CONFIGMAPS, configmap("a", "default"))
            await soon(lambda: told == ["+a"])
            other_cluster.kill()
            await soon(lambda: any("cannot connect to" in one for one in troubles))
            await asyncio.to_thread(other_cluster.start)
            other_cluster.ask("POST", CONFIGMAPS, configmap("b", "default"))
            await soon(lambda: told == ["+a", "+b"], 60)

    async def test_a_reflector_finds_out_what_it_missed(self, other_cluster: Cluster) -> None:
        for name in ("stays", "goes", "changes"):
            other_cluster.ask("POST", CONFIGMAPS, configmap(name, "default"))
        gate = Gate()
        async with as_user(other_cluster.admin) as kube, following(kube, gate) as (held, told, troubles):
            await soon(lambda: sorted(told) == ["+changes", "+goes", "+stays"])
            told.clear()
            gate.opened.clear()
            other_cluster.kill()
            await soon(lambda: bool(troubles))
            other_cluster.start()
            other_cluster.ask("DELETE", f"{CONFIGMAPS}/goes")
            other_cluster.ask("PATCH", f"{CONFIGMAPS}/changes", {"data": {"x": "1"}})
            made = other_cluster.ask("POST", CONFIGMAPS, configmap("new", "default"))
            other_cluster.compact(int(made["metadata"]["resourceVersion"]))
            other_cluster.kill()
            await asyncio.to_thread(other_cluster.start)
            assert told == []
            gate.opened.set()
            await soon(lambda: len(told) == 3, 60)
            assert sorted(told) == ["+new", "-goes", "~changes"]
            other_cluster.ask("DELETE", f"{CONFIGMAPS}/new")
            await soon(lambda: told[-1] == "-new", 60)
            assert sorted(one["metadata"]["name"] for one in held) == ["changes", "stays"]


_HOLD = """
import asyncio, sys
from pathlib import Path
from weft.kube import Lease, find_cluster, open_kube

async def main(config, namespace):
    async with open_kube(find_cluster({}, file=Path(config)), {}) as kube:
        async with Lease(kube, "operator", namespace, "first", seconds=2.0).held():
            print("held", flush=True)
            await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


class TestLeases:
    """One acts, the others wait."""

    async def test_who_is_killed_is_followed_by_another_when_its_time_is_over(
        self, cluster: Cluster, kube: Kube, namespace: str
    ) -> None:
        acting = asyncio.Event()

        async def wait() -> None:
            async with Lease(kube, "operator", namespace, "second", seconds=2.0).held():
                acting.set()
                await asyncio.Event().wait()

        first = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _HOLD, str(cluster.admin), namespace, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert first.stdout is not None
            assert await asyncio.wait_for(first.stdout.readline(), 30) == b"held\n"
            async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
                task = tasks.create_task(wait())
                await self._renewed(kube, namespace, times=8)
                assert not acting.is_set()
                first.kill()
                await acting.wait()
                spec = (await kube.get(self._ref(namespace)))["spec"]
                task.cancel()
        finally:
            if first.returncode is None:
                first.kill()
            await first.wait()
        assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("second", 1)
        assert (await kube.get(self._ref(namespace)))["spec"].get("holderIdentity", "") == ""

    @staticmethod
    def _ref(namespace: str) -> Ref:
        return Ref("coordination.k8s.io/v1", "Lease", "operator", namespace)

    async def _renewed(self, kube: Kube, namespace: str, times: int) -> None:
        """Until ``first`` has renewed it so often: three times as long as it lasts."""
        seen: set[str] = set()
        while len(seen) < times:
            spec = (await kube.get(self._ref(namespace)))["spec"]
            assert spec["holderIdentity"] == "first"
            seen.add(spec["renewTime"])
            await asyncio.sleep(0.05)

    async def test_one_that_was_given_back_is_taken_at_once(self, kube: Kube, namespace: str) -> None:
        async with asyncio.timeout(20):  # less than either lasts
            for holder in ("first", "second"):
                async with Lease(kube, "operator", namespace, holder, seconds=60.0).held():
                    pass

    async def test_of_many_one_acts_at_a_time(self, kube: Kube, namespace: str) -> None:
        acting: list[str] = []
        most = 0

        async def act(holder: str) -> None:
            nonlocal most
            async with Lease(kube, "operator", namespace, holder, seconds=1.0).held():
                acting.append(holder)
                most = max(most, len(acting))
                await asyncio.sleep(0.1)
                acting.remove(holder)

        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            for number in range(5):
                tasks.create_task(act(f"holder-{number}"))
        assert most == 1

    async def test_an_api_that_is_gone_ends_it(self, other_cluster: Cluster) -> None:
        troubles: list[str] = []
        async with as_user(other_cluster.admin) as kube:
            lease = Lease(
                kube, "x", "default", "me", seconds=3.0, on_trouble=lambda one: troubles.append(str(one))
            )
            with pytest.raises(LeaseLost):
                await self._until_lost(lease, other_cluster)
        assert troubles

    @staticmethod
    async def _until_lost(lease: Lease, cluster: Cluster) -> None:
        async with asyncio.timeout(60), lease.held():
            cluster.kill()
            await asyncio.Event().wait()


class TestTheWorld:
    """What other tests rely on."""

    def test_nodes_and_pods_are_ready(self, cluster: Cluster, namespace: str) -> None:
        node = cluster.node(f"node-{namespace}", zone="a")
        pod = cluster.pod("details", namespace, node=f"node-{namespace}", app="details")
        assert (node["metadata"]["labels"], pod["metadata"]["labels"]) == ({"zone": "a"}, {"app": "details"})
        assert (pod["spec"]["nodeName"], pod["status"]["phase"]) == (f"node-{namespace}", "Running")

    def test_deployments_are_rolled_out(self, cluster: Cluster, namespace: str) -> None:
        cluster.start_controllers()
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        cluster.ask("POST", path, deployment("details", namespace, replicas=2))
        until(lambda: cluster.run_pods(namespace) == 2, "pods")
        until(lambda: cluster.ask("GET", f"{path}/details")["status"].get("readyReplicas") == 2, "ready pods")
