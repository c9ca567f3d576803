"""Prune deletes what nothing leads to, and never what somebody still needs."""

import json
from pathlib import Path

import pytest

from modules.sample_images import MODULE, assemble, module, sample
from weft.image import WasmType
from weft.oci import Descriptor, Digest, MediaType, Reference, compact_json, parse_manifest
from weft.store import Freed, Store, StoreError
from worlds.layout_reader import read_layout

V1, V2 = Reference.parse("hub.io/f:v1"), Reference.parse("hub.io/f:v2")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def blobs(store: Store) -> set[str]:
    return {f"{path.parent.name}:{path.name}" for path in (store.root / "blobs").glob("*/*")}


def test_nothing_to_delete_is_nothing_deleted(store: Store) -> None:
    store.put(V1, sample())
    assert store.prune() == Freed((), 0, 0)
    assert store.get(V1) == sample()


def test_what_only_removed_images_used_goes(store: Store) -> None:
    old, new = sample(root_id="old"), sample(root_id="new")  # the same module in both
    store.put(V1, old)
    store.put(V2, new)
    store.remove(V1)
    freed = store.prune()
    config = old.manifest.config
    assert freed == Freed(tuple(sorted([old.digest, config.digest])), 0, len(old.manifest.raw) + config.size)
    assert blobs(store) == {str(new.digest), *(str(blob.digest) for blob in new.manifest.blobs)}
    assert store.get(V2) == new


def test_a_dry_run_says_the_same_and_deletes_nothing(store: Store) -> None:
    store.put(V1, sample())
    store.put(V1, sample(module(5000)))
    before = blobs(store)
    said = store.prune(dry_run=True)
    assert blobs(store) == before
    assert store.prune() == said
    assert len(said.blobs) == 2  # the manifest and the module; both images share the config


def test_content_under_another_algorithm_is_content(store: Store) -> None:
    digest = Digest.of(b"x", "sha512")
    store.put_blob(digest, [b"x"])
    assert store.prune() == Freed((digest,), 0, 1)


def test_what_a_manifest_of_another_tool_leads_to_stays(store: Store) -> None:
    oras = assemble((MediaType.OCI_EMPTY, b"{}"), [(WasmType.SOLO_MODULE, MODULE)])
    docker = assemble((MediaType.DOCKER_CONFIG, b"{ }"), [("x", b"1")], media_type=MediaType.DOCKER_MANIFEST)
    for reference, image in ((V1, oras), (V2, docker)):
        store.put(reference, image)
    assert store.prune().blobs == ()
    assert (store.get(V1), store.get(V2)) == (oras, docker)


def test_the_images_of_an_index_stay_as_far_as_they_are_here(store: Store) -> None:
    here, absent = sample(), sample(module(999))
    store.put(V1, here)
    index = parse_manifest(
        compact_json(
            {
                "schemaVersion": 2,
                "manifests": [
                    image.manifest.descriptor.to_json()
                    | {"platform": {"os": "linux", "architecture": machine}}
                    for image, machine in ((here, "amd64"), (absent, "arm64"))
                ],
            }
        )
    )
    store.keep(V2, index)
    store.remove(V1)
    assert store.prune().blobs == ()
    assert store.get(V2) == here


def test_a_blob_that_the_index_names_itself_stays(store: Store) -> None:
    store.put_blob(Digest.of(b"<xml/>"), [b"<xml/>"])
    path = store.root / "index.json"
    named = Descriptor.of("application/xml", b"<xml/>").to_json()
    path.write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    assert store.prune().blobs == ()


def test_files_that_are_no_blobs_are_left_alone(store: Store) -> None:
    store.put(V1, sample())
    strangers = [store.root / "blobs" / "sha256" / "README", store.root / "blobs" / "notes", store.root / "x"]
    for path in strangers:
        path.write_bytes(b"mine")
    assert store.prune() == Freed((), 0, 0)
    assert all(path.exists() for path in strangers)


def test_what_killed_processes_left_goes(store: Store) -> None:
    store.put(V1, sample())
    (store.root / ".weft" / "arriving" / "0295d929-x").write_bytes(b"half")
    (store.root / ".index.json.abc").write_bytes(b"{")
    assert store.prune(dry_run=True) == Freed((), 2, 5)
    assert store.prune() == Freed((), 2, 5)
    assert store.prune() == Freed((), 0, 0)
    assert read_layout(store.root) == {str(V1): str(sample().digest)}


def test_nothing_is_deleted_while_an_image_does_not_say_what_it_needs(store: Store) -> None:
    image = sample()
    store.put(V1, image)
    store.put(V2, sample(module(500)))
    store.remove(V2)
    (store.root / "blobs" / "sha256" / image.digest.hex).unlink()
    before = blobs(store)
    with pytest.raises(StoreError) as caught:
        store.prune()
    assert str(caught.value) == (f"cannot tell what {V1} needs: blob {image.digest} is missing in the store")
    assert caught.value.hint == f"`weft rm {V1}` first"
    assert blobs(store) == before
    store.remove(V1)
    store.prune()
    assert blobs(store) == set()


def test_an_unreadable_entry_without_a_name_stops_prune_too(store: Store) -> None:
    store.put(V1, sample())
    path = store.root / "index.json"
    path.write_text('{"schemaVersion":2,"manifests":[{"size":1}]}')
    with pytest.raises(StoreError) as caught:
        store.prune()
    assert str(caught.value) == (
        f"cannot tell what an image without a name needs: {path}: manifests[0].digest is missing"
    )
    assert caught.value.hint == f"take its entry out of {path}"


def test_what_is_being_added_is_safe(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.store.layout._PRUNE_SECONDS", 0.0)
    image = sample()
    with store.adding():
        for digest, data in image.blobs.items():
            store.put_blob(digest, [data])
        with pytest.raises(StoreError) as caught:
            Store(store.root).prune()
        store.keep(V1, image.manifest)
    assert str(caught.value) == f"the store {store.root} is busy: another weft is adding images to it"
    assert store.prune().blobs == ()
    assert store.get(V1) == image


def test_content_that_is_never_named_goes(store: Store) -> None:
    with store.adding():
        store.put_blob(Digest.of(b"x"), [b"x"])
    assert store.prune() == Freed((Digest.of(b"x"),), 0, 1)


def test_nothing_is_added_while_another_prunes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(V1, sample())
    monkeypatch.setattr("weft.store.layout._INDEX_SECONDS", 0.0)
    with store._layout.pruning(), pytest.raises(StoreError) as caught:
        Store(store.root).put(V2, sample())
    assert str(caught.value) == f"the store {store.root} is busy: another weft is pruning it"
    assert caught.value.hint == "try again soon"
    with store._layout.pruning(), pytest.raises(StoreError) as caught:
        Store(store.root).tag(V1, V2)
    assert str(caught.value) == f"the store {store.root} is busy: another weft holds its index"
