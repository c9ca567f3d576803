"""Sign and verify with a registry that behaves, and with one that lies or that others write to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from contracts.repository import MODULE, push
from contracts.signing import RELEASE, STRANGER, TEAM, PushedImage, SigningContract, policy, signed
from weft.errors import WeftError
from weft.oci import Descriptor, Digest, Manifest, MediaType, Reference, compact_json, parse_manifest
from weft.registry import ContentMismatch, Registries, RegistryError, Repository
from weft.signing import (
    BUNDLE_TYPE,
    SIMPLE_TYPE,
    Policy,
    Rule,
    Unverified,
    bundle_signature,
    signature_tag,
    simple_image,
    simple_signature,
)
from weft.store import Store
from weft.workflows.images.copy import InArchive, InRegistry, copy
from weft.workflows.images.pull import pull
from weft.workflows.signatures.lookup import MAX_DOCUMENTS
from weft.workflows.signatures.verify import verified, verify
from worlds.content import CONFIG, CONFIG_TYPE, blob, giving, open_registries
from worlds.content import image as image_of
from worlds.http import Handler, answer
from worlds.registry import RegistryWorld, open_registry


class Here:
    """Fixtures: our world, with or without the referrers API."""

    @pytest.fixture(params=[True, False], ids=["referrers API", "no referrers API"])
    async def world(self, request: pytest.FixtureRequest) -> AsyncIterator[RegistryWorld]:
        async with open_registry(RegistryWorld(referrers=request.param)) as world:
            yield world

    @pytest.fixture
    def host(self, world: RegistryWorld) -> str:
        return world.host

    @pytest.fixture
    async def registries(self, world: RegistryWorld) -> AsyncIterator[Registries]:
        async with open_registries(world.host) as registries:
            yield registries


class TestSigning(Here, SigningContract):
    """The contract."""


Spoil = Callable[[Repository, Digest], Awaitable[None]]


async def attach(repository: Repository, subject: Digest, data: bytes, kind: str = BUNDLE_TYPE) -> None:
    """An artifact that claims to be a bundle for ``subject``."""
    layer = Descriptor.of(kind, data)
    await repository.put_blob(blob(CONFIG, CONFIG_TYPE), giving(CONFIG))
    await repository.put_blob(layer, giving(data))
    pointer = Descriptor(MediaType.OCI_MANIFEST, subject, 2)
    await repository.put_manifest(
        Manifest.build(
            blob(CONFIG, CONFIG_TYPE),
            (layer,),
            {},
            media_type=MediaType.OCI_MANIFEST,
            artifact_type=BUNDLE_TYPE,
            subject=pointer,
        )
    )


async def put_simple(repository: Repository, subject: Digest, payload: bytes, **notes: str) -> None:
    layer = Descriptor.of(SIMPLE_TYPE, payload, notes)
    await repository.put_blob(blob(CONFIG, CONFIG_TYPE), giving(CONFIG))
    await repository.put_blob(layer, giving(payload))
    config = blob(CONFIG, CONFIG_TYPE)
    manifest = Manifest.build(config, (layer,), {}, media_type=MediaType.OCI_MANIFEST)
    await repository.put_manifest(manifest, signature_tag(subject))


async def put_index(repository: Repository, subject: Digest) -> None:
    empty = {"schemaVersion": 2, "mediaType": MediaType.OCI_INDEX, "manifests": []}
    await repository.put_manifest(parse_manifest(compact_json(empty)), signature_tag(subject))


def bundle_of(data: bytes) -> Spoil:
    return lambda repository, subject: attach(repository, subject, data)


def simple_of(payload: bytes, **notes: str) -> Spoil:
    return lambda repository, subject: put_simple(repository, subject, payload, **notes)


SPOILED = [
    pytest.param(bundle_of(b"no bundle at all"), "is not JSON", "simple", id="bundle, rubbish"),
    pytest.param(
        bundle_of(b"x" * (1024 * 1024 + 1)),
        "more than the 1048576 of a signature",
        "simple",
        id="bundle, huge",
    ),
    pytest.param(simple_of(b"{}"), "lacks the annotation", "bundle", id="simple, rubbish"),
    pytest.param(simple_of(b"x" * 65537), "more than the 65536 of a signature", "bundle", id="simple, huge"),
    pytest.param(put_index, "is an index, not signatures", "bundle", id="simple, an index"),
]


class TestTrouble(Here, PushedImage):
    """Whoever may push may put anything there; the registry itself may lie."""

    @pytest.fixture
    def reference(self, host: str) -> Reference:
        return Reference.parse(f"{host}/team/f:v1")

    @pytest.mark.parametrize(("spoil", "reason", "layout"), SPOILED)
    async def test_rubbish_is_a_reason_and_hides_no_good_signature(
        self,
        registries: Registries,
        reference: Reference,
        repository: Repository,
        image: Descriptor,
        spoil: Spoil,
        reason: str,
        layout: str,
    ) -> None:
        await spoil(repository, image.digest)
        with pytest.raises(Unverified) as caught:
            await verify(registries, reference, policy(team=TEAM))
        assert reason in (caught.value.detail or "")
        await signed(registries, reference, TEAM, [layout])
        assert (await verify(registries, reference, policy(team=TEAM))).signed_by == ("team",)

    async def test_a_swapped_payload_does_not_count(
        self,
        world: RegistryWorld,
        registries: Registries,
        reference: Reference,
        repository: Repository,
        image: Descriptor,
    ) -> None:
        await signed(registries, reference, STRANGER, ["simple"])
        payload, _ = simple_signature(str(repository), image.digest, TEAM)
        swapped = payload.replace(b"null", b"{}  ")
        world.meet("GET", f"/blobs/{Digest.of(payload)}", answer(200, swapped))
        with pytest.raises(Unverified) as caught:
            await verify(registries, reference, policy(stranger=STRANGER))
        assert f"gave other bytes than blob {Digest.of(payload)}" in (caught.value.detail or "")

    @pytest.mark.usefixtures("image")
    async def test_a_blob_that_is_gone_is_a_reason(
        self, world: RegistryWorld, registries: Registries, reference: Reference
    ) -> None:
        await signed(registries, reference, TEAM, ["simple"])
        world.meet("GET", "/blobs/", answer(404))
        with pytest.raises(Unverified) as caught:
            await verify(registries, reference, policy(team=TEAM))
        assert ": 404" in (caught.value.detail or "")

    @pytest.mark.usefixtures("image")
    async def test_a_registry_that_does_not_answer_is_no_refusal(
        self, world: RegistryWorld, registries: Registries, reference: Reference
    ) -> None:
        await signed(registries, reference, TEAM, ["simple"])
        world.meet("GET", "/blobs/", answer(500))
        with pytest.raises(RegistryError, match=": 500"):
            await verify(registries, reference, policy(team=TEAM))

    async def test_an_altered_manifest_is_never_judged(
        self, world: RegistryWorld, registries: Registries, reference: Reference, image: Descriptor
    ) -> None:
        await signed(registries, reference, TEAM)
        altered = image_of(b"altered").raw
        lie = {"docker_content_digest": str(image.digest), "content_type": image.media_type}
        world.meet("GET", "/manifests/v1", answer(200, altered, **lie))
        with pytest.raises(ContentMismatch, match=str(Digest.of(altered))):
            await verify(registries, reference, policy(team=TEAM))

    async def test_a_tag_that_moves_meanwhile_changes_nothing(
        self,
        world: RegistryWorld,
        registries: Registries,
        reference: Reference,
        repository: Repository,
        image: Descriptor,
    ) -> None:
        await signed(registries, reference, TEAM)
        other = image_of(b"another module")

        async def move(request: web.BaseRequest) -> web.StreamResponse:
            world.add_manifest("team/f", "v1", other.raw, other.media_type)
            return await world.handle(request)

        world.meet("GET", f"/manifests/{signature_tag(image.digest)}", move, times=1)
        use = await verified(registries, reference, policy(team=TEAM))
        assert (await repository.manifest("v1")).digest == other.digest
        assert use == reference.pinned(image.digest)

    async def test_a_tag_that_moves_while_signing_is_not_signed(
        self, world: RegistryWorld, registries: Registries, reference: Reference, image: Descriptor
    ) -> None:
        other = image_of(b"another module")

        async def move(request: web.BaseRequest) -> web.StreamResponse:
            world.add_manifest("team/f", "v1", other.raw, other.media_type)
            return await world.handle(request)

        world.meet("GET", f"/manifests/{signature_tag(image.digest)}", move, times=1)
        assert (await signed(registries, reference, TEAM)).digest == image.digest
        with pytest.raises(Unverified):
            await verify(registries, reference, policy(team=TEAM))

    async def test_more_signatures_than_anybody_needs_are_cut(
        self,
        world: RegistryWorld,
        registries: Registries,
        reference: Reference,
        repository: Repository,
        image: Descriptor,
    ) -> None:
        many = simple_image(*simple_signature(str(repository), image.digest, STRANGER))
        for _ in range(MAX_DOCUMENTS):
            many = simple_image(*simple_signature(str(repository), image.digest, STRANGER), existing=many)
        for part in many.manifest.blobs:
            await repository.put_blob(part, giving(many.blob(part)))
        await repository.put_manifest(many.manifest, signature_tag(image.digest))
        world.seen.clear()
        with pytest.raises(Unverified) as caught:
            await verify(registries, reference, policy(team=TEAM))
        assert (caught.value.detail or "").endswith(
            f"{repository}:{signature_tag(image.digest)}: more signatures than anybody needs; "
            "the rest were not looked at"
        )
        assert len(world.requests("GET", "/blobs/")) == MAX_DOCUMENTS
        with pytest.raises(WeftError, match=f"has {MAX_DOCUMENTS} signatures; nobody reads more"):
            await signed(registries, reference, TEAM, ["simple"])

    @pytest.mark.parametrize("count", [4, 5], ids=["enough", "too many"])
    async def test_a_bundle_may_hold_only_so_many_signatures(
        self,
        registries: Registries,
        reference: Reference,
        repository: Repository,
        image: Descriptor,
        count: int,
    ) -> None:
        document = json.loads(bundle_signature(image.digest, STRANGER))
        document["dsseEnvelope"]["signatures"] *= 64
        for number in range(count):
            document["number"] = number
            await attach(repository, image.digest, compact_json(document))
        with pytest.raises(Unverified) as caught:
            await verify(registries, reference, policy(team=TEAM))
        reasons = (caught.value.detail or "").splitlines()
        assert len(reasons) == (256 if count == 4 else 257)
        assert ("more signatures than anybody needs" in reasons[-1]) == (count == 5)

    async def test_signers_who_overwrite_each_other_notice_and_sign_again(
        self, world: RegistryWorld, registries: Registries, reference: Reference, image: Descriptor
    ) -> None:
        keys = {"team": TEAM, "release": RELEASE, "stranger": STRANGER}
        for signers in (3, 2):  # all have read before one writes, and the last of them wins
            together = _together(world, asyncio.Barrier(signers))
            world.meet("PUT", f"/manifests/{signature_tag(image.digest)}", together, times=signers)
        async with asyncio.TaskGroup() as group:
            for key in keys.values():
                group.create_task(signed(registries, reference, key, ["simple"]))
        assert (await verify(registries, reference, policy(**keys))).signed_by == tuple(sorted(keys))

    async def test_what_always_overwrites_us_is_given_up_on(
        self, world: RegistryWorld, registries: Registries, reference: Reference, image: Descriptor
    ) -> None:
        world.meet("PUT", f"/manifests/{signature_tag(image.digest)}", answer(201))
        with pytest.raises(WeftError, match="others keep rewriting the signatures at"):
            await signed(registries, reference, TEAM, ["simple"])

    async def test_what_else_is_attached_is_not_even_read(
        self,
        world: RegistryWorld,
        registries: Registries,
        reference: Reference,
        repository: Repository,
        image: Descriptor,
    ) -> None:
        document = image_of(MODULE, subject=image, artifact_type="application/spdx+json")
        await repository.put_manifest(document)
        with pytest.raises(Unverified) as caught:
            await verify(registries, reference, policy(team=TEAM))
        assert caught.value.detail == "it has no signatures"
        assert not [seen for seen in world.requests("GET") if str(document.digest) in seen.path]

    async def test_a_bundle_without_its_type_on_the_list_is_found(
        self,
        world: RegistryWorld,
        registries: Registries,
        reference: Reference,
        repository: Repository,
        image: Descriptor,
    ) -> None:
        await signed(registries, reference, TEAM, ["bundle"])
        [entry] = await repository.referrers(image.digest)
        listed = replace(entry, artifact_type=MediaType.OCI_EMPTY).to_json()
        index = {"schemaVersion": 2, "mediaType": MediaType.OCI_INDEX, "manifests": [listed]}
        world.referrers = False
        await repository.put_manifest(parse_manifest(compact_json(index)), f"sha256-{image.digest.hex}")
        assert (await verify(registries, reference, policy(team=TEAM))).signed_by == ("team",)

    async def test_copies_are_signed_too(
        self,
        registries: Registries,
        reference: Reference,
        image: Descriptor,
        tmp_path: Path,
    ) -> None:
        await signed(registries, reference, TEAM, ["simple"])
        await signed(registries, reference, RELEASE, ["bundle"])
        target = Reference(reference.registry, "elsewhere/f", "v1")
        archive = InArchive(tmp_path / "f.tar")
        store = Store(tmp_path / "store")
        await copy(InRegistry(reference), archive, registries=registries, store=store)
        await copy(archive, InRegistry(target), registries=registries, store=store)
        found = await verify(registries, target, policy(team=TEAM, release=RELEASE))
        assert (found.digest, found.signed_by) == (image.digest, ("release", "team"))

    async def test_what_was_verified_is_what_is_pulled(
        self,
        registries: Registries,
        reference: Reference,
        repository: Repository,
        image: Descriptor,
        tmp_path: Path,
    ) -> None:
        await signed(registries, reference, TEAM)
        use = await verified(registries, reference, policy(team=TEAM))
        await push(repository, b"another module")
        store = Store(tmp_path / "store")
        await pull(store, registries, use)
        assert store.find(reference).digest == image.digest

    async def test_a_policy_may_ask_for_nothing(
        self, registries: Registries, reference: Reference, image: Descriptor
    ) -> None:
        found = await verify(registries, reference, Policy({}, (Rule(images="**", unsigned=True),)))
        assert (found.digest, found.signed_by) == (image.digest, ())

    @pytest.mark.usefixtures("image")
    async def test_all_of_several_keys_can_be_needed(
        self, registries: Registries, reference: Reference
    ) -> None:
        keys = {"team": TEAM.public, "release": RELEASE.public}
        both = Policy(keys, (Rule(images="**", all_of=("team", "release")),))
        await signed(registries, reference, TEAM, ["simple"])
        with pytest.raises(Unverified, match="and team has signed"):
            await verify(registries, reference, both)
        await signed(registries, reference, RELEASE, ["bundle"])
        assert (await verify(registries, reference, both)).signed_by == ("release", "team")


def _together(world: RegistryWorld, barrier: asyncio.Barrier) -> Handler:
    """Answered as ever, but not before all have asked."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()
        await barrier.wait()
        return world._answer(request, body)

    return handler
