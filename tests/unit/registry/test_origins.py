"""Which scheme a registry is spoken to with: TLS, unless it is on this machine and does not speak it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from weft.net import Http, HttpFailure, Network, Trust
from weft.registry.origins import Origins
from worlds.certificates import certificates
from worlds.registry import RegistryWorld, open_registry


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(Network()) as http:
        yield http


@pytest.mark.parametrize(
    ("registry", "origin"),
    [
        ("docker.io", "https://registry-1.docker.io"),
        ("hub.example.com", "https://hub.example.com"),
        ("hub.example.com:5000", "https://hub.example.com:5000"),
        ("lab:5000", "http://lab:5000"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000"),
    ],
)
async def test_tls_unless_a_person_said_otherwise(http: Http, registry: str, origin: str) -> None:
    assert await Origins(http, {"lab:5000"}).of(registry) == origin


@pytest.mark.parametrize("registry", ["localhost:99999", "hub.example.com:99999", "hub.example.com:0"])
async def test_a_registry_that_nobody_can_be_is_said_to_be_none(http: Http, registry: str) -> None:
    with pytest.raises(HttpFailure, match=f"^not a URL that can be asked: 'https://{registry}'$"):
        await Origins(http, {"hub.example.com:99999"}).of(registry)


async def test_a_registry_on_this_machine_may_be_plain(http: Http) -> None:
    async with open_registry() as world:
        origins = Origins(http)
        found = await asyncio.gather(*(origins.of(world.host) for _ in range(5)))
        assert set(found) == {world.url}
        assert world.seen == []


async def test_one_that_says_nothing_to_tls_is_plain(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.registry.origins._PROBE_SECONDS", 0.1)
    over = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert await Origins(http).of(host) == f"http://{host}"
        over.set()


@pytest.mark.real("openssl")
async def test_a_registry_on_this_machine_with_tls_is_never_spoken_to_plainly() -> None:
    async with open_registry(RegistryWorld(), certificates().server_context()) as world:
        async with Http(Network()) as http:
            with pytest.raises(HttpFailure, match="is not who it should be"):
                await Origins(http).of(world.host)
        trust = Trust(authorities=(certificates().authority,))
        async with Http(Network(trust=trust)) as http:
            assert await Origins(http).of(world.host) == f"https://{world.host}"


async def test_one_that_is_not_there_is_said_not_to_be(http: Http) -> None:
    async with open_registry() as world:
        pass
    with pytest.raises(HttpFailure, match=f"cannot connect to {world.host}"):
        await Origins(http).of(world.host)
