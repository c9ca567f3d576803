"""Attachments in the store: no name of their own, there as long as what they belong to."""

from pathlib import Path

import pytest

from modules import sample_images
from weft.oci import Descriptor, Digest, Manifest, MediaType, Reference
from weft.store import BlobDamaged, Store

NAME = Reference.parse("hub.example.com/team/f:v1")
EMPTY = Descriptor.of(MediaType.OCI_EMPTY, b"{}")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def attachment(subject: Manifest, text: bytes, kind: str = "text/plain") -> Manifest:
    return Manifest.build(
        EMPTY,
        (Descriptor.of(kind, text),),
        {"note": "kept"},
        media_type=MediaType.OCI_MANIFEST,
        artifact_type=kind,
        subject=Descriptor(subject.media_type, subject.digest, len(subject.raw)),
    )


def attach(store: Store, subject: Manifest, text: bytes, *, instead: bool = False) -> Manifest:
    made = attachment(subject, text)
    with store.adding():
        for blob, data in ((EMPTY, b"{}"), (made.layers[0], text)):
            store.put_blob(blob.digest, [data], blob.size)
        store.attach(made, instead=instead)
    return made


@pytest.fixture
def image(store: Store) -> Manifest:
    image = sample_images.sample()
    store.put(NAME, image)
    return image.manifest


def test_it_is_found_by_its_subject_as_a_registry_shows_it(store: Store, image: Manifest) -> None:
    made = attach(store, image, b"one")
    (found,) = store.referrers(image.digest)
    assert (found.digest, found.artifact_type, found.annotations) == (
        made.digest,
        "text/plain",
        {"note": "kept"},
    )
    assert store.referrers(made.digest) == []


def test_it_is_no_image_in_lists(store: Store, image: Manifest) -> None:
    attach(store, image, b"one")
    assert [entry.name for entry in store.entries()] == [str(NAME)]


def test_again_is_once_and_others_stay(store: Store, image: Manifest) -> None:
    for text in (b"one", b"two", b"one"):
        attach(store, image, text)
    assert len(store.referrers(image.digest)) == 2


def test_instead_replaces_those_of_its_type(store: Store, image: Manifest) -> None:
    attach(store, image, b"one")
    attach(store, image, b"two")
    last = attach(store, image, b"three", instead=True)
    assert [entry.digest for entry in store.referrers(image.digest)] == [last.digest]


def test_it_is_kept_by_prune_while_its_subject_has_a_name(store: Store, image: Manifest) -> None:
    made = attach(store, image, b"one")
    upon = attach(store, made, b"about one")
    assert store.prune().blobs == ()
    assert [entry.digest for entry in store.referrers(made.digest)] == [upon.digest]


def test_it_goes_with_its_subject_and_theirs_with_it(store: Store, image: Manifest) -> None:
    made = attach(store, image, b"one")
    attach(store, made, b"about one")
    store.remove(NAME)
    assert store.prune(dry_run=True).attachments
    assert store.referrers(image.digest) != []
    store.prune()
    assert store.referrers(image.digest) == []
    assert store.referrers(made.digest) == []
    assert list((store.root / "blobs").rglob("*")) == [store.root / "blobs" / "sha256"]


def test_without_its_blobs_it_is_refused(store: Store, image: Manifest) -> None:
    with pytest.raises(BlobDamaged, match=r"^attachment sha256:\w+ cannot be kept: "):
        store.attach(attachment(image, b"never written"))
    assert store.referrers(image.digest) == []


def test_an_image_beside_another_is_an_attachment_too(store: Store, image: Manifest) -> None:
    beside = sample_images.sample(flavor="compat")
    manifest = Manifest.build(
        beside.manifest.config,
        beside.manifest.layers,
        {},
        media_type=MediaType.OCI_MANIFEST,
        subject=Descriptor(image.media_type, image.digest, len(image.raw)),
    )
    with store.adding():
        for digest, data in beside.blobs.items():
            store.put_blob(digest, [data], len(data))
        store.attach(manifest)
    assert [entry.name for entry in store.entries()] == [str(NAME)]
    assert Digest.of(manifest.raw) in [entry.digest for entry in store.referrers(image.digest)]
