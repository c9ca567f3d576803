"""The facts that a cluster knows, and what it says where it does not."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

from weft.clusters import look
from weft.errors import UsageError, WeftError
from weft.kube import Denied, Kube
from weft.mesh import Facts, ImageUrl
from worlds.intents import IMAGE, an_intent
from worlds.kube_api import KubeWorld, open_world, refusing

HOME = "bookinfo"
KNOWN = Facts(image=ImageUrl.parse(IMAGE))


@pytest.fixture
async def world() -> AsyncIterator[KubeWorld]:
    async with open_world() as world:
        labels = {"app": "details"}
        spec = {"template": {"metadata": {"labels": labels}}}
        world.put("details", namespace=HOME, plural="deployments", spec=spec)
        yield world


def istiod(world: KubeWorld, image: str = "istio/pilot", name: str = "istiod", **labels: str) -> None:
    containers = [{"name": "discovery", "image": image}]
    spec = {"template": {"spec": {"containers": containers}}}
    world.put(name, namespace="istio-system", plural="deployments", spec=spec)
    world.mark(name, namespace="istio-system", plural="deployments", app="istiod", **labels)


async def looked(kube: Kube, *, istiod: str = "", known: Facts = KNOWN, **spec: Any) -> Facts:
    return await look(kube, an_intent(**{"istio": {}, **spec}), known, istiod=istiod)


class TestControlPlanes:
    @pytest.mark.parametrize(
        ("image", "labels", "version"),
        [
            pytest.param("docker.io/istio/pilot:1.26.2", {}, "1.26.2", id="of the image's tag"),
            pytest.param(
                "hub:5000/istio/pilot:1.26-alpha.1-distroless", {}, "1.26-alpha.1-distroless", id="with more"
            ),
            pytest.param("istio/pilot:v1.9", {}, "1.9", id="with v"),
            pytest.param(f"istio/pilot:1.20.1@sha256:{'0' * 64}", {}, "1.20.1", id="tag and digest"),
            pytest.param(
                "istio/pilot:latest", {"app.kubernetes.io/version": "1.28.0"}, "1.28.0", id="of a label"
            ),
            pytest.param("istio/pilot", {"helm.sh/chart": "istiod-1.27.1"}, "1.27.1", id="of the chart"),
            pytest.param("istio/pilot:latest", {"operator.istio.io/version": "unknown"}, "", id="of nothing"),
            pytest.param("", {}, "", id="no image"),
        ],
    )
    async def test_its_version(
        self, world: KubeWorld, kube: Kube, image: str, labels: dict[str, str], version: str
    ) -> None:
        istiod(world, image, **labels)
        facts = await looked(kube)
        assert (facts.istio_version, facts.control_plane) == (version, "istio-system")

    async def test_of_several_the_one_of_the_revision(self, world: KubeWorld, kube: Kube) -> None:
        istiod(world, "istio/pilot:1.26.2", "old", **{"istio.io/rev": "old"})
        istiod(world, "istio/pilot:1.30.0", "new", **{"istio.io/rev": "default"})
        assert (await looked(kube)).istio_version == "1.30.0"
        assert (await looked(kube, istio={"revision": "old"})).istio_version == "1.26.2"
        named = await looked(kube, istiod="old")
        assert (named.istio_version, named.control_plane) == ("1.26.2", "istio-system/old")
        with pytest.raises(UsageError) as caught:
            await looked(kube, istio={"revision": "gone"})
        assert str(caught.value) == "several control planes in istio-system (default: 1.30.0, old: 1.26.2)"
        with pytest.raises(UsageError, match=r"^no Deployment gone in namespace istio-system$"):
            await looked(kube, istiod="gone")

    async def test_two_that_differ_only_in_the_last_number_are_one(
        self, world: KubeWorld, kube: Kube
    ) -> None:
        istiod(world, "istio/pilot:1.26.2", "a", **{"istio.io/rev": "a"})
        istiod(world, "istio/pilot:1.26.4", "b", **{"istio.io/rev": "b"})
        assert (await looked(kube)).istio_version == "1.26.4"

    async def test_there_is_none(self, kube: Kube) -> None:
        with pytest.raises(UsageError, match=r"^no istiod in namespace istio-system: nobody would read what"):
            await looked(kube)

    @pytest.mark.parametrize(
        ("known", "istio"),
        [
            pytest.param(KNOWN, {"external": True}, id="it is external"),
            pytest.param(KNOWN, {"version": "1.24"}, id="the intent says its version"),
            pytest.param(Facts(image=KNOWN.image, istio_version="1.24"), {}, id="the user does"),
        ],
    )
    async def test_nobody_looks_for_one_that_is_known(
        self, world: KubeWorld, kube: Kube, known: Facts, istio: dict[str, Any]
    ) -> None:
        world.meet("GET", "istio-system", refusing(403, "Forbidden", "no"))
        facts = await looked(kube, known=known, istio=istio)
        assert (facts.istio_version, facts.control_plane) == (known.istio_version, "")

    async def test_who_may_not_look_is_told_what_is_denied(self, world: KubeWorld, kube: Kube) -> None:
        world.meet("GET", "istio-system", refusing(403, "Forbidden", "you may not"))
        with pytest.raises(Denied, match=r"^list deployments in istio-system: you may not$"):
            await looked(kube)


class TestWorkloads:
    async def test_a_mesh_needs_them_and_says_what_is_denied(self, world: KubeWorld, kube: Kube) -> None:
        istiod(world)
        world.meet("GET", "statefulsets", refusing(403, "Forbidden", "no"))
        with pytest.raises(Denied, match=r"^list statefulsets in bookinfo: no$"):
            await looked(kube)

    async def test_for_gateways_nobody_needs_them(self, world: KubeWorld, kube: Kube) -> None:
        world.put(HOME, namespace="", plural="namespaces")
        world.meet("GET", "statefulsets", refusing(403, "Forbidden", "no"))
        facts = await look(kube, an_intent(target={"envoyGateway": {}}, targetRefs=[{"name": "eg"}]), KNOWN)
        assert facts.workloads is None

    async def test_a_namespace_that_is_not_there_is_named(self, world: KubeWorld, kube: Kube) -> None:
        istiod(world)
        world.remove("details", namespace=HOME, plural="deployments")
        with pytest.raises(UsageError, match=r"^there is no namespace bookinfo$"):
            await looked(kube)
        world.meet("GET", "/namespaces/bookinfo?", refusing(403, "Forbidden", "no"))
        assert (await looked(kube)).workloads == ()


CONFIG_FROM: dict[str, Any] = {
    "config": {},
    "configFrom": [{"secretKeyRef": {"name": "s", "key": "k"}, "path": "token"}],
}


class TestValues:
    async def test_a_secret_is_decoded(self, world: KubeWorld, kube: Kube) -> None:
        istiod(world)
        world.put("s", namespace=HOME, plural="secrets", data={"k": base64.b64encode(b"hush").decode()})
        facts = await looked(kube, **CONFIG_FROM)
        assert facts.values == {("Secret", "s", "k"): "hush"}

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            pytest.param(None, "spec.configFrom: no Secret bookinfo/s", id="no Secret"),
            pytest.param({}, "spec.configFrom: Secret bookinfo/s has no key 'k'", id="no key"),
            pytest.param(
                {"k": "/w=="}, "spec.configFrom: key 'k' of Secret bookinfo/s is not UTF-8 text", id="bytes"
            ),
            pytest.param(
                {"k": "%"}, "spec.configFrom: key 'k' of Secret bookinfo/s is not UTF-8 text", id="no base64"
            ),
        ],
    )
    async def test_what_is_wrong_is_named_without_the_value(
        self, world: KubeWorld, kube: Kube, data: dict[str, str] | None, message: str
    ) -> None:
        istiod(world)
        if data is not None:
            world.put("s", namespace=HOME, plural="secrets", data=data)
        with pytest.raises(WeftError) as caught:
            await looked(kube, **CONFIG_FROM)
        assert str(caught.value) == message
