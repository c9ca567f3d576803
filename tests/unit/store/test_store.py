"""Images go in under a name and come out whole; what cannot be is explained."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modules.sample_images import MODULE, assemble, module, sample
from weft.errors import NotFound, UsageError
from weft.image import FLAVORS, Image, unpack
from weft.oci import Descriptor, Digest, Index, MediaType, Platform, Reference, compact_json, parse_manifest
from weft.store import BlobDamaged, Store
from worlds.layout_reader import read_layout

V1, V2 = Reference.parse("hub.io/team/add-header:v1"), Reference.parse("hub.io/team/add-header:v2")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def index_of(*images: tuple[Image, Platform | None]) -> Index:
    entries = [
        Descriptor(MediaType.OCI_MANIFEST, image.digest, len(image.manifest.raw), platform=platform).to_json()
        for image, platform in images
    ]
    index = parse_manifest(compact_json({"schemaVersion": 2, "manifests": entries}))
    assert isinstance(index, Index)
    return index


@pytest.mark.parametrize("flavor", sorted(FLAVORS))
def test_what_is_put_is_got(store: Store, flavor: str) -> None:
    image = sample(flavor=flavor)
    assert store.put(V1, image) == image.digest
    assert store.get(V1) == image
    assert unpack(store.get(V1)).module == MODULE


def test_a_store_that_is_not_there_yet_is_empty(store: Store) -> None:
    assert store.entries() == []
    assert not store.root.exists()
    with pytest.raises(NotFound):
        store.get(V1)


def test_any_oci_tool_can_read_it(store: Store) -> None:
    solo, compat = sample(), sample(flavor="compat")
    store.put(V1, solo)
    store.put(V2, compat)
    assert read_layout(store.root) == {str(V1): str(solo.digest), str(V2): str(compat.digest)}
    index = json.loads((store.root / "index.json").read_bytes())
    assert index["mediaType"] == MediaType.OCI_INDEX
    assert [entry["annotations"]["io.containerd.image.name"] for entry in index["manifests"]] == [
        str(V1),
        str(V2),
    ]


def test_a_digest_finds_the_image_under_any_tag_of_its_repository(store: Store) -> None:
    image = sample()
    store.put(V1, image)
    for text in (f"hub.io/team/add-header@{image.digest}", f"hub.io/team/add-header:gone@{image.digest}"):
        assert store.get(Reference.parse(text)) == image
    with pytest.raises(NotFound):
        store.get(Reference.parse(f"hub.io/team/other@{image.digest}"))


def test_a_digest_is_honoured_and_not_taken_for_the_latest(store: Store) -> None:
    store.put(Reference.parse("hub.io/f"), sample())
    wanted = Reference.parse(f"hub.io/f@{Digest.of(b'other')}")
    with pytest.raises(NotFound) as caught:
        store.get(wanted)
    assert str(caught.value) == f"image {wanted} not found"


def test_an_image_can_be_put_by_digest_alone(store: Store) -> None:
    image = sample()
    name = Reference.parse("hub.io/f").pinned(image.digest)
    by_digest = Reference(name.registry, name.repository, None, image.digest)
    store.put(by_digest, image)
    assert store.get(by_digest) == image
    assert list(read_layout(store.root)) == [f"hub.io/f@{image.digest}"]
    with pytest.raises(NotFound):
        store.get(Reference.parse("hub.io/f"))


def test_a_tag_with_its_digest_names_the_tag(store: Store) -> None:
    image = sample()
    store.put(V1.pinned(image.digest), image)
    assert list(read_layout(store.root)) == [str(V1)]


def test_a_digest_must_be_the_images_own(store: Store) -> None:
    image, wrong = sample(), V1.pinned(Digest.of(b"other"))
    with pytest.raises(UsageError) as caught:
        store.put(wrong, image)
    assert str(caught.value) == f"{wrong} cannot name a manifest with digest {image.digest}"
    assert store.entries() == []


def test_a_name_moves_to_the_image_put_last(store: Store) -> None:
    old, new = sample(), sample(module(999))
    store.put(V1, old)
    store.put(V1, new)
    assert store.get(V1) == new
    assert read_layout(store.root) == {str(V1): str(new.digest)}


def test_a_tag_is_another_name_for_the_same_image(store: Store) -> None:
    image = sample()
    store.put(V1, image)
    assert store.tag(V1, V2) == image.digest
    assert store.get(V2) == store.get(V1)
    assert store.tag(V1, V1) == image.digest
    assert sorted(read_layout(store.root)) == [str(V1), str(V2)]


def test_content_cannot_be_tagged_onto_a_digest(store: Store) -> None:
    store.put(V1, sample())
    target = V2.pinned(Digest.of(b""))
    with pytest.raises(UsageError) as caught:
        store.tag(V1, target)
    assert (str(caught.value), caught.value.hint) == (
        f"{target} names content; nothing else can",
        "write hub.io/team/add-header:TAG",
    )


def test_removing_forgets_names_and_keeps_the_other_image(store: Store) -> None:
    image = sample()
    store.put(V1, image)
    store.tag(V1, V2)
    assert store.remove(V1) == [str(V1)]
    assert read_layout(store.root) == {str(V2): str(image.digest)}


def test_removing_by_digest_forgets_every_name_of_it(store: Store) -> None:
    image, other = sample(), sample(module(999))
    store.put(V1, image)
    store.tag(V1, V2)
    store.put(Reference.parse("hub.io/team/add-header:v3"), other)
    by_digest = Reference.parse(f"hub.io/team/add-header@{image.digest}")
    assert store.remove(by_digest) == [str(V1), str(V2)]
    assert list(read_layout(store.root).values()) == [str(other.digest)]


def test_removing_a_tag_with_a_digest_forgets_only_that_tag(store: Store) -> None:
    image = sample()
    store.put(V1, image)
    store.tag(V1, V2)
    assert store.remove(V1.pinned(image.digest)) == [str(V1)]
    with pytest.raises(NotFound):
        store.remove(V2.pinned(Digest.of(b"other")))
    assert list(read_layout(store.root)) == [str(V2)]


def test_a_name_that_is_said_twice_is_removed_once(store: Store) -> None:
    store.put(V1, sample())
    assert store.remove(V1, V1) == [str(V1)]


def test_all_names_are_removed_or_none(store: Store) -> None:
    store.put(V1, sample())
    with pytest.raises(NotFound):
        store.remove(V1, V2)
    assert list(read_layout(store.root)) == [str(V1)]


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        pytest.param("hub.io/team/add-header:v3", "did you mean hub.io/team/add-header:v2? ", id="other tag"),
        pytest.param("add-header", "did you mean hub.io/team/add-header:v2? ", id="last part only"),
        pytest.param(
            "hub.io/team/ad-header:v1", "did you mean hub.io/team/add-header:v1? ", id="letter missing"
        ),
        pytest.param("ghcr.io/some/thing:v9", "", id="nothing like it"),
        pytest.param("nosuch", "", id="alike in what is filled in alone"),
        pytest.param("fooo", "did you mean docker.io/library/foo:latest? ", id="short name"),
    ],
)
def test_an_unknown_image_brings_the_nearest_name(store: Store, asked: str, hint: str) -> None:
    store.put(V1, sample())
    store.tag(V1, V2)
    store.put(Reference.parse("quay.io/x/zzz:latest"), sample())
    store.put(Reference.parse("foo"), sample())
    with pytest.raises(NotFound) as caught:
        store.get(Reference.parse(asked))
    assert str(caught.value) == f"image {Reference.parse(asked)} not found"
    assert caught.value.hint == hint + "run `weft list` to see the images of this machine"


def test_the_images_of_an_index_are_chosen_for_wasm(store: Store) -> None:
    arm, wasm = sample(module(100)), sample(module(200))
    index = index_of((arm, Platform("linux", "arm64")), (wasm, Platform("wasip1", "wasm")))
    with store.adding():
        for blob, data in wasm.blobs.items():
            store.put_blob(blob, [data])
        store.put_blob(wasm.digest, [wasm.manifest.raw])
        store.keep(V1, index)
    assert store.get(V1) == wasm
    assert store.find(V1).digest == index.digest
    assert store.manifest(store.find(V1)) == index
    assert store.get(Reference.parse(f"hub.io/team/add-header@{index.digest}")) == wasm


def test_an_index_of_an_index_is_refused(store: Store) -> None:
    image = sample()
    inner = index_of((image, None))
    outer = parse_manifest(compact_json({"schemaVersion": 2, "manifests": [inner.descriptor.to_json()]}))
    store.put_blob(inner.digest, [inner.raw])
    with pytest.raises(BlobDamaged) as caught:
        store.keep(V1, outer)
    assert str(caught.value) == f"index {outer.digest} leads to another index, not to an image"


def test_nothing_is_named_before_all_of_it_is_here(store: Store) -> None:
    image = sample()
    config, content = image.manifest.blobs
    store.put_blob(config.digest, [image.blob(config)])
    with pytest.raises(BlobDamaged) as caught:
        store.keep(V1, image.manifest)
    assert str(caught.value) == f"image {image.digest} cannot be kept: blob {content.digest} is missing"
    assert store.entries() == []


def test_an_artifact_that_is_no_wasm_image_is_kept_and_listed_as_such(store: Store) -> None:
    chart = assemble(("application/vnd.cncf.helm.config.v1+json", b"{}"), [("application/x-chart", b"chart")])
    store.put(V1, chart)
    assert store.get(V1) == chart
    (entry,) = store.entries()
    assert entry.problem == f"image {chart.digest} is not a wasm image: its layers are 'application/x-chart'"


def test_names_are_dated_by_the_clock(tmp_path: Path) -> None:
    times = iter([datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 6, 7, 8, 9, tzinfo=UTC)])
    store = Store(tmp_path, now=lambda: next(times))
    store.put(V1, sample())
    store.tag(V1, V2)
    assert [entry.updated.isoformat() for entry in store.entries()] == [
        "2026-01-02T03:04:05+00:00",
        "2026-06-07T08:09:00+00:00",
    ]
