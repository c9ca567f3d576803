"""A registry that lies, stalls, floods and breaks: a clear failure each time, and nothing wrong comes out."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from contracts.repository import MODULE, push, read
from weft.base.retry import Patience
from weft.errors import WeftError
from weft.net import HttpFailure
from weft.oci import Descriptor, Digest, DocumentInvalid, MediaType
from weft.registry import ContentMismatch, Misled, Registries, RegistryError
from worlds.clock import FakeClock
from worlds.content import CONFIG, blob, giving, image, open_registries
from worlds.http import Handler, answer, hang_up, short
from worlds.registry import RegistryWorld, open_registry

OTHER = b"x" * len(MODULE)


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


def endless(first: bytes = b"") -> Handler:
    """A body without a length that never ends."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(first)
        while True:
            await response.write(bytes(65536))

    return handler


def truncated(body: bytes) -> Handler:
    """A chunked body that ends without its last chunk."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(body)
        assert request.transport is not None
        request.transport.close()
        return response

    return handler


async def received(registries: Registries, world: RegistryWorld, descriptor: Descriptor) -> bytes:
    """What came out before the failure; raises it."""
    out = bytearray()
    async for chunk in registries.repository(world.host, "team/f").open_blob(descriptor):
        out += chunk
    return bytes(out)


class TestDownloads:
    """Blobs."""

    @pytest.mark.parametrize(
        ("fault", "complaint"),
        [
            pytest.param(
                answer(200, OTHER),
                "{host}/team/f gave other bytes than blob {digest}: " + str(Digest.of(OTHER)),
                id="other bytes of the same length",
            ),
            pytest.param(
                answer(200, MODULE + b"x"),
                "blob {digest} should have 768000 bytes, the registry has 768001",
                id="announced too long",
            ),
            pytest.param(
                answer(200, MODULE[:-1]),
                "blob {digest} should have 768000 bytes, the registry has 767999",
                id="announced too short",
            ),
            pytest.param(
                endless(MODULE),
                "{host}/team/f gave more than the 768000 bytes of blob {digest}",
                id="endless",
            ),
            pytest.param(
                short(MODULE[:1000], len(MODULE)), "{host} broke off in the middle of a body", id="short"
            ),
            pytest.param(
                truncated(MODULE[:1000]), "{host} broke off in the middle of a body", id="truncated"
            ),
            pytest.param(
                answer(206, MODULE, content_range="bytes 0-767999/768000"),
                "GET http://{host}/v2/team/f/blobs/{digest}: 206",
                id="a part of what was asked for whole",
            ),
            pytest.param(
                answer(200, b""), "blob {digest} should have 768000 bytes, the registry has 0", id="none"
            ),
        ],
    )
    async def test_wrong_content_never_comes_out_whole(
        self, world: RegistryWorld, registries: Registries, fault: Handler, complaint: str
    ) -> None:
        world.meet("GET", "/blobs/", fault)
        out = bytearray()
        with pytest.raises(WeftError) as caught:  # noqa: PT012 - what came before the failure matters
            async for chunk in registries.repository(world.host, "team/f").open_blob(blob(MODULE)):
                out += chunk
        assert str(caught.value) == complaint.format(host=world.host, digest=blob(MODULE).digest)
        assert len(out) < len(MODULE)

    async def test_a_broken_download_goes_on_where_it_stopped(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        world.meet("GET", "/blobs/", short(MODULE[:300_000], len(MODULE)), times=1)
        assert await received(registries, world, blob(MODULE)) == MODULE
        assert [seen.headers.get("Range") for seen in world.seen] == [None, "bytes=300000-"]

    async def test_a_registry_that_starts_over_is_read_past_what_is_there(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        world.meet("GET", "/blobs/", short(MODULE[:300_000], len(MODULE)), times=1)
        world.meet("GET", "/blobs/", answer(200, MODULE))
        assert await received(registries, world, blob(MODULE)) == MODULE

    async def test_a_registry_that_goes_on_elsewhere_is_refused(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        world.meet("GET", "/blobs/", short(MODULE[:300_000], len(MODULE)), times=1)
        world.meet("GET", "/blobs/", answer(206, MODULE[5:], content_range="bytes 5-767999/768000"))
        with pytest.raises(ContentMismatch, match="from byte 300000, got another part"):
            await received(registries, world, blob(MODULE))

    async def test_progress_renews_the_patience(self, world: RegistryWorld, registries: Registries) -> None:
        for start in range(0, 700_000, 70_000):
            world.meet("GET", "/blobs/", _part(start, start + 70_000), times=1)
        assert await received(registries, world, blob(MODULE)) == MODULE
        assert len(world.seen) == 11

    async def test_no_progress_ends_it(
        self, world: RegistryWorld, registries: Registries, clock: FakeClock
    ) -> None:
        world.meet("GET", "/blobs/", short(b"", len(MODULE)))
        with pytest.raises(HttpFailure):
            await received(registries, world, blob(MODULE))
        assert (len(world.seen), clock.slept) == (6, [0.25, 0.5, 1.0, 2.0, 4.0])

    async def test_a_trickle_is_no_progress(self, world: RegistryWorld) -> None:
        async def trickle(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Length": str(len(MODULE))})
            await response.prepare(request)
            for byte in MODULE:
                await response.write(bytes([byte]))
                await asyncio.sleep(0.001)
            return response

        world.meet("GET", "/blobs/", trickle)
        patience = Patience(tries=1)
        async with open_registries(world.host, clock=FakeClock(tick=10), patience=patience) as registries:
            with pytest.raises(HttpFailure, match=r"sent only \d+ bytes in 60 s"):
                await received(registries, world, blob(MODULE))

    async def test_a_redirect_may_lead_around_but_not_for_ever(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        world.meet("GET", "/blobs/", answer(302, location="/v2/team/f/blobs/again"))
        with pytest.raises(Misled) as caught:
            await received(registries, world, blob(MODULE))
        assert str(caught.value) == f"{world.host} redirects more than 5 times"
        assert len(world.seen) == 6

    @pytest.mark.parametrize(
        "location", ["", "ftp://example.com/x", "http://169.254.169.254/x", "http://[::1"]
    )
    async def test_a_redirect_to_a_bad_place_is_not_followed(
        self, world: RegistryWorld, registries: Registries, location: str
    ) -> None:
        world.meet("GET", "/blobs/", answer(307, location=location))
        with pytest.raises(WeftError):
            await received(registries, world, blob(MODULE))
        assert len(world.seen) == 1

    async def test_a_reader_who_leaves_closes_the_connection(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        left = asyncio.Event()

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            try:
                while True:
                    await response.write(bytes(65536))
            finally:
                left.set()

        world.meet("GET", "/blobs/", handler)
        huge = Descriptor("application/wasm", Digest.of(b""), 10**12)
        stream = registries.repository(world.host, "team/f").open_blob(huge)
        await anext(stream)
        await stream.aclose()
        async with asyncio.timeout(10):
            await left.wait()


def _part(start: int, end: int) -> Handler:
    """Bytes ``start`` to ``end`` of the module, and then a broken connection."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        headers = {"Content-Length": str(len(MODULE) - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(MODULE) - 1}/{len(MODULE)}"
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        await response.prepare(request)
        await response.write(MODULE[start:end])
        assert request.transport is not None
        request.transport.close()
        return response

    return handler


