"""Credentials that are handed to a program while it runs."""

import base64

from weft.net import Http, Network
from weft.registry import AuthFailed, CredentialFile, Handed, Keychain, Persistence, Registries
from worlds.clock import FakeClock
from worlds.registry import RegistryWorld, open_registry


def file(host: str, *passwords: str) -> list[CredentialFile]:
    """A file for each password, all for the same repository."""
    texts = [base64.b64encode(f"me:{one}".encode()).decode() for one in passwords]
    return [CredentialFile({"auths": {f"{host}/team/f": {"auth": text}}}, "handed") for text in texts]


async def works(registries: Registries, world: RegistryWorld) -> bool:
    """Whether the tag can be read now."""
    try:
        await registries.repository(world.host, "team/f").resolve("v1")
    except AuthFailed:
        registries.forget()
        return False
    return True


async def test_one_that_is_refused_makes_way_for_the_next_until_others_are_handed() -> None:
    handed = Handed()
    async with open_registry(RegistryWorld(auth="basic")) as world, Http(Network.from_env({})) as http:
        world.add_manifest("team/f", "v1", b"{}", "application/vnd.oci.image.manifest.v1+json")
        registries = Registries(
            http, Keychain(handed=handed), plain={world.host}, persistence=Persistence(clock=FakeClock())
        )
        assert not await works(registries, world)
        handed.hand(file(world.host, "old", "secret"))
        assert [await works(registries, world) for _ in range(2)] == [False, True]
        registries.forget()
        assert await works(registries, world), "the refused one is not tried again"
        world.password = "new"
        handed.hand(file(world.host, "secret", "new"))
        assert [await works(registries, world) for _ in range(2)] == [False, True]


async def test_when_all_are_refused_they_are_tried_anew() -> None:
    handed = Handed(file("hub", "one", "two"))
    keychain = Keychain(handed=handed)

    async def chosen() -> str:
        found = await keychain.lookup("hub", "team/f")
        assert found is not None
        handed.refuse("hub", "team/f", found)
        return found.password

    assert [await chosen() for _ in range(5)] == ["one", "two", "one", "two", "one"]


async def test_a_refusal_counts_for_one_repository_alone() -> None:
    (everywhere,) = file("hub", "good")
    host = CredentialFile({"auths": {"hub": everywhere.fields["auths"]["hub/team/f"]}}, "handed")
    handed = Handed([everywhere, host])
    keychain = Keychain(handed=handed)
    for repository in ("team/f", "team/g"):
        found = await keychain.lookup("hub", repository)
        assert found is not None
        assert found.password == "good"
        handed.refuse("hub", repository, found)
    assert await keychain.lookup("elsewhere", "team/f") is None
