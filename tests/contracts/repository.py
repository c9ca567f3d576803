"""What weft needs of any registry, in our world and in the real ones.

Subclass, give ``open_repository(name, **options)``, inherit the tests. Every test uses names of its own.
"""

import uuid
from collections.abc import Callable

import pytest

from weft.errors import NotFound
from weft.oci import Descriptor, Digest, Index, MediaType, compact_json, parse_manifest
from weft.registry import RegistryError, Repository
from worlds.content import CONFIG, CONFIG_TYPE, blob, giving, image

Opener = Callable[..., Repository]
MODULE = bytes(range(256)) * 3000


async def push(repository: Repository, module: bytes = MODULE, tag: str | None = "v1") -> Descriptor:
    """An image with all its parts."""
    manifest = image(module)
    await repository.put_blob(manifest.config, giving(CONFIG))
    await repository.put_blob(manifest.layers[0], giving(module))
    await repository.put_manifest(manifest, tag)
    return manifest.descriptor


async def read(repository: Repository, descriptor: Descriptor) -> bytes:
    return b"".join([chunk async for chunk in repository.open_blob(descriptor)])


def fresh() -> str:
    return f"team/f{uuid.uuid4().hex}"


class RepositoryContract:
    """The tests; ``deletes_tags`` says whether the registry can delete a tag alone."""

    @pytest.fixture
    def deletes_tags(self) -> bool:
        return True

    @pytest.fixture
    def open_repository(self) -> Opener:
        raise NotImplementedError

    async def test_an_image_comes_back_as_it_was_pushed(self, open_repository: Opener) -> None:
        repository = open_repository(fresh())
        pushed = await push(repository)
        found = await repository.resolve("v1")
        assert (found.digest, found.size, found.media_type) == (
            pushed.digest, pushed.size, MediaType.OCI_MANIFEST,
        )  # fmt: skip
        manifest = await repository.manifest("v1")
        assert manifest.raw == image(MODULE).raw
        assert manifest == await repository.manifest(pushed.digest)
        assert await read(repository, blob(MODULE)) == MODULE

    async def test_what_is_not_there_is_not_found(self, open_repository: Opener) -> None:
        repository = open_repository(fresh())
        with pytest.raises(NotFound) as caught:
            await repository.resolve("v1")
        assert str(caught.value) == f"{repository}:v1 does not exist"
        with pytest.raises(NotFound, match=r"@sha256:[0-9a-f]{64} does not exist"):
            await repository.manifest(Digest.of(b"nothing"))
        with pytest.raises(NotFound, match="there is no repository "):
            _ = [tag async for tag in repository.tags()]
        assert not await repository.has_blob(blob(b"nothing"))
        assert not await repository.has_manifest(blob(b"nothing"))

    @pytest.mark.parametrize("chunk", [100_000, 10_000_000], ids=["several chunks", "one chunk"])
    async def test_a_blob_can_be_sent_in_chunks(self, open_repository: Opener, chunk: int) -> None:
        repository = open_repository(fresh(), chunk=chunk)
        module = uuid.uuid4().bytes * 20_000
        assert await repository.put_blob(blob(module), giving(module, piece=77_777))
        assert await read(repository, blob(module)) == module

    async def test_a_blob_is_mounted_from_a_neighbour(self, open_repository: Opener) -> None:
        first = open_repository(fresh())
        await push(first)
        second = open_repository(fresh(), mount_from=first.name)
        assert not await second.put_blob(blob(MODULE), giving(b"never asked for"))
        assert await second.has_blob(blob(MODULE))

    async def test_a_mount_that_fails_becomes_an_upload(self, open_repository: Opener) -> None:
        repository = open_repository(fresh(), mount_from=fresh())
        module = uuid.uuid4().bytes
        assert await repository.put_blob(blob(module), giving(module))
        assert await read(repository, blob(module)) == module

    async def test_an_empty_blob_is_a_blob(self, open_repository: Opener) -> None:
        repository = open_repository(fresh())
        await repository.put_blob(blob(b""), giving(b""))
        assert await read(repository, blob(b"")) == b""

    async def test_tags_are_listed_whatever_their_number(self, open_repository: Opener) -> None:
        repository = open_repository(fresh())
        await push(repository)
        tags = {f"v{number}" for number in range(1, 13)}
        for tag in tags:
            await repository.put_manifest(image(MODULE), tag)
        assert {tag async for tag in repository.tags()} == tags

    async def test_a_manifest_is_deleted_with_its_tags(self, open_repository: Opener) -> None:
        repository = open_repository(fresh())
        pushed = await push(repository)
        await repository.delete_manifest(pushed.digest)
        with pytest.raises(NotFound):
            await repository.resolve("v1")
        with pytest.raises(NotFound):
            await repository.delete_manifest(pushed.digest)

    async def test_a_tag_is_deleted_alone(self, open_repository: Opener, deletes_tags: bool) -> None:
        repository = open_repository(fresh())
        pushed = await push(repository)
        await repository.put_manifest(image(MODULE), "v2")
        if not deletes_tags:
            with pytest.raises(RegistryError, match=r"manifests/v1: 40[05]"):
                await repository.delete_manifest("v1")
            return
        await repository.delete_manifest("v1")
        assert [tag async for tag in repository.tags()] == ["v2"]
        assert await repository.has_manifest(pushed)

    async def test_a_blob_is_deleted(self, open_repository: Opener) -> None:
        repository = open_repository(fresh())
        await push(repository)
        await repository.delete_blob(blob(MODULE).digest)
        assert not await repository.has_blob(blob(MODULE))
        with pytest.raises(NotFound):
            await repository.delete_blob(blob(MODULE).digest)

    async def test_what_refers_to_an_image_is_found_by_its_kind(self, open_repository: Opener) -> None:
        repository = open_repository(fresh())
        subject = await push(repository)
        await repository.put_blob(blob(b"sig"), giving(b"sig"))
        signature = image(b"sig", subject=subject, artifact_type="application/vnd.sig")
        untyped = image(b"sig", subject=subject)
        await repository.put_manifest(signature)
        await repository.put_manifest(untyped)
        await repository.put_manifest(untyped)  # twice is once
        found = await repository.referrers(subject.digest)
        assert {(entry.digest, entry.artifact_type) for entry in found} == {
            (signature.digest, "application/vnd.sig"), (untyped.digest, CONFIG_TYPE),
        }  # fmt: skip
        of_kind = await repository.referrers(subject.digest, "application/vnd.sig")
        assert [entry.digest for entry in of_kind] == [signature.digest]
        await repository.delete_manifest(signature.digest)
        assert [entry.digest for entry in await repository.referrers(subject.digest)] == [untyped.digest]

    async def test_nothing_refers_to_a_lonely_image(self, open_repository: Opener) -> None:
        repository = open_repository(fresh())
        assert await repository.referrers((await push(repository)).digest) == []

    async def test_an_index_of_platforms_comes_back(self, open_repository: Opener) -> None:
        repository = open_repository(fresh())
        child = await push(repository, tag=None)
        platform = {"architecture": "amd64", "os": "linux"}
        document = {
            "schemaVersion": 2,
            "mediaType": MediaType.OCI_INDEX,
            "manifests": [child.to_json() | {"platform": platform}],
        }
        index = parse_manifest(compact_json(document))
        await repository.put_manifest(index, "all")
        found = await repository.manifest("all")
        assert isinstance(found, Index)
        assert found.raw == index.raw
        assert str(found.manifests[0].platform) == "linux/amd64"
