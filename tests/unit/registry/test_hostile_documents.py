"""Manifests, lists and pages of a registry that lies, floods or is none."""

import re
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from contracts.repository import MODULE, push, read
from weft.errors import WeftError
from weft.net import HttpFailure
from weft.oci import Digest, DocumentInvalid, MediaType
from weft.registry import ContentMismatch, Misled, Registries
from worlds.content import blob, image
from worlds.http import Handler, answer, endless, short
from worlds.registry import RegistryWorld

OTHER = b"x" * len(MODULE)


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
