"""Blobs from a registry that lies, stalls and breaks: nothing wrong ever comes out."""

import asyncio

import pytest
from aiohttp import web

from contracts.repository import MODULE
from weft.base.retry import Patience
from weft.errors import WeftError
from weft.net import HttpFailure
from weft.oci import Descriptor, Digest
from weft.registry import ContentMismatch, Misled, Registries
from worlds.clock import FakeClock
from worlds.content import blob, open_registries
from worlds.http import Handler, answer, endless, short
from worlds.registry import RegistryWorld

OTHER = b"x" * len(MODULE)


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
