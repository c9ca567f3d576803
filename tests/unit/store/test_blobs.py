"""Blobs stream in and out, and are what their digest says or not there."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.sample_images import MODULE, sample
from weft.oci import Digest, Reference
from weft.store import BlobDamaged, Store, StoreError
from worlds.disk import no_file_larger_than

DATA = b"content of a blob"
DIGEST = Digest.of(DATA)
V1 = Reference.parse("hub.io/f:v1")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def files(store: Store) -> list[str]:
    """All files but the locks and the two that make it a layout."""
    return sorted(
        str(path.relative_to(store.root))
        for path in store.root.rglob("*")
        if path.is_file() and path.suffix != ".lock" and path.name not in {"oci-layout", "index.json"}
    )


def place(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.hex}"


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_blob_comes_out_as_it_went_in(store: Store, algorithm: str) -> None:
    digest = Digest.of(DATA, algorithm)
    store.put_blob(digest, [DATA[:5], b"", DATA[5:]], len(DATA))
    assert files(store) == [place(digest)]
    assert b"".join(store.open_blob(digest)) == DATA
    assert store.has_blob(digest)


def test_a_blob_larger_than_a_chunk_comes_in_pieces(store: Store) -> None:
    piece = bytes(1024 * 1024)
    digest = Digest("sha256", hashlib.sha256(piece * 3 + b"x").hexdigest())
    with store.new_blob(digest) as writer:
        for _ in range(3):
            writer.write(piece)
        writer.write(b"x")
        assert writer.written == len(piece) * 3 + 1
    pieces = [len(chunk) for chunk in store.open_blob(digest)]
    assert sum(pieces) == len(piece) * 3 + 1
    assert max(pieces) < len(piece)


@pytest.mark.parametrize(
    ("chunks", "size", "complaint"),
    [
        pytest.param(
            [b"other"],
            None,
            f"blob {DIGEST} arrived with digest {Digest.of(b'other')}",
            id="other content",
        ),
        pytest.param(
            [DATA, b"x"], len(DATA), f"blob {DIGEST} should have 17 bytes, but more arrive", id="more"
        ),
        pytest.param([DATA[:-1]], len(DATA), f"blob {DIGEST} should have 17 bytes, got 16", id="fewer"),
        pytest.param([], None, f"blob {DIGEST} arrived with digest {Digest.of(b'')}", id="nothing"),
    ],
)
def test_what_is_not_the_blob_leaves_nothing(
    store: Store, chunks: list[bytes], size: int | None, complaint: str
) -> None:
    with pytest.raises(BlobDamaged) as caught:
        store.put_blob(DIGEST, chunks, size)
    assert str(caught.value) == complaint
    assert files(store) == []
    assert not store.has_blob(DIGEST)


def test_a_source_that_fails_leaves_nothing_and_its_own_error(store: Store) -> None:
    def broken() -> Iterator[bytes]:
        yield DATA[:3]
        raise ConnectionResetError("peer went away")

    with pytest.raises(ConnectionResetError, match="peer went away"):
        store.put_blob(DIGEST, broken())
    assert files(store) == []


def test_an_absent_blob_is_named(store: Store) -> None:
    with pytest.raises(BlobDamaged) as caught:
        list(store.open_blob(DIGEST))
    assert str(caught.value) == f"blob {DIGEST} is missing in the store"
    assert caught.value.hint == "build or pull the image again: what is damaged gets replaced"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(
            DATA.upper(), f"is damaged: its content has digest {Digest.of(DATA.upper())}", id="other"
        ),
        pytest.param(DATA[:4], f"is damaged: its content has digest {Digest.of(DATA[:4])}", id="cut off"),
        pytest.param(b"", f"is damaged: its content has digest {Digest.of(b'')}", id="empty"),
    ],
)
def test_a_damaged_blob_is_noticed_when_it_is_read(store: Store, content: bytes, complaint: str) -> None:
    store.put_blob(DIGEST, [DATA])
    (store.root / place(DIGEST)).write_bytes(content)
    with pytest.raises(BlobDamaged) as caught:
        list(store.open_blob(DIGEST))
    assert str(caught.value) == f"blob {DIGEST} in the store {complaint}"
    assert not store.has_blob(DIGEST)


def test_a_damaged_image_is_not_given_and_is_repaired_by_putting_it_again(store: Store) -> None:
    image = sample()
    store.put(V1, image)
    wrong = MODULE.replace(b"weft", b"WEFT")
    (store.root / place(Digest.of(MODULE))).write_bytes(wrong)
    with pytest.raises(BlobDamaged) as caught:
        store.get(V1)
    assert str(caught.value) == (
        f"blob {Digest.of(MODULE)} in the store is damaged: its content has digest {Digest.of(wrong)}"
    )
    store.put(V1, image)
    assert store.get(V1) == image


def test_a_blob_too_large_for_memory_is_refused_before_it_is_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(V1, sample())
    monkeypatch.setattr("weft.store.store.MAX_BLOB_BYTES", 20)
    with pytest.raises(BlobDamaged, match="weft holds 20 in memory at most"):
        store.get(V1)


@pytest.mark.parametrize("size", [100_000, 5_000_000], ids=["while buffered", "while written"])
def test_a_full_disk_is_explained_and_leaves_nothing(store: Store, size: int) -> None:
    store.put(V1, sample())
    before = files(store)
    data = bytes(size)
    with no_file_larger_than(50_000), pytest.raises(StoreError) as caught:
        store.put_blob(Digest.of(data), [data])
    assert str(caught.value) == f"cannot write to the store {store.root}: File too large"
    assert caught.value.hint == "free some space; `weft prune` deletes content that no image uses"
    assert files(store) == before


def test_a_disk_that_is_full_when_the_name_is_written_keeps_the_old_names(store: Store) -> None:
    store.put(V1, sample())
    index = (store.root / "index.json").read_bytes()
    with no_file_larger_than(len(index) + 10), pytest.raises(StoreError, match="File too large"):
        store.tag(V1, Reference.parse("hub.io/f:v2"))
    assert (store.root / "index.json").read_bytes() == index
    assert not list(store.root.glob(".index.json.*"))
