"""What is known of each image, good or broken, without reading it all."""

import json
from pathlib import Path
from typing import Any

import pytest

from modules.sample_images import MODULE, Blob, container, sample, tar_gz
from weft.errors import NotFound
from weft.image import FLAVORS
from weft.oci import Digest, MediaType, Reference
from weft.store import Entry, ModuleBlob, Store, StoreError

V1 = Reference.parse("hub.io/f:v1")
GOOD = Reference.parse("hub.io/good:v1")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    store.put(V1, sample())
    store.put(GOOD, sample(root_id="other"))
    return store


def blob(store: Store, digest: Digest) -> Path:
    return store.root / "blobs" / digest.algorithm / digest.hex


def edit(store: Store, **members: Any) -> None:
    """Change the first entry of the index; ``...`` takes a member out."""
    path = store.root / "index.json"
    document = json.loads(path.read_bytes())
    entry = document["manifests"][0] | members
    document["manifests"][0] = {key: value for key, value in entry.items() if value is not ...}
    path.write_text(json.dumps(document))


def broken(store: Store) -> Entry:
    """The first entry, when it is broken and the second is not."""
    first, second = store.entries()
    assert second.problem is None
    assert second.name == str(GOOD)
    assert first.problem is not None
    return first


@pytest.mark.parametrize("flavor", sorted(FLAVORS))
def test_module_and_sizes_are_those_of_the_image(tmp_path: Path, flavor: str) -> None:
    store = Store(tmp_path)
    image = sample(flavor=flavor)
    store.put(V1, image)
    (entry,) = store.entries()
    assert (entry.name, entry.reference, entry.digest, entry.flavor) == (str(V1), V1, image.digest, flavor)
    assert entry.module == ModuleBlob(Digest.of(MODULE), len(MODULE))
    assert entry.size == len(image.manifest.raw) + sum(len(data) for data in image.blobs.values())
    assert entry.path == blob(store, image.manifest.layers[-1].digest)
    assert entry.problem is None


def test_a_compat_image_named_by_another_tool_is_unpacked_to_know(tmp_path: Path) -> None:
    store = Store(tmp_path)
    layer: Blob = (MediaType.DOCKER_LAYER_GZIP, tar_gz({"plugin.wasm": MODULE}))
    store.put(V1, container([layer], docker=True))
    edit(store, annotations={"org.opencontainers.image.ref.name": "v1"})
    (entry,) = store.entries()
    assert entry.module == ModuleBlob(Digest.of(MODULE), len(MODULE))


def test_a_missing_module_is_noticed(store: Store) -> None:
    blob(store, Digest.of(MODULE)).unlink()
    assert [entry.problem for entry in store.entries()] == [f"blob {Digest.of(MODULE)} is missing"] * 2


def test_a_module_of_another_size_is_noticed(store: Store) -> None:
    config = sample().manifest.config
    blob(store, config.digest).write_bytes(b"{}")
    entry = broken(store)
    assert entry.problem == f"blob {config.digest} has 2 bytes instead of {config.size}"
    assert (entry.reference, entry.flavor, entry.module) == (V1, "solo", None)


def test_a_damaged_manifest_is_noticed(store: Store) -> None:
    digest = sample().digest
    blob(store, digest).write_bytes(b"{}")
    entry = broken(store)
    assert entry.problem == (
        f"blob {digest} in the store is damaged: its content has digest {Digest.of(b'{}')}"
    )
    assert (entry.digest, entry.flavor, entry.size, entry.path) == (digest, None, 0, store.root)


def test_an_entry_without_a_digest_is_noticed_and_can_be_removed(store: Store) -> None:
    edit(store, digest=...)
    entry = broken(store)
    assert entry.problem == f"{store.root}/index.json: manifests[0].digest is missing"
    assert (entry.name, entry.digest) == (str(V1), None)
    with pytest.raises(StoreError) as caught:
        store.get(V1)
    assert str(caught.value) == f"image {V1} is broken: {entry.problem}"
    assert store.remove(entry.name) == [str(V1)]
    assert [one.name for one in store.entries()] == [str(GOOD)]


def test_putting_the_image_again_repairs_its_entry(store: Store) -> None:
    edit(store, digest=...)
    store.put(V1, sample())
    assert [(entry.name, entry.problem) for entry in store.entries()] == [(str(GOOD), None), (str(V1), None)]


def test_an_entry_that_is_no_object_is_passed_over(store: Store) -> None:
    path = store.root / "index.json"
    document = json.loads(path.read_bytes())
    path.write_text(json.dumps(document | {"manifests": [7, *document["manifests"]]}))
    assert [entry.problem for entry in store.entries()] == [None, None]


def test_a_name_that_is_no_reference_is_noticed_and_can_be_removed(store: Store) -> None:
    edit(store, annotations={"org.opencontainers.image.ref.name": "Not A Name"})
    entry = broken(store)
    assert entry.problem == ("image reference 'Not A Name': 'Not A Name' cannot be part of a repository name")
    assert (entry.name, entry.reference) == ("Not A Name", None)
    assert store.remove("Not A Name") == ["Not A Name"]


def test_an_image_without_a_name_is_listed_and_can_be_removed(store: Store) -> None:
    digest = sample().digest
    edit(store, annotations=...)
    first, _ = store.entries()
    assert (first.name, first.reference, first.problem) == (f"<none>@{digest}", None, None)
    assert store.remove(first.name) == [f"<none>@{digest}"]


def test_an_attachment_without_a_name_is_not_an_image(store: Store) -> None:
    signature = container([("application/vnd.dev.cosign.simplesigning.v1+json", b"{}")])
    store.put(Reference.parse("hub.io/zzz:sig"), signature)
    path = store.root / "index.json"
    document = json.loads(path.read_bytes())
    del document["manifests"][-1]["annotations"]
    path.write_text(json.dumps(document))
    assert [entry.reference for entry in store.entries()] == [V1, GOOD]


def test_a_literal_name_that_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="image Not A Name not found"):
        store.remove("Not A Name")


@pytest.mark.parametrize("noted", ["yesterday", "", "9999-99-99T00:00:00Z"])
def test_a_date_that_is_none_is_the_files(store: Store, noted: str) -> None:
    edit(store, annotations={"org.opencontainers.image.ref.name": str(V1), "dev.weft.updated": noted})
    first, _ = store.entries()
    assert first.updated.timestamp() == pytest.approx(blob(store, sample().digest).stat().st_mtime)


def test_a_date_without_a_zone_is_taken_as_utc(store: Store) -> None:
    edit(
        store,
        annotations={"org.opencontainers.image.ref.name": str(V1), "dev.weft.updated": "2026-01-02T03:04:05"},
    )
    first, _ = store.entries()
    assert first.updated.isoformat() == "2026-01-02T03:04:05+00:00"
