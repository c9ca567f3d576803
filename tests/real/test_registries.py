"""The client against real registries, Debian's docker-registry 2.8 and distribution 3, behind every guard."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from contracts.repository import RepositoryContract, fresh, push
from weft.net import Http, Network, Trust
from weft.registry import AuthFailed, Credential, Keychain, Registries, Repository
from worlds.certificates import certificates
from worlds.real_registry import running, token_server

ME = Credential("me", "secret", source="the test")


@dataclass(frozen=True)
class Place:
    """A registry that runs, and what is needed to reach it."""

    kind: str
    guard: str
    host: str
    network: Network


def start(stack: ExitStack, kind: str, guard: str, folder: Path) -> Place:
    """``kind`` behind ``guard``: plain, tls (with passwords) or token."""
    if guard == "tls":
        host = stack.enter_context(running(kind, folder, tls=certificates(), auth="basic"))
        return Place(kind, guard, host, Network(hosts={host: Trust(authorities=(certificates().authority,))}))
    if guard == "token":
        realm = stack.enter_context(token_server(folder))
        host = stack.enter_context(running(kind, folder, auth="token", realm=realm))
        return Place(kind, guard, host, Network())
    return Place(kind, guard, stack.enter_context(running(kind, folder)), Network())


PLACES = [
    pytest.param(kind, guard, marks=pytest.mark.real(kind, "openssl"), id=f"{kind}, {guard}")
    for kind in ("docker-registry", "distribution")
    for guard in ("plain", "tls", "token")
]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], Place]]:
    """Start each kind of registry behind each guard once."""
    with ExitStack() as stack:
        yield cache(lambda kind, guard: start(stack, kind, guard, tmp_path_factory.mktemp("registry")))


@pytest.mark.parametrize(("kind", "guard"), PLACES)
class TestRealRegistry(RepositoryContract):
    """The contract, and who is let in."""

    @pytest.fixture
    def place(self, kind: str, guard: str, places: Callable[[str, str], Place]) -> Place:
        return places(kind, guard)

    @pytest.fixture
    def deletes_tags(self, kind: str) -> bool:
        return kind != "docker-registry"

    @pytest.fixture
    async def registries(self, place: Place) -> AsyncIterator[Registries]:
        async with Http(place.network) as http:
            yield Registries(http, Keychain(given={place.host: ME}))

    @pytest.fixture
    def open_repository(self, place: Place, registries: Registries) -> Callable[..., Repository]:
        return lambda name, **more: registries.repository(place.host, name, **more)

    async def test_the_credential_is_asked_for(self, place: Place, registries: Registries) -> None:
        assert await registries.check(place.host) == (place.guard != "plain")

    async def test_a_wrong_password_is_refused(self, place: Place) -> None:
        async with Http(place.network) as http:
            registries = Registries(http, Keychain(given={place.host: Credential("me", "wrong")}))
            if place.guard == "plain":
                assert not await registries.check(place.host)
                return
            with pytest.raises(AuthFailed):
                await registries.check(place.host)
            with pytest.raises(AuthFailed):
                await push(registries.repository(place.host, fresh()))
