"""The store as a place to copy to: whole blobs or none, whoever fails."""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from weft.errors import NotFound, WeftError
from weft.oci import Descriptor, Digest
from weft.store import BlobDamaged, Store, StoreError
from weft.workflows.images.contents import Opener
from weft.workflows.images.local import StoreContents
from worlds.content import blob, giving, image
from worlds.disk import no_file_larger_than


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
    async def broken(_: int = 0, /) -> AsyncGenerator[bytes, None]:
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


DATA = hashlib.shake_256(b"seed").digest(1_000_000)


def partial(store: Store, digest: Digest) -> Path:
    return store.root / f".weft/arriving/{digest.algorithm}-{digest.hex}"


def interrupted(store: Store, left: bytes, digest: Digest) -> None:
    """A store in which a process was killed when it had fetched so much of a blob."""
    with store.adding():
        partial(store, digest).write_bytes(left)


class Source:
    """Gives ``data``; remembers from where it was asked to."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.starts: list[int] = []

    def __call__(self, start: int = 0, /) -> AsyncGenerator[bytes, None]:
        self.starts.append(start)
        return giving(self.data)(start)


@pytest.mark.parametrize(
    ("left", "starts"),
    [
        pytest.param(DATA[:400_000], [400_000], id="half"),
        pytest.param(DATA, [1_000_000], id="all"),
        pytest.param(b"", [0], id="nothing"),
        pytest.param(b"x" * 400_000, [400_000, 0], id="something else"),
        pytest.param(DATA[:399_999] + b"x", [400_000, 0], id="a wrong byte"),
        pytest.param(b"x" * 1_000_000, [1_000_000, 0], id="something else of its size"),
        pytest.param(DATA + b"x", [0], id="too much"),
    ],
)
async def test_what_an_interrupted_run_left_is_not_fetched_again_if_it_is_right(
    store: Store, left: bytes, starts: list[int]
) -> None:
    interrupted(store, left, Digest.of(DATA))
    source = Source(DATA)
    assert await StoreContents(store).put_blob(blob(DATA), source)
    assert source.starts == starts
    assert b"".join(store.open_blob(Digest.of(DATA))) == DATA
    assert arriving(store) == []


async def test_a_source_that_lies_is_found_out_whatever_was_left(store: Store) -> None:
    interrupted(store, DATA[:400_000], Digest.of(DATA))
    source = Source(bytes(1_000_000))
    with pytest.raises(BlobDamaged, match="arrived with digest sha256:"):
        await StoreContents(store).put_blob(blob(DATA), source)
    assert source.starts == [400_000, 0]
    assert arriving(store) == []


async def test_who_is_interrupted_leaves_what_came_for_the_next(store: Store) -> None:
    reached = asyncio.Event()

    async def stalling(_: int = 0, /) -> AsyncGenerator[bytes, None]:
        yield DATA[:400_000]
        reached.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(StoreContents(store).put_blob(blob(DATA), stalling))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    source = Source(DATA)
    await StoreContents(store).put_blob(blob(DATA), source)
    assert source.starts == [400_000]


async def test_two_at_once_do_not_share_what_arrives(store: Store) -> None:
    interrupted(store, DATA[:400_000], Digest.of(DATA))
    half, go_on = asyncio.Event(), asyncio.Event()

    async def waiting(start: int = 0, /) -> AsyncGenerator[bytes, None]:
        yield DATA[start:700_000]
        half.set()
        await go_on.wait()
        yield DATA[700_000:]

    async with asyncio.TaskGroup() as both:
        first = both.create_task(StoreContents(store).put_blob(blob(DATA), waiting))
        await half.wait()
        source = Source(DATA)
        await StoreContents(store).put_blob(blob(DATA), source)
        assert source.starts == [0]
        go_on.set()
    assert await first
    assert b"".join(store.open_blob(Digest.of(DATA))) == DATA
    assert arriving(store) == []


async def test_who_is_interrupted_beside_another_leaves_what_only_the_other_can_use(store: Store) -> None:
    reached = [asyncio.Event(), asyncio.Event()]

    def stalling(number: int) -> Opener:
        async def source(_: int = 0, /) -> AsyncGenerator[bytes, None]:
            yield DATA[:400_000]
            reached[number].set()
            await asyncio.Event().wait()

        return source

    tasks = []
    for number in range(2):
        contents = StoreContents(store)
        tasks.append(asyncio.ensure_future(contents.put_blob(blob(DATA), stalling(number))))
        await reached[number].wait()
    for task in tasks:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert arriving(store) == [partial(store, Digest.of(DATA)).name]


async def test_what_another_user_left_is_not_in_the_way(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(store, DATA[:400_000], Digest.of(DATA))
    theirs, opened = str(partial(store, Digest.of(DATA))), os.open

    def guarded(path: str | Path, *words: int) -> int:
        if str(path) == theirs:
            raise PermissionError(13, "Permission denied", theirs)
        return opened(path, *words)

    monkeypatch.setattr("weft.store.blobs.os.open", guarded)
    source = Source(DATA)
    await StoreContents(store).put_blob(blob(DATA), source)
    assert source.starts == [0]
    assert b"".join(store.open_blob(Digest.of(DATA))) == DATA


async def test_a_full_disk_leaves_nothing_to_take_up(store: Store) -> None:
    interrupted(store, DATA[:400_000], Digest.of(DATA))
    with no_file_larger_than(700_000), pytest.raises(StoreError, match="File too large"):
        await StoreContents(store).put_blob(blob(DATA), giving(DATA))
    assert arriving(store) == []


def test_what_nobody_takes_up_is_pruned(store: Store) -> None:
    interrupted(store, DATA[:400_000], Digest.of(DATA))
    freed = store.prune()
    assert (freed.leftovers, freed.size) == (1, 400_000)
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
