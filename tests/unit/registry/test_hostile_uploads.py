"""Uploads to a registry that refuses, forgets and storms."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from contracts.repository import MODULE, read
from weft.errors import WeftError
from weft.registry import ContentMismatch, Misled, Registries, RegistryError
from worlds.clock import FakeClock
from worlds.content import CONFIG, blob, giving
from worlds.http import Handler, answer, hang_up
from worlds.registry import RegistryWorld


class TestUploads:
    """What breaks on the way up."""

    @pytest.mark.parametrize(
        ("method", "fault"),
        [
            pytest.param("POST", answer(503), id="no session"),
            pytest.param("POST", hang_up, id="no session, no answer"),
            pytest.param("PUT", answer(500), id="refused at the end"),
            pytest.param("PUT", hang_up, id="broken in the middle"),
        ],
    )
    @pytest.mark.parametrize("chunk", [0, 200_000], ids=["whole", "in chunks"])
    async def test_a_broken_upload_is_repeated(
        self, world: RegistryWorld, registries: Registries, method: str, fault: Handler, chunk: int
    ) -> None:
        world.meet(method, "/uploads/", fault, times=2)
        repository = registries.repository(world.host, "team/g", chunk=chunk)
        assert await repository.put_blob(blob(MODULE), giving(MODULE))
        assert await read(repository, blob(MODULE)) == MODULE

    async def test_a_broken_chunk_goes_on_where_the_registry_is(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        repository = registries.repository(world.host, "team/g", chunk=200_000)

        async def lose_the_answer(request: web.BaseRequest) -> web.StreamResponse:
            body = await request.content.read()
            world.uploads["0"] += body[:150_000]  # and the rest is lost
            return await hang_up(request)

        world.meet("PATCH", "/uploads/", lose_the_answer, times=1)
        assert await repository.put_blob(blob(MODULE), giving(MODULE))
        assert await read(repository, blob(MODULE)) == MODULE
        spans = [seen.headers["Content-Range"] for seen in world.requests("PATCH")]
        assert spans == ["0-199999", "150000-349999", "350000-549999", "550000-749999", "750000-767999"]

    async def test_content_that_is_not_its_digest_is_refused_by_the_registry(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        with pytest.raises(RegistryError, match="400 DIGEST_INVALID"):
            await registries.repository(world.host, "team/g").put_blob(blob(MODULE), giving(MODULE[::-1]))
        assert not world.requests("PUT", "/manifests/")

    async def test_a_source_that_fails_is_not_the_registry_s_fault(
        self, world: RegistryWorld, registries: Registries, clock: FakeClock
    ) -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield MODULE[:1000]
            raise WeftError("the disk is on fire")

        for chunk in (0, 200_000):
            repository = registries.repository(world.host, "team/g", chunk=chunk)
            with pytest.raises(WeftError, match="the disk is on fire"):
                await repository.put_blob(blob(MODULE), broken)
        assert clock.slept == []

    async def test_an_upload_without_a_place_is_refused(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        world.meet("POST", "/uploads/", answer(202))
        with pytest.raises(ContentMismatch, match="opened an upload without a Location"):
            await registries.repository(world.host, "team/g").put_blob(blob(CONFIG), giving(CONFIG))

    @pytest.mark.parametrize(
        "location",
        ["http://169.254.169.254/x", "http://10.0.0.1/x", "file:///x", "http://me:pw@example.com/"],
    )
    async def test_an_upload_goes_to_no_bad_place(
        self, world: RegistryWorld, registries: Registries, location: str
    ) -> None:
        world.meet("POST", "/uploads/", answer(202, location=location))
        with pytest.raises(Misled, match="nothing was sent there"):
            await registries.repository(world.host, "team/g").put_blob(blob(CONFIG), giving(CONFIG))

    async def test_a_registry_that_took_another_blob_is_found_out(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        world.meet("PUT", "/uploads/", answer(201, docker_content_digest="sha256:other"))
        with pytest.raises(ContentMismatch, match=r"took blob sha256:.* for 'sha256:other'"):
            await registries.repository(world.host, "team/g").put_blob(blob(CONFIG), giving(CONFIG))


class TestStorms:
    """Registries that want to be left alone."""

    async def test_retry_after_is_honoured(
        self, world: RegistryWorld, registries: Registries, clock: FakeClock
    ) -> None:
        world.meet("HEAD", "/blobs/", answer(429, retry_after="7"), times=3)
        assert await registries.repository(world.host, "team/f").has_blob(blob(MODULE))
        assert clock.slept == [7, 7, 7]

    async def test_a_wait_past_the_deadline_is_not_begun(
        self, world: RegistryWorld, registries: Registries, clock: FakeClock
    ) -> None:
        world.meet("HEAD", "/blobs/", answer(429, retry_after="3600"))
        with pytest.raises(RegistryError) as caught:
            await registries.repository(world.host, "team/f").has_blob(blob(MODULE))
        assert caught.value.status == 429
        assert caught.value.hint == "the registry limits how often it is asked; log in, or try again later"
        assert (len(world.seen), clock.slept) == (1, [])

    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
    async def test_a_storm_is_left_after_some_tries(
        self, world: RegistryWorld, registries: Registries, clock: FakeClock, status: int
    ) -> None:
        world.meet("GET", "/manifests/", answer(status))
        with pytest.raises(RegistryError):
            await registries.repository(world.host, "team/f").manifest("v1")
        assert (len(world.seen), sum(clock.slept)) == (6, 7.75)

    @pytest.mark.parametrize("status", [400, 410, 501])
    async def test_what_will_not_pass_is_not_repeated(
        self, world: RegistryWorld, registries: Registries, status: int
    ) -> None:
        world.meet("GET", "/manifests/", answer(status))
        with pytest.raises(RegistryError):
            await registries.repository(world.host, "team/f").manifest("v1")
        assert len(world.seen) == 1

    async def test_a_connection_that_breaks_is_tried_again(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        world.meet("HEAD", "/blobs/", hang_up, times=2)
        assert await registries.repository(world.host, "team/f").has_blob(blob(MODULE))

    async def test_an_error_that_never_ends_is_cut(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        async def flood(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse(status=400)
            await response.prepare(request)
            while True:
                await response.write(b"spam " * 1000)

        world.meet("GET", "/manifests/", flood)
        with pytest.raises(RegistryError) as caught:
            await registries.repository(world.host, "team/f").manifest("v1")
        assert len(str(caught.value)) < 600
