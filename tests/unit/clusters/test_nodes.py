"""What nodes are asked to hold, and with which credential they get it."""

import base64
from collections.abc import AsyncIterator

import pytest

from weft.clusters import CACHE_PODS, REGISTRIES, Nodes, NotDistributed, node_report
from weft.errors import WeftError
from weft.kube import Kube
from weft.mesh import ModuleFile
from worlds.clock import FakeClock
from worlds.kube_api import KubeWorld, open_world

SYSTEM = "weft-system"
ONE, TWO = (
    ModuleFile(f"/modules/{letter * 64}", letter * 64, f"oci://hub/team/f@sha256:{letter * 64}")
    for letter in "ab"
)
WISH = f"weft-module-headers.shop-{'a' * 12}"


@pytest.fixture
async def world() -> AsyncIterator[KubeWorld]:
    async with open_world() as world:
        world.put(REGISTRIES, namespace=SYSTEM, plural="secrets")
        yield world


@pytest.fixture
def nodes(kube: Kube) -> Nodes:
    return Nodes(kube, SYSTEM, FakeClock())


def credentials(world: KubeWorld) -> dict[str, str]:
    data = world.objects["secrets", SYSTEM, REGISTRIES].get("data", {})
    return {key: base64.b64decode(text).decode() for key, text in data.items()}


def wishes(world: KubeWorld) -> dict[str, dict[str, str]]:
    return {key[2]: held["data"] for key, held in world.objects.items() if key[0] == "configmaps"}


async def test_a_wish_and_its_credential_come_and_go_together(world: KubeWorld, nodes: Nodes) -> None:
    assert await nodes.want("headers.shop", ONE, "{1}")
    assert wishes(world) == {
        WISH: {
            "filter": "headers.shop",
            "image": ONE.image.removeprefix("oci://"),
            "sha256": ONE.sha256,
            "credential": f"{WISH}.json",
        }
    }
    assert credentials(world) == {f"{WISH}.json": "{1}"}
    await nodes.release("headers.shop", ONE)
    assert (wishes(world), credentials(world)) == ({}, {})


async def test_what_is_as_it_should_be_is_not_written_again(world: KubeWorld, nodes: Nodes) -> None:
    await nodes.want("headers.shop", ONE, "{1}")
    world.seen.clear()
    assert not await nodes.want("headers.shop", ONE, "{1}")
    assert world.requests("PATCH") == []


async def test_a_rotated_credential_takes_the_place_of_the_old_one(world: KubeWorld, nodes: Nodes) -> None:
    await nodes.want("headers.shop", ONE, "{1}")
    await nodes.want("headers.shop", ONE, "{2}")
    assert credentials(world) == {f"{WISH}.json": "{2}"}


async def test_a_filter_that_needs_none_any_more_leaves_none(world: KubeWorld, nodes: Nodes) -> None:
    await nodes.want("headers.shop", ONE, "{1}")
    await nodes.want("headers.shop", ONE)
    assert (credentials(world), "credential" in wishes(world)[WISH]) == ({}, False)


async def test_each_wish_has_its_own_so_that_an_old_module_takes_none_with_it(
    world: KubeWorld, nodes: Nodes
) -> None:
    world.put(REGISTRIES, namespace=SYSTEM, plural="secrets", data={"config.json": "e30="})
    await nodes.want("headers.shop", ONE, "{1}")
    await nodes.want("headers.shop", TWO, "{1}")
    await nodes.release("headers.shop", ONE)
    assert list(credentials(world).values()) == ["{}", "{1}"]


async def test_killed_between_both_a_wish_is_there_that_tells_of_the_credential(
    world: KubeWorld, nodes: Nodes
) -> None:
    del world.objects["secrets", SYSTEM, REGISTRIES]
    with pytest.raises(WeftError, match=f"no Secret {SYSTEM}/{REGISTRIES} for the node caches' credentials"):
        await nodes.want("headers.shop", ONE, "{1}")
    assert wishes(world)[WISH]["credential"] == f"{WISH}.json"
    await nodes.release("headers.shop", ONE)
    assert wishes(world) == {}


async def test_without_a_credential_nobody_needs_the_right_to_the_secret(
    world: KubeWorld, nodes: Nodes
) -> None:
    await nodes.want("headers.shop", ONE)
    await nodes.release("headers.shop", ONE)
    assert world.requests("", "secrets") == []


ASM = "/var/local/lib/wasm-filters"


def runs(world: KubeWorld, node: str, *folders: str) -> None:
    """A node whose cache holds ``ONE`` in these folders."""
    label, _, value = CACHE_PODS.partition("=")
    world.put(f"cache-{node}", namespace=SYSTEM, plural="pods", spec={"nodeName": node})
    world.mark(f"cache-{node}", namespace=SYSTEM, plural="pods", **{label: value})
    images = [{"reference": "", "state": "Ready", "module": f"sha256:{ONE.sha256}"}]
    document = {"images": images} | ({"folders": list(folders)} if folders else {})
    report = node_report(node, SYSTEM, document)
    world.put(report["metadata"]["name"], namespace=SYSTEM, data=report["data"])
    world.mark(report["metadata"]["name"], namespace=SYSTEM, **report["metadata"]["labels"])


@pytest.mark.parametrize(
    "folders",
    [
        pytest.param(("/modules",), id="the only one"),
        pytest.param((ASM, "/modules"), id="one of several"),
        pytest.param((), id="an older node cache that does not say"),
    ],
)
async def test_a_file_in_the_right_folder_is_enough(
    world: KubeWorld, nodes: Nodes, folders: tuple[str, ...]
) -> None:
    runs(world, "one", *folders)
    await nodes.wait(ONE, seconds=0, say=print)


async def test_a_folder_that_a_node_does_not_keep_is_named_at_once(world: KubeWorld, nodes: Nodes) -> None:
    runs(world, "one", "/modules")
    runs(world, "two", ASM, "/elsewhere")
    with pytest.raises(NotDistributed) as error:
        await nodes.wait(ONE, seconds=300, say=print)
    assert str(error.value) == f"node two keeps modules in {ASM}, /elsewhere, and not in /modules"
    assert error.value.hint == (
        "`weft install --also-folder /modules`, or another folder in spec.target.istio.volume"
    )


async def test_the_report_of_a_node_that_is_gone_is_found_and_forgotten(
    world: KubeWorld, nodes: Nodes
) -> None:
    runs(world, "one")
    runs(world, "two")
    assert await nodes.strangers() == frozenset()
    world.remove("cache-two", namespace=SYSTEM, plural="pods")
    assert await nodes.strangers() == {"two"}
    await nodes.forget("two")
    await nodes.forget("two")
    assert list(await nodes.reports()) == ["one"]
