"""The contract of repositories, against the registry in a dict; and what goes over the wire for it."""

from collections.abc import AsyncIterator, Callable

import pytest

from contracts.repository import MODULE, RepositoryContract, fresh, push, read
from weft.registry import Registries, RegistryError, Repository
from worlds.content import blob, giving, image, open_registries
from worlds.http import answer
from worlds.registry import RegistryWorld, open_registry


@pytest.fixture
async def world() -> AsyncIterator[RegistryWorld]:
    async with open_registry() as world:
        yield world


@pytest.fixture
async def registries(world: RegistryWorld) -> AsyncIterator[Registries]:
    async with open_registries(world.host) as registries:
        yield registries


class TestWithReferrers(RepositoryContract):
    """A registry of today."""

    @pytest.fixture
    def open_repository(self, world: RegistryWorld, registries: Registries) -> Callable[..., Repository]:
        world.page = 5
        return lambda name, **more: registries.repository(world.host, name, **more)


class TestWithoutReferrers(RepositoryContract):
    """A registry as most are: the list of referrers is an index under a tag."""

    @pytest.fixture
    def open_repository(self, world: RegistryWorld, registries: Registries) -> Callable[..., Repository]:
        world.referrers = False
        return lambda name, **more: registries.repository(world.host, name, **more)


async def test_a_push_asks_for_nothing_twice(world: RegistryWorld, registries: Registries) -> None:
    await push(registries.repository(world.host, "team/f"))
    assert [str(seen).partition("?")[0].replace(blob(MODULE).digest.hex, "…") for seen in world.seen] == [
        "POST /v2/team/f/blobs/uploads/",
        "PUT /v2/team/f/blobs/uploads/0",
        "POST /v2/team/f/blobs/uploads/",
        "PUT /v2/team/f/blobs/uploads/1",
        "PUT /v2/team/f/manifests/v1",
    ]


async def test_a_body_that_is_too_large_at_once_goes_in_chunks(
    world: RegistryWorld, registries: Registries
) -> None:
    repository = registries.repository(world.host, "team/f")
    world.meet("PUT", "/uploads/", answer(413), times=1)
    assert await repository.put_blob(blob(MODULE), giving(MODULE))
    assert [seen.method for seen in world.seen] == ["POST", "PUT", "POST", "PATCH", "PUT"]
    assert await read(repository, blob(MODULE)) == MODULE


async def test_a_registry_without_head_is_asked_for_the_manifest(
    world: RegistryWorld, registries: Registries
) -> None:
    repository = registries.repository(world.host, "team/f")
    pushed = await push(repository)
    world.meet("HEAD", "/manifests/", answer(405))
    assert (await repository.resolve("v1")).digest == pushed.digest


async def test_the_kind_that_a_plain_file_server_gives_is_not_believed(
    world: RegistryWorld, registries: Registries
) -> None:
    raw = image(MODULE).raw
    world.add_manifest("team/f", "v1", raw, "application/octet-stream")
    assert (await registries.repository(world.host, "team/f").manifest("v1")).raw == raw


async def test_a_deletion_that_is_not_allowed_says_what_would_be(
    world: RegistryWorld, registries: Registries
) -> None:
    repository = registries.repository(world.host, fresh())
    pushed = await push(repository)
    world.meet("DELETE", "/manifests/", answer(405, b'{"errors":[{"code":"UNSUPPORTED"}]}'))
    with pytest.raises(RegistryError) as caught:
        await repository.delete_manifest("v1")
    assert str(caught.value) == f"DELETE {world.url}/v2/{repository.name}/manifests/v1: 405 UNSUPPORTED"
    assert caught.value.hint == (
        "this registry does not delete a tag alone; NAME@DIGEST deletes the manifest with all its tags"
    )
    with pytest.raises(RegistryError) as caught:
        await repository.delete_manifest(pushed.digest)
    assert caught.value.hint == (
        "this registry does not allow it; docker's needs REGISTRY_STORAGE_DELETE_ENABLED=true"
    )