class TestManifests:
    """Documents."""

    @pytest.mark.parametrize(
        ("fault", "kind", "complaint"),
        [
            pytest.param(
                answer(200, image(OTHER).raw),
                ContentMismatch,
                f"gave {image(OTHER).digest} as manifest {image(MODULE).digest} of team/f",
                id="another manifest",
            ),
            pytest.param(
                answer(200, bytes(5_000_000)), HttpFailure, "is larger than 4194304 bytes", id="too large"
            ),
            pytest.param(endless(b"{"), HttpFailure, "is larger than 4194304 bytes", id="endless"),
            pytest.param(
                short(b"{", 100), HttpFailure, "broke off in the middle of a body", id="half a manifest"
            ),
        ],
    )
    async def test_a_manifest_by_digest_is_that_manifest(
        self,
        world: RegistryWorld,
        registries: Registries,
        fault: Handler,
        kind: type[Exception],
        complaint: str,
    ) -> None:
        world.meet("GET", "/manifests/", fault)
        with pytest.raises(kind, match=re.escape(complaint)):
            await registries.repository(world.host, "team/f").manifest(image(MODULE).digest)

    @pytest.mark.parametrize(
        ("body", "headers", "kind"),
        [
            pytest.param(
                image(MODULE).raw,
                {"docker_content_digest": str(Digest.of(b""))},
                ContentMismatch,
                id="not what was announced",
            ),
            pytest.param(
                image(MODULE).raw, {"content_type": MediaType.OCI_INDEX}, DocumentInvalid, id="wrong kind"
            ),
            pytest.param(b"<html>", {}, DocumentInvalid, id="a page"),
            pytest.param(b"[" * 100_000, {}, DocumentInvalid, id="deep"),
            pytest.param(image(MODULE).raw, {"docker_content_digest": "sha256:x"}, WeftError, id="no digest"),
        ],
    )
    async def test_a_manifest_by_tag_is_what_it_says(
        self,
        world: RegistryWorld,
        registries: Registries,
        body: bytes,
        headers: dict[str, str],
        kind: type[Exception],
    ) -> None:
        world.meet("GET", "/manifests/", answer(200, body, **headers))
        with pytest.raises(kind):
            await registries.repository(world.host, "team/f").manifest("v1")

    async def test_a_head_that_names_another_digest_is_refused(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        world.meet("HEAD", "/manifests/", answer(200, docker_content_digest=str(Digest.of(b"other"))))
        with pytest.raises(ContentMismatch, match=r"asked .* for manifest sha256:.*, got sha256:"):
            await registries.repository(world.host, "team/f").resolve(Digest.of(b"one"))

    async def test_a_registry_that_stores_something_else_is_found_out(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        world.meet("PUT", "/manifests/", answer(201, docker_content_digest=str(Digest.of(b"other"))))
        with pytest.raises(ContentMismatch, match=r"took manifest sha256:\w+ for sha256:"):
            await push(registries.repository(world.host, "team/f"))


_PAGE = {"content_type": "text/html; charset=utf-8"}


class TestPages:
    """A server for people, that answers everything with a page."""

    @pytest.mark.parametrize(
        ("method", "ask"),
        [
            pytest.param("GET", lambda all_, host: all_.check(host), id="who are we"),
            pytest.param(
                "HEAD", lambda all_, host: all_.repository(host, "team/f").has_blob(blob(MODULE)), id="push"
            ),
            pytest.param("HEAD", lambda all_, host: all_.repository(host, "team/f").resolve("v1"), id="tag"),
            pytest.param("GET", lambda all_, host: all_.repository(host, "team/f").manifest("v1"), id="pull"),
            pytest.param("GET", lambda all_, host: anext(all_.repository(host, "team/f").tags()), id="tags"),
        ],
    )
    async def test_it_is_no_registry(
        self,
        world: RegistryWorld,
        registries: Registries,
        method: str,
        ask: Callable[[Registries, str], Awaitable[object]],
    ) -> None:
        world.meet("", "", answer(200, b"<html>Log in first</html>", **_PAGE))
        with pytest.raises(ContentMismatch) as caught:
            await ask(registries, world.host)
        assert str(caught.value) == f"{world.host} answers {method} with a web page, as no registry does"

    async def test_a_registry_may_call_its_words_html(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        named = {"docker_distribution_api_version": "registry/2.0"}
        world.meet("GET", "/v2/", answer(200, b"true", **_PAGE, **named))
        assert not await registries.check(world.host)

    async def test_a_blob_may_be_a_page(self, world: RegistryWorld, registries: Registries) -> None:
        world.meet("GET", "/blobs/", answer(200, MODULE, **_PAGE))
        assert await read(registries.repository(world.host, "team/f"), blob(MODULE)) == MODULE


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
            await registries.repository(world.host, "team/g").put_blob(blob(MODULE), giving(OTHER))
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


class TestLists:
    """Lists without end."""

    async def test_a_list_that_turns_in_a_circle_is_left(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        link = '</v2/team/f/tags/list?n=1000>; rel="next"'
        world.meet("GET", "/tags/list", answer(200, b'{"tags": ["a"]}', link=link))
        with pytest.raises(Misled, match="gives the same page of a list again and again"):
            _ = [tag async for tag in registries.repository(world.host, "team/f").tags()]
        assert len(world.seen) == 2

    async def test_a_list_that_never_ends_is_left(self, world: RegistryWorld, registries: Registries) -> None:
        async def more(request: web.BaseRequest) -> web.StreamResponse:
            link = {"Link": f'</v2/team/f/tags/list?last={len(world.seen)}>; rel="next"'}
            return web.json_response({"tags": ["a"]}, headers=link)

        world.meet("GET", "/tags/list", more)
        with pytest.raises(Misled, match="gives a list of more than 1000 pages"):
            _ = [tag async for tag in registries.repository(world.host, "team/f").tags()]

    @pytest.mark.parametrize("body", [b"[]", b'{"tags": [1]}', b'{"tags": "x"}'])
    async def test_a_list_that_is_none_is_refused(
        self, world: RegistryWorld, registries: Registries, body: bytes
    ) -> None:
        world.meet("GET", "/tags/list", answer(200, body))
        with pytest.raises(DocumentInvalid, match="the tags of team/f"):
            _ = [tag async for tag in registries.repository(world.host, "team/f").tags()]

    @pytest.mark.parametrize(
        "fault",
        [
            pytest.param(answer(400), id="refused"),
            pytest.param(answer(200, image(MODULE).raw), id="something else"),
        ],
    )
    async def test_a_registry_without_referrers_may_say_so_oddly(
        self, world: RegistryWorld, registries: Registries, fault: Handler
    ) -> None:
        world.meet("GET", "/referrers/", fault)
        assert await registries.repository(world.host, "team/f").referrers(Digest.of(b"")) == []

    async def test_others_that_rewrite_the_list_of_referrers_are_named(
        self, world: RegistryWorld, registries: Registries
    ) -> None:
        world.referrers = False
        repository = registries.repository(world.host, "team/f")
        subject = await push(repository)
        world.meet("PUT", "/manifests/sha256-", answer(201))
        with pytest.raises(WeftError, match="others keep rewriting the list of what refers to sha256:"):
            await repository.put_manifest(image(MODULE, subject=subject))


async def test_a_page_that_is_no_registry_is_named(world: RegistryWorld, registries: Registries) -> None:
    world.meet("GET", "/v2/", answer(404, b"<html>"))
    with pytest.raises(WeftError) as caught:
        await registries.check(world.host)
    assert str(caught.value) == f"{world.host} has no /v2/: it is no image registry"
