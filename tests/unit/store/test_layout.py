"""The folder: made when needed, shared with other tools, refused with the reason."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modules.sample_images import sample
from weft.errors import NotFound
from weft.oci import Annotation, Digest, Reference
from weft.store import Store, StoreError
from worlds.layout_reader import read_layout

V1 = Reference.parse("hub.io/f:v1")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def change_index(store: Store, **members: Any) -> dict[str, Any]:
    path = store.root / "index.json"
    document: dict[str, Any] = json.loads(path.read_bytes()) | members
    path.write_text(json.dumps(document))
    return document


def rename(store: Store, annotations: dict[str, str]) -> None:
    document = json.loads((store.root / "index.json").read_bytes())
    change_index(store, manifests=[entry | {"annotations": annotations} for entry in document["manifests"]])


@pytest.mark.parametrize(
    ("annotations", "asked"),
    [
        pytest.param({Annotation.REF_NAME: "v1"}, "v1", id="skopeo, a bare word"),
        pytest.param({Annotation.REF_NAME: "hub.io/f:v1"}, "hub.io/f:v1", id="skopeo, a reference"),
        pytest.param(
            {Annotation.REF_NAME: "v1", Annotation.CONTAINERD_NAME: "hub.io/f:v1"},
            "hub.io/f:v1",
            id="buildkit",
        ),
    ],
)
def test_names_that_other_tools_wrote_are_understood(
    store: Store, annotations: dict[str, str], asked: str
) -> None:
    image = sample()
    store.put(V1, image)
    rename(store, annotations)
    assert store.get(Reference.parse(asked)) == image
    (entry,) = store.entries()
    assert entry.problem is None
    assert entry.updated.timestamp() == pytest.approx(
        (store.root / "blobs" / "sha256" / image.digest.hex).stat().st_mtime
    )


def test_what_other_tools_wrote_survives_our_writing(store: Store) -> None:
    store.put(V1, sample())
    strange = {"mediaType": "application/xml", "digest": str(Digest.of(b"")), "size": 0, "x": [1, None]}
    before = change_index(store, annotations={"a": "b"}, extra={"deep": [True]})
    change_index(store, manifests=[*before["manifests"], strange])
    store.tag(V1, Reference.parse("hub.io/f:v2"))
    after = json.loads((store.root / "index.json").read_bytes())
    assert (after["annotations"], after["extra"]) == ({"a": "b"}, {"deep": [True]})
    assert strange in after["manifests"]
    assert before["manifests"][0] in after["manifests"]


def test_an_annotation_of_an_entry_follows_its_tag(store: Store) -> None:
    store.put(V1, sample())
    rename(store, {Annotation.REF_NAME: str(V1), "com.example.note": "kept"})
    store.tag(V1, Reference.parse("hub.io/f:v2"))
    noted = [entry["annotations"]["com.example.note"] for entry in change_index(store)["manifests"]]
    assert noted == ["kept", "kept"]


def test_a_marker_that_is_missing_is_written_again(store: Store) -> None:
    store.put(V1, sample())
    (store.root / "oci-layout").unlink()
    assert len(store.entries()) == 1
    store.tag(V1, Reference.parse("hub.io/f:v2"))
    assert len(read_layout(store.root)) == 2


@pytest.mark.parametrize(
    ("marker", "complaint"),
    [
        pytest.param(
            b'{"imageLayoutVersion":"2.0.0"}',
            "the store ROOT has image layout version '2.0.0'; weft knows 1.0.0",
            id="later version",
        ),
        pytest.param(b"{}", "ROOT/oci-layout: imageLayoutVersion is missing", id="no version"),
        pytest.param(
            b"", "ROOT/oci-layout is not JSON: Expecting value: line 1 column 1 (char 0)", id="empty marker"
        ),
    ],
)
def test_a_layout_that_weft_does_not_know_is_left_alone(store: Store, marker: bytes, complaint: str) -> None:
    store.put(V1, sample())
    (store.root / "oci-layout").write_bytes(marker)
    before = (store.root / "index.json").read_bytes()
    for attempt in (store.entries, lambda: store.put(V1, sample()), lambda: store.remove(V1), store.prune):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert str(caught.value).replace(str(store.root), "ROOT") == complaint
    assert (store.root / "index.json").read_bytes() == before


@pytest.mark.parametrize(
    ("index", "complaint"),
    [
        pytest.param(b"{", "ROOT/index.json is not JSON: ", id="cut off"),
        pytest.param(b"[]", "ROOT/index.json must be a JSON object", id="array"),
        pytest.param(
            b'{"manifests":{}}', "ROOT/index.json: manifests must be an array, got {}", id="no list"
        ),
    ],
)
def test_a_broken_index_is_named_and_never_overwritten(store: Store, index: bytes, complaint: str) -> None:
    store.put(V1, sample())
    (store.root / "index.json").write_bytes(index)
    for attempt in (store.entries, lambda: store.put(V1, sample()), lambda: store.remove(V1), store.prune):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert str(caught.value).replace(str(store.root), "ROOT").startswith(complaint)
    assert caught.value.hint == "move the file away: the names are lost then, the content in blobs/ is not"
    assert (store.root / "index.json").read_bytes() == index


def test_a_folder_with_other_files_is_not_made_a_store(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_bytes(b"")
    store = Store(tmp_path)
    assert store.entries() == []
    with pytest.raises(StoreError) as caught:
        store.put(V1, sample())
    assert str(caught.value) == f"{tmp_path} holds other files (thesis.doc) and is no image layout"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_a_folder_that_is_a_file_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "store"
    path.write_bytes(b"")
    for attempt in (Store(path).entries, lambda: Store(path).put(V1, sample())):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert str(caught.value) == f"cannot read the store {path}: Not a directory"
    assert caught.value.hint == "WEFT_STORE names another folder for images"


@pytest.fixture
def frozen() -> Iterator[Store]:
    """A store with one image that this process may read and not write, be it root or not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        store = Store(Path(folder) / "store")
        store.put(V1, sample())
        with pytest.raises(NotFound):
            store.get(Reference.parse("hub.io/g"))  # what is imported on the way is imported now
        every = [store.root, *store.root.rglob("*")]
        for path in every:
            path.chmod(0o555 if path.is_dir() else 0o444)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            yield store
        finally:
            if root:
                os.seteuid(0)
            for path in every:
                path.chmod(0o755)


def test_a_store_that_may_only_be_read_is_read(frozen: Store) -> None:
    assert frozen.get(V1) == sample()
    assert [entry.problem for entry in frozen.entries()] == [None]


def test_a_store_that_may_not_be_written_says_so(frozen: Store) -> None:
    for attempt in (
        lambda: frozen.put(V1, sample()),
        lambda: frozen.tag(V1, V1),
        lambda: frozen.remove(V1),
        frozen.prune,
    ):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert str(caught.value) == f"cannot write to the store {frozen.root}: Permission denied"
        assert caught.value.hint == "WEFT_STORE names another folder for images"
