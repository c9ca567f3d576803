"""The store as a place to copy to: whole blobs or none, whoever fails."""

import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from weft.errors import NotFound, WeftError
from weft.oci import Descriptor, Digest
from weft.store import BlobDamaged, Store
from weft.workflows.images.local import StoreContents
from worlds.content import blob, giving, image


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def arriving(store: Store) -> list[str]:
    return [path.name for path in (store.root / ".weft/arriving").iterdir()]


@pytest.mark.parametrize("size", [0, 1, 1000, 5_000_000, 20_000_000])
@pytest.mark.parametrize("piece", [999_983, 65_536])
async def test_pieces_become_a_blob_in_their_order(store: Store, size: int, piece: int) -> None:
    data = hashlib.shake_256(b"seed").digest(size)
    contents = StoreContents(store)
    assert await contents.put_blob(blob(data), giving(data, piece=piece))
    assert await contents.has_blob(blob(data))
    assert b"".join([chunk async for chunk in contents.open_blob(blob(data))]) == data
    assert arriving(store) == []


async def test_a_source_that_fails_leaves_nothing(store: Store) -> None:
    async def broken() -> AsyncGenerator[bytes, None]:
        for _ in range(50):
            yield bytes(100_000)
        raise WeftError("the network is on fire")

    with pytest.raises(WeftError, match="the network is on fire"):
        await StoreContents(store).put_blob(blob(bytes(10_000_000)), broken)
    assert arriving(store) == []
    assert not await StoreContents(store).has_blob(blob(bytes(10_000_000)))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        pytest.param(bytes(2_000_000), "but more arrive", id="too many"),
        pytest.param(bytes(999_999), "should have 1000000 bytes, got 999999", id="too few"),
        pytest.param(b"x" * 1_000_000, "arrived with digest sha256:", id="others"),
    ],
)
async def test_wrong_bytes_leave_nothing(store: Store, data: bytes, complaint: str) -> None:
    with pytest.raises(BlobDamaged, match=complaint):
        await StoreContents(store).put_blob(blob(bytes(1_000_000)), giving(data))
    assert arriving(store) == []


async def test_a_damaged_blob_counts_as_absent(store: Store) -> None:
    contents = StoreContents(store)
    await contents.put_blob(blob(b"good"), giving(b"good"))
    (store.root / "blobs/sha256" / Digest.of(b"good").hex).write_bytes(b"evil")
    assert not await contents.has_blob(blob(b"good"))
    with pytest.raises(BlobDamaged):
        _ = [chunk async for chunk in contents.open_blob(blob(b"good"))]


async def test_a_store_has_manifests_by_digest_and_no_tags(store: Store) -> None:
    contents = StoreContents(store)
    manifest = image(b"module")
    await contents.put_manifest(manifest, "ignored")
    assert (await contents.manifest(manifest.digest)).raw == manifest.raw
    assert not await contents.has_manifest(manifest.descriptor)
    assert await contents.referrers(manifest.digest) == []
    with pytest.raises(NotFound):
        await contents.manifest("v1")


async def test_a_size_of_no_blob_is_no_reason_to_wait(store: Store) -> None:
    huge = Descriptor("a/b", Digest.of(b"small"), 10**15)
    with pytest.raises(BlobDamaged, match="got 5"):
        await StoreContents(store).put_blob(huge, giving(b"small"))
