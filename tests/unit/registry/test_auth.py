"""Who we are, and to whom we say it: passwords, tokens, and the places that must never see them."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from contracts.repository import MODULE, push, read
from weft.net import Http, Network
from weft.oci import DocumentInvalid
from weft.registry import AuthFailed, Credential, Keychain, Misled, Registries, RegistryError
from worlds.clock import FakeClock
from worlds.content import CONFIG, blob, giving, open_registries
from worlds.http import answer
from worlds.registry import RegistryWorld, error, open_registry

ME = Credential("me", "secret", source="the test")
BASIC = "Basic bWU6c2VjcmV0"


@pytest.fixture
async def world() -> AsyncIterator[RegistryWorld]:
    async with open_registry() as world:
        yield world


async def test_nothing_is_shown_before_it_is_asked_for(world: RegistryWorld) -> None:
    async with open_registries(world.host, given={world.host: ME}) as registries:
        await push(registries.repository(world.host, "team/f"))
        assert not await registries.check(world.host)
    assert {seen.authorization for seen in world.seen} == {None}


async def test_a_password_is_shown_once_asked_for_and_then_at_once(world: RegistryWorld) -> None:
    world.auth = "basic"
    async with open_registries(world.host, given={world.host: ME}) as registries:
        await push(registries.repository(world.host, "team/f"))
    assert [seen.authorization for seen in world.seen] == [None] + [BASIC] * 5


async def test_tokens_are_kept_for_each_scope(world: RegistryWorld) -> None:
    world.auth = "token"
    async with open_registries(world.host, given={world.host: ME}) as registries:
        repository = registries.repository(world.host, "team/f")
        await push(repository)
        await repository.resolve("v1")
        await repository.resolve("v1")
        await registries.repository(world.host, "team/g").has_blob(blob(CONFIG))
    assert [seen.query for seen in world.requests("GET", "/token")] == [
        "service=world&scope=repository:team/f:pull,push",
        "service=world&scope=repository:team/f:pull",
        "service=world&scope=repository:team/g:pull",
    ]
    assert {seen.authorization for seen in world.requests("GET", "/token")} == {BASIC}
    at_registry = {seen.authorization or "" for seen in world.seen if seen.path != "/token"}
    assert BASIC not in at_registry


async def test_a_mount_asks_for_a_token_that_reads_the_neighbour(world: RegistryWorld) -> None:
    world.auth = "token"
    async with open_registries(world.host, given={world.host: ME}) as registries:
        await push(registries.repository(world.host, "team/f"))
        second = registries.repository(world.host, "team/g", mount_from="team/f")
        assert not await second.put_blob(blob(MODULE), giving(MODULE))
    assert world.requests("GET", "/token")[-1].query == (
        "service=world&scope=repository:team/f:pull&scope=repository:team/g:pull,push"
    )


async def test_many_tasks_share_one_token(world: RegistryWorld) -> None:
    world.auth = "token"
    async with open_registries(world.host, given={world.host: ME}) as registries:
        repository = registries.repository(world.host, "team/f")
        await repository.has_blob(blob(b"0"))
        world.expire_tokens()
        world.seen.clear()
        await asyncio.gather(*(repository.has_blob(blob(bytes([n]))) for n in range(8)))
    assert len(world.requests("GET", "/token")) == 1


async def test_a_token_is_replaced_before_it_expires(world: RegistryWorld) -> None:
    world.auth, world.token_seconds = "token", 60
    clock = FakeClock()
    async with open_registries(world.host, given={world.host: ME}, clock=clock) as registries:
        repository = registries.repository(world.host, "team/f")
        await repository.has_blob(blob(CONFIG))
        clock.time += 54
        await repository.has_blob(blob(CONFIG))
        assert len(world.requests("GET", "/token")) == 1
        clock.time += 2
        await repository.has_blob(blob(CONFIG))
    assert len(world.requests("GET", "/token")) == 2
    assert [seen.authorization for seen in world.requests("HEAD", "/blobs/")].count(None) == 1


async def test_a_token_that_expired_unannounced_is_replaced_once(world: RegistryWorld) -> None:
    world.auth = "token"
    async with open_registries(world.host, given={world.host: ME}) as registries:
        repository = registries.repository(world.host, "team/f")
        await push(repository)
        world.expire_tokens()
        await push(repository, tag="v2")
        assert await read(repository, blob(MODULE)) == MODULE


async def test_a_token_that_expires_in_the_middle_of_a_push_is_no_failure(world: RegistryWorld) -> None:
    world.auth = "token"

    async def expire(request: web.BaseRequest) -> web.StreamResponse:
        world.expire_tokens()
        return error(
            401, "UNAUTHORIZED", "expired", {"WWW-Authenticate": f'Bearer realm="{world.url}/token"'}
        )

    for chunk in (0, 200_000):
        async with open_registries(world.host, given={world.host: ME}) as registries:
            repository = registries.repository(world.host, "team/f", chunk=chunk)
            await repository.has_blob(blob(CONFIG))
            world.meet("PATCH" if chunk else "PUT", "/uploads/", expire, times=1)
            assert await repository.put_blob(blob(MODULE), giving(MODULE))
            assert await read(repository, blob(MODULE)) == MODULE


async def test_a_wrong_password_fails_at_once(world: RegistryWorld) -> None:
    world.auth = "basic"
    clock = FakeClock()
    wrong = Credential("me", "wrong", source="the test")
    async with open_registries(world.host, given={world.host: wrong}, clock=clock) as registries:
        with pytest.raises(AuthFailed) as caught:
            await registries.check(world.host)
    assert str(caught.value) == f"GET {world.url}/v2/: 401 UNAUTHORIZED: authentication required"
    assert caught.value.hint == "the credential from the test is wrong, or not enough for this"
    assert (len(world.seen), clock.slept) == (2, [])


async def test_a_wrong_password_at_the_token_server_fails_at_once(world: RegistryWorld) -> None:
    world.auth = "token"
    clock = FakeClock()
    wrong = Credential("me", "wrong", source="the test")
    async with open_registries(world.host, given={world.host: wrong}, clock=clock) as registries:
        with pytest.raises(AuthFailed) as caught:
            await push(registries.repository(world.host, "team/f"))
    assert str(caught.value) == f"GET {world.url}/token: 401 UNAUTHORIZED: incorrect username or password"
    assert ([str(seen) for seen in world.seen], clock.slept) == (
        ["POST /v2/team/f/blobs/uploads/", "GET /token"], [],
    )  # fmt: skip


async def test_nobody_is_told_to_log_in(world: RegistryWorld) -> None:
    world.auth = "basic"
    async with Http(Network()) as http:
        keychain = Keychain(notes=["~/.docker/config.json names docker-credential-gone"])
        registries = Registries(http, keychain, plain={world.host})
        with pytest.raises(AuthFailed) as caught:
            await registries.check(world.host)
    assert caught.value.hint == (
        f"log in first: weft login {world.host}\n~/.docker/config.json names docker-credential-gone"
    )


async def test_a_token_that_is_not_enough_is_asked_for_once_more_only(world: RegistryWorld) -> None:
    world.auth = "token"
    asked = {"WWW-Authenticate": f'Bearer realm="{world.url}/token",scope="repository:team/f:admin"'}

    async def refuse(request: web.BaseRequest) -> web.StreamResponse:
        return error(401, "DENIED", "requested access is denied", asked)

    world.meet("HEAD", "/blobs/", refuse)
    async with open_registries(world.host, given={world.host: ME}) as registries:
        with pytest.raises(AuthFailed):
            await registries.repository(world.host, "team/f").has_blob(blob(CONFIG))
    assert [str(seen)[:12] for seen in world.seen] == ["HEAD /v2/tea", "GET /token", "HEAD /v2/tea"]
    assert world.seen[1].query == "scope=repository:team/f:admin,pull"


async def test_403_is_final(world: RegistryWorld) -> None:
    world.meet("POST", "/uploads/", answer(403, b'{"errors":[{"code":"DENIED","message":"read only"}]}'))
    async with open_registries(world.host, given={world.host: ME}) as registries:
        with pytest.raises(AuthFailed, match="403 DENIED: read only"):
            await push(registries.repository(world.host, "team/f"))
    assert len(world.seen) == 1


async def test_an_identity_token_is_exchanged(world: RegistryWorld) -> None:
    world.auth = "token"
    seen: list[str] = []

    async def exchange(request: web.BaseRequest) -> web.StreamResponse:
        seen.append((await request.content.read()).decode())
        world.tokens["T"] = "repository:team/f:pull"
        return web.json_response({"access_token": "T"})

    world.meet("POST", "/token", exchange)
    given = {world.host: Credential(identity_token="refresh me")}
    async with open_registries(world.host, given=given) as registries:
        await registries.repository(world.host, "team/f").has_blob(blob(CONFIG))
    assert [parse_qs(form) for form in seen] == [
        {
            "grant_type": ["refresh_token"],
            "service": ["world"],
            "client_id": ["weft"],
            "scope": ["repository:team/f:pull"],
            "refresh_token": ["refresh me"],
        }
    ]


async def test_a_registry_token_is_shown_as_it_is(world: RegistryWorld) -> None:
    world.auth = "token"
    world.tokens["ready"] = "repository:team/f:pull"
    given = {world.host: Credential(registry_token="ready")}
    async with open_registries(world.host, given=given) as registries:
        await registries.repository(world.host, "team/f").has_blob(blob(CONFIG))
    assert world.requests("HEAD", "/blobs/")[-1].authorization == "Bearer ready"
    assert world.requests("GET", "/token") == []


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param(b"{}", "token is missing", id="none"),
        pytest.param(b'{"token": "a b\\r\\nX: y"}', "token is no token", id="a header in it"),
        pytest.param(b'{"token": 7}', "token must be a string, got 7", id="a number"),
        pytest.param(b"<html>", " is not JSON: ", id="a page"),
        pytest.param(b'{"token": "t", "expires_in": -1}', "expires_in is out of range: -1", id="expired"),
    ],
)
async def test_a_token_that_is_none_is_refused(world: RegistryWorld, document: bytes, complaint: str) -> None:
    world.auth = "token"
    world.meet("GET", "/token", answer(200, document))
    async with open_registries(world.host, given={world.host: ME}) as registries:
        with pytest.raises(DocumentInvalid) as caught:
            await registries.check(world.host)
    assert str(caught.value).startswith(f"the token from {world.url}/token")
    assert complaint in str(caught.value)


async def test_a_token_server_that_is_busy_is_asked_again(world: RegistryWorld) -> None:
    world.auth = "token"
    world.meet("GET", "/token", answer(503, retry_after="3"), times=2)
    clock = FakeClock()
    async with open_registries(world.host, given={world.host: ME}, clock=clock) as registries:
        assert await registries.check(world.host)
    assert clock.slept == [3, 3]


async def test_a_token_server_that_redirects_gets_no_password_elsewhere(world: RegistryWorld) -> None:
    world.auth = "token"
    async with open_registry() as thief:
        world.meet("GET", "/token", answer(307, location=f"{thief.url}/token"))
        async with open_registries(world.host, given={world.host: ME}) as registries:
            with pytest.raises(RegistryError, match="/token: 307"):
                await registries.check(world.host)
    assert thief.seen == []


@pytest.mark.parametrize(
    "realm", ["http://169.254.169.254/token", "file:///etc/passwd", "http://10.0.0.1/token", "https:///x"]
)
async def test_a_realm_where_no_password_may_go_is_not_asked(world: RegistryWorld, realm: str) -> None:
    world.auth, world.realm = "token", realm
    async with open_registries(world.host, given={world.host: ME}) as registries:
        with pytest.raises(Misled, match="nothing was sent there"):
            await registries.check(world.host)
    assert [str(seen) for seen in world.seen] == ["GET /v2/"]


async def test_a_scheme_that_weft_does_not_know_is_a_refusal(world: RegistryWorld) -> None:
    world.meet("GET", "/v2/", answer(401, www_authenticate="Negotiate"))
    async with open_registries(world.host, given={world.host: ME}) as registries:
        with pytest.raises(AuthFailed):
            await registries.check(world.host)


class TestNobodyElse:
    """A credential never leaves for another host, whatever the registry says."""

    @pytest.fixture
    async def thief(self) -> AsyncIterator[RegistryWorld]:
        async with open_registry() as thief:
            yield thief

    @pytest.mark.parametrize("auth", ["basic", "token"])
    async def test_a_download_elsewhere_goes_without_it(
        self, world: RegistryWorld, thief: RegistryWorld, auth: str
    ) -> None:
        world.auth = auth
        digest = thief.add_blob("team/f", MODULE)
        async with open_registries(world.host, given={world.host: ME}) as registries:
            repository = registries.repository(world.host, "team/f")
            await repository.has_blob(blob(MODULE))
            world.meet("GET", "/blobs/", answer(307, location=f"{thief.url}/v2/team/f/blobs/{digest}"))
            assert await read(repository, blob(MODULE)) == MODULE
        assert [seen.authorization for seen in thief.seen] == [None]

    async def test_an_upload_elsewhere_goes_without_it(
        self, world: RegistryWorld, thief: RegistryWorld
    ) -> None:
        world.auth = "basic"
        thief.uploads["0"] = bytearray()
        place = f"{thief.url}/v2/team/f/blobs/uploads/0"
        async with open_registries(world.host, given={world.host: ME}) as registries:
            repository = registries.repository(world.host, "team/f")
            await repository.has_blob(blob(MODULE))
            world.meet("POST", "/uploads/", answer(202, location=place))
            assert await repository.put_blob(blob(MODULE), giving(MODULE))
        assert [(seen.method, seen.authorization) for seen in thief.seen] == [("PUT", None)]

    async def test_a_stranger_that_asks_for_it_is_told_nothing(
        self, world: RegistryWorld, thief: RegistryWorld
    ) -> None:
        world.auth = thief.auth = "basic"
        async with open_registries(world.host, given={world.host: ME}) as registries:
            repository = registries.repository(world.host, "team/f")
            await repository.has_blob(blob(MODULE))
            world.meet("GET", "/blobs/", answer(307, location=f"{thief.url}/x"))
            with pytest.raises(AuthFailed) as caught:
                await read(repository, blob(MODULE))
        assert caught.value.hint == f"{world.host} sent us there; weft shows its credential to nobody else"
        assert [seen.authorization for seen in thief.seen] == [None]

    async def test_another_port_is_another_host(self, world: RegistryWorld, thief: RegistryWorld) -> None:
        world.auth = "basic"
        link = f'<{thief.url}/v2/team/f/tags/list?last=a>; rel="next"'
        async with open_registries(world.host, given={world.host: ME}) as registries:
            repository = registries.repository(world.host, "team/f")
            await repository.has_blob(blob(MODULE))
            world.meet("GET", "/tags/list", answer(200, b'{"tags": ["a"]}', link=link))
            with pytest.raises(Misled, match="continues its list on another host; nothing was sent there"):
                _ = [tag async for tag in repository.tags()]
        assert thief.seen == []

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_what_writes_is_never_redirected(
        self, world: RegistryWorld, thief: RegistryWorld, status: int
    ) -> None:
        world.meet("POST", "/uploads/", answer(status, location=f"{thief.url}/x"))
        async with open_registries(world.host, given={world.host: ME}) as registries:
            with pytest.raises(RegistryError) as caught:
                await registries.repository(world.host, "team/f").put_blob(blob(CONFIG), giving(CONFIG))
        assert (
            caught.value.hint == "a redirect that weft does not follow; is this the registry's own address?"
        )
        assert thief.seen == []

    async def test_one_registry_s_password_is_not_another_s(
        self, world: RegistryWorld, thief: RegistryWorld
    ) -> None:
        world.auth = thief.auth = "basic"
        async with open_registries(world.host, thief.host, given={world.host: ME}) as registries:
            assert await registries.check(world.host)
            with pytest.raises(AuthFailed):
                await registries.check(thief.host)
        assert [seen.authorization for seen in thief.seen] == [None]
