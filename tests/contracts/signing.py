"""What signing and verifying owe us with any registry: in our world and in the real ones.

Subclass, give ``host``, inherit the tests. Every test has a repository of its own.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from contracts.repository import fresh, push
from weft.errors import NotFound
from weft.oci import Descriptor, Index, MediaType, Reference, compact_json, parse_manifest
from weft.registry import Registries, Repository
from weft.signing import KINDS, Policy, PrivateKey, Unverified, signature_tag
from weft.workflows.signatures.sign import LAYOUTS, Signed, sign
from weft.workflows.signatures.verify import verified, verify

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEAM, RELEASE, STRANGER = (PrivateKey.generate("ed25519") for _ in range(3))
BOTH = LAYOUTS["both"]


def policy(**keys: PrivateKey) -> Policy:
    """One of ``keys`` is enough."""
    return Policy.of_keys({name: key.public for name, key in keys.items()})


async def signed(
    registries: Registries, reference: Reference, key: PrivateKey, layouts: Iterable[str] = BOTH
) -> Signed:
    return await sign(registries, reference, key, tuple(layouts), now=NOW)


class PushedImage:
    """Fixtures: an image to sign, under the ``reference`` that a test class gives."""

    @pytest.fixture
    def repository(self, registries: Registries, reference: Reference) -> Repository:
        return registries.repository(reference.registry, reference.repository)

    @pytest.fixture
    async def image(self, repository: Repository) -> Descriptor:
        return await push(repository)


class SigningContract(PushedImage):
    """The tests."""

    @pytest.fixture
    def host(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def reference(self, host: str) -> Reference:
        return Reference.parse(f"{host}/{fresh()}:v1")

    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("kind", KINDS)
    async def test_what_was_signed_is_verified(
        self, registries: Registries, reference: Reference, image: Descriptor, kind: str, layout: str
    ) -> None:
        key = PrivateKey.generate(kind)
        done = await signed(registries, reference, key, LAYOUTS[layout])
        assert (done.digest, done.key) == (image.digest, key.public.fingerprint)
        assert done.layouts == dict.fromkeys(LAYOUTS[layout], True)
        found = await verify(registries, reference, policy(team=key))
        assert (found.digest, found.signed_by) == (image.digest, ("team",))
        assert await verified(registries, reference, policy(team=key)) == reference.pinned(image.digest)

    @pytest.mark.parametrize("layout", BOTH)
    async def test_signing_again_adds_nothing(
        self,
        registries: Registries,
        reference: Reference,
        repository: Repository,
        image: Descriptor,
        layout: str,
    ) -> None:
        first = await signed(registries, reference, TEAM, [layout])
        tags, referrers = [t async for t in repository.tags()], await repository.referrers(image.digest)
        again = await signed(registries, reference, TEAM, [layout])
        assert (first.layouts, again.layouts) == ({layout: True}, {layout: False})
        assert [tag async for tag in repository.tags()] == tags
        assert await repository.referrers(image.digest) == referrers

    @pytest.mark.parametrize("layout", BOTH)
    @pytest.mark.usefixtures("image")
    async def test_others_signatures_stay(
        self, registries: Registries, reference: Reference, layout: str
    ) -> None:
        for key in (TEAM, RELEASE):
            assert (await signed(registries, reference, key, [layout])).layouts == {layout: True}
        found = await verify(registries, reference, policy(team=TEAM, release=RELEASE))
        assert found.signed_by == ("release", "team")

    @pytest.mark.parametrize("layout", BOTH)
    async def test_a_wrong_key_is_refused(
        self, registries: Registries, reference: Reference, image: Descriptor, layout: str
    ) -> None:
        await signed(registries, reference, STRANGER, [layout])
        with pytest.raises(Unverified) as caught:
            await verify(registries, reference, policy(team=TEAM))
        assert str(caught.value) == (
            f"{reference} is refused: a signature of one of team is needed, "
            f"and nobody has signed {image.digest}"
        )
        assert "was made with none of the keys team" in (caught.value.detail or "")

    @pytest.mark.usefixtures("image")
    async def test_an_unsigned_image_is_refused(self, registries: Registries, reference: Reference) -> None:
        with pytest.raises(Unverified) as caught:
            await verify(registries, reference, policy(team=TEAM))
        assert caught.value.detail == "it has no signatures"

    async def test_an_image_that_took_the_tag_is_not_signed(
        self, registries: Registries, reference: Reference, repository: Repository, image: Descriptor
    ) -> None:
        await signed(registries, reference, TEAM)
        other = await push(repository, b"another module")
        with pytest.raises(Unverified, match=f"nobody has signed {other.digest}"):
            await verify(registries, reference, policy(team=TEAM))
        old = Reference(reference.registry, reference.repository, digest=image.digest)
        assert (await verify(registries, old, policy(team=TEAM))).digest == image.digest

    async def test_what_was_verified_is_what_is_used_when_the_tag_moves(
        self, registries: Registries, reference: Reference, repository: Repository, image: Descriptor
    ) -> None:
        await signed(registries, reference, TEAM)
        use = await verified(registries, reference, policy(team=TEAM))
        await push(repository, b"another module")
        assert use.digest is not None
        assert (await repository.manifest(use.digest)).digest == image.digest

    async def test_a_signature_carried_to_another_image_does_not_count(
        self, registries: Registries, reference: Reference, repository: Repository, image: Descriptor
    ) -> None:
        await signed(registries, reference, TEAM, ["simple"])
        signatures = await repository.manifest(signature_tag(image.digest))
        other = await push(repository, b"another module")
        await repository.put_manifest(signatures, signature_tag(other.digest))
        with pytest.raises(Unverified) as caught:
            await verify(registries, reference, policy(team=TEAM))
        assert f"is for {image.digest}, not for this image" in (caught.value.detail or "")

    async def test_an_index_is_signed_like_an_image(
        self, registries: Registries, reference: Reference, repository: Repository, image: Descriptor
    ) -> None:
        entries = {"schemaVersion": 2, "mediaType": MediaType.OCI_INDEX, "manifests": [image.to_json()]}
        index = parse_manifest(compact_json(entries))
        assert isinstance(index, Index)
        await repository.put_manifest(index, "v1")
        done = await signed(registries, reference, TEAM)
        found = await verify(registries, reference, policy(team=TEAM))
        assert done.digest == found.digest == index.digest

    async def test_what_is_not_there_is_neither_signed_nor_verified(
        self, registries: Registries, reference: Reference
    ) -> None:
        with pytest.raises(NotFound):
            await signed(registries, reference, TEAM)
        with pytest.raises(NotFound):
            await verify(registries, reference, policy(team=TEAM))
