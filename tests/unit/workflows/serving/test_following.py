"""What a node cache hears from its cluster."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from weft.base.tasks import together
from weft.clusters import REGISTRIES
from weft.registry import CredentialFile
from weft.workflows.serving.following import Following
from worlds.clock import FakeClock, until
from worlds.kube_api import KubeWorld, open_client, open_world

SYSTEM = "weft-system"


def file(password: str) -> str:
    auth = base64.b64encode(f"me:{password}".encode()).decode()
    return base64.b64encode(json.dumps({"auths": {"hub/team/f": {"auth": auth}}}).encode()).decode()


@dataclass
class Node:
    """A node cache that follows ``world``, and what it was handed and said."""

    world: KubeWorld
    handed: list[list[str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def hand(self, files: tuple[CredentialFile, ...]) -> None:
        found = [one.stored("hub", "team/f") for one in files]
        self.handed.append([one.password if one else "nothing" for one in found])

    def has(self, **data: str) -> None:
        """The Secret as somebody writes it."""
        self.world.put(
            REGISTRIES,
            namespace=SYSTEM,
            plural="secrets",
            data={key.replace("_", "."): text for key, text in data.items()},
        )


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with open_world() as world, open_client(world) as kube:
        node = Node(world)
        following = Following(kube, SYSTEM, "one", node.said.append, node.hand, FakeClock())
        node.has(config_json=file("everybody"))
        async with together(following.registries.run()):
            await until(lambda: bool(node.handed))
            yield node


async def test_credentials_are_handed_on_as_soon_as_they_change(node: Node) -> None:
    assert node.handed == [["everybody"]]
    node.has(config_json=file("everybody"), weft_module_a=file("one"), weft_module_b=file("two"))
    await until(lambda: len(node.handed) == 2)
    assert node.handed[1] == ["one", "two", "everybody"], "those for one repository first"
    node.world.remove(REGISTRIES, namespace=SYSTEM, plural="secrets")
    await until(lambda: len(node.handed) == 3)
    assert node.handed[2] == []


async def test_a_change_that_is_none_disturbs_nobody(node: Node) -> None:
    node.has(config_json=file("everybody"))
    node.has(config_json=file("rotated"))
    await until(lambda: len(node.handed) > 1)
    assert node.handed == [["everybody"], ["rotated"]]


async def test_one_that_cannot_be_read_is_named_and_does_not_spoil_the_others(node: Node) -> None:
    node.has(a="no base64!", b=base64.b64encode(b"{").decode(), c=file("good"))
    await until(lambda: len(node.handed) > 1)
    assert node.handed[1] == ["good"]
    assert node.said[0] == "key 'a' of Secret weft-system/weft-registries is not base64"
    assert node.said[1].startswith("key 'b' of Secret weft-system/weft-registries is not JSON")
