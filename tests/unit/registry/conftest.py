"""A registry that is played, and a client of it; a module that wants another has one of its own."""

from collections.abc import AsyncIterator

import pytest

from contracts.repository import MODULE
from weft.registry import Registries
from worlds.clock import FakeClock
from worlds.content import open_registries
from worlds.registry import RegistryWorld, open_registry


@pytest.fixture
async def world() -> AsyncIterator[RegistryWorld]:
    async with open_registry() as world:
        world.add_blob("team/f", MODULE)
        yield world


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def registries(world: RegistryWorld, clock: FakeClock) -> AsyncIterator[Registries]:
    async with open_registries(world.host, clock=clock) as registries:
        yield registries
