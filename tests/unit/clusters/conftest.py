"""An API that is played, and a client of it; a module that wants more in its world has one of its own."""

from collections.abc import AsyncIterator

import pytest

from weft.kube import Kube
from worlds.kube_api import KubeWorld, open_client, open_world


@pytest.fixture
async def world() -> AsyncIterator[KubeWorld]:
    async with open_world() as world:
        yield world


@pytest.fixture
async def kube(world: KubeWorld) -> AsyncIterator[Kube]:
    async with open_client(world) as kube:
        yield kube
